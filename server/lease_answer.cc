#include "server/lease_answer.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "io/json_bytes.h"
#include "server/json_answer.h"
#include "server/kv_json.h"

namespace anchor::server {
namespace {

// A part is made in one go, while all else waits.
constexpr std::size_t kPartBytes = 64 << 10;

void append_head(std::string& json, kv::LeaseId id, Duration ttl) {
  json.push_back('{');
  append_number(json, "id", id.value());
  json.push_back(',');
  append_number(json, "ttl_ms", whole_milliseconds(ttl));
}

// As a string; or as an object, if it is none in UTF-8.
void append_key(std::string& json, const std::string& key) {
  std::string object = "{";
  io::append_bytes(object, "key", "key_encoding", key);
  object.pop_back();
  constexpr std::string_view kName = "{\"key\":";
  json.append(valid_utf8(key) ? object.substr(kName.size()) : object + "}");
}

class List {
 public:
  explicit List(kv::Leases leases)
      : leases_(std::move(leases)), at_(leases_.table().tree().begin()) {}

  std::optional<std::string> next() {
    if (ended_) return std::nullopt;
    std::string part = begun_ ? "" : "{\"leases\":[";
    for (; at_.valid() && part.size() < kPartBytes; at_.next()) {
      if (std::exchange(begun_, true)) part.push_back(',');
      const auto lease = kv::Leases::lease_of(*at_.item());
      append_head(part, lease->id, lease->ttl);
      part.push_back('}');
    }
    ended_ = !at_.valid();
    if (ended_) part.append("]}\n");
    return part;
  }

 private:
  const kv::Leases leases_;
  kv::Tree::Cursor at_;
  bool begun_ = false;
  bool ended_ = false;
};

struct LockRenderer {
  ErrorStyle style;

  io::HttpResponse operator()(const LockAcquired& lock) const {
    return json_answer({{"token", lock.token.value()}, {"lease", lock.lease.value()}});
  }
  io::HttpResponse operator()(const LockReleased&) const {
    return json_answer({{"released", true}});
  }
  io::HttpResponse operator()(const LockHeld&) const {
    return render_error({.status = 409,
                         .code = "lock_held",
                         .message = "the wait has ended, and the lock was not given"},
                        style);
  }
  io::HttpResponse operator()(const LockNotHeld&) const {
    return render_error({.status = 404,
                         .code = "not_found",
                         .message = "nobody has the lock under this token, or nobody any more"},
                        style);
  }
};

}  // namespace

io::HttpResponse render_granted(kv::LeaseId id, Duration ttl) {
  return json_answer({{"id", id.value()}, {"ttl_ms", whole_milliseconds(ttl)}});
}

io::HttpResponse render_lease(kv::LeaseId id, const kv::LeaseStatus& lease) {
  std::string json;
  append_head(json, id, lease.ttl);
  json.push_back(',');
  append_number(json, "remaining_ms", whole_milliseconds(lease.remaining));
  json.append(",\"keys\":[");
  for (const std::string& key : lease.keys) {
    if (&key != &lease.keys.front()) json.push_back(',');
    append_key(json, key);
  }
  json.append(lease.more_keys ? "],\"more\":true}" : "],\"more\":false}");
  io::HttpResponse response = json_answer(std::move(json));
  response.add_header("Cache-Control", "no-cache");
  return response;
}

io::HttpParts lease_parts(kv::Leases leases) {
  return [list = std::make_unique<List>(std::move(leases))] { return list->next(); };
}

io::HttpResponse render_lock(const LockAnswer& answer, ErrorStyle style) {
  return std::visit(LockRenderer{style}, answer);
}

}  // namespace anchor::server
