#include "core/kv/sessions.h"

#include <string>
#include <utility>

#include "core/base/assert.h"

namespace anchor::kv {
namespace {

constexpr std::size_t kFixedBytes = 2 * kNumberBytes;

std::string value_of(Duration ttl, std::uint64_t last_sequence, ByteView answer) {
  std::string value;
  value.reserve(kFixedBytes + answer.size());
  append_number(value, static_cast<std::uint64_t>(ttl.count()));
  append_number(value, last_sequence);
  value.append(as_text(answer));
  return value;
}

}  // namespace

SessionId Sessions::open(Duration ttl) {
  return SessionId(table_.add(value_of(ttl, 0, {})));
}

std::optional<Session> Sessions::session_of(const Item& item) {
  if (item.key().size() != kNumberBytes || item.value().size() < kFixedBytes) return std::nullopt;
  const std::string_view value = as_text(item.value());
  return Session{.id = SessionId(NumberedTable::number_of(item)),
                 .ttl = Duration(static_cast<Duration::rep>(number_at(value))),
                 .last_sequence = number_at(value.substr(kNumberBytes)),
                 .answer = item.value().subspan(kFixedBytes)};
}

std::optional<Session> Sessions::find(SessionId id) const {
  const ItemRef* item = table_.find(id.value());
  return item == nullptr ? std::nullopt : session_of(**item);
}

void Sessions::record(SessionId id, std::uint64_t sequence, ByteView answer) {
  const auto session = find(id);
  ANCHOR_ASSERT(session.has_value());
  table_.set(id.value(), value_of(session->ttl, sequence, answer));
}

bool Sessions::restore(ItemRef item) {
  const auto session = session_of(*item);
  const bool sound = session && session->ttl >= Duration() &&
                     (session->last_sequence > 0 || session->answer.empty());
  return sound && table_.restore(std::move(item));
}

}  // namespace anchor::kv
