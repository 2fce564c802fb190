#include "core/kv/sessions.h"

#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/base/random.h"

namespace anchor::kv {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kFixedBytes = 2 * kNumberBytes;

// Big-endian, so that bytes order as the numbers do.
void append_number(std::string& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(number >> shift & 0xff));
  }
}

std::uint64_t number_at(std::string_view from) {
  std::uint64_t number = 0;
  for (const char byte : from.substr(0, kNumberBytes)) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}

std::string key_of(SessionId id) {
  std::string key;
  append_number(key, id.value());
  return key;
}

}  // namespace

SessionId Sessions::open(Duration ttl) {
  const SessionId id = next_id_;
  ++next_id_;
  put({.id = id, .ttl = ttl});
  return id;
}

std::optional<Session> Sessions::session_of(const Item& item) {
  if (item.key().size() != kNumberBytes || item.value().size() < kFixedBytes) return std::nullopt;
  const std::string_view value = as_text(item.value());
  return Session{.id = SessionId(number_at(item.key())),
                 .ttl = Duration(static_cast<Duration::rep>(number_at(value))),
                 .last_sequence = number_at(value.substr(kNumberBytes)),
                 .answer = item.value().subspan(kFixedBytes)};
}

std::optional<Session> Sessions::find(SessionId id) const {
  const ItemRef* item = tree_.find(key_of(id));
  return item == nullptr ? std::nullopt : session_of(**item);
}

void Sessions::record(SessionId id, std::uint64_t sequence, ByteView answer) {
  const auto session = find(id);
  ANCHOR_ASSERT(session.has_value());
  put({.id = id, .ttl = session->ttl, .last_sequence = sequence, .answer = answer});
}

void Sessions::put(const Session& session) {
  std::string value;
  value.reserve(kFixedBytes + session.answer.size());
  append_number(value, static_cast<std::uint64_t>(session.ttl.count()));
  append_number(value, session.last_sequence);
  value.append(as_text(session.answer));
  ItemRef item = Item::create(key_of(session.id), as_bytes(value), {});
  hashes_ += hash_item(*item);
  size_bytes_ += item_bytes(*item);
  const ItemRef previous = tree_.put(std::move(item));
  if (!previous) return;
  hashes_ -= hash_item(*previous);
  size_bytes_ -= item_bytes(*previous);
}

bool Sessions::close(SessionId id) {
  const ItemRef previous = tree_.erase(key_of(id));
  if (!previous) return false;
  hashes_ -= hash_item(*previous);
  size_bytes_ -= item_bytes(*previous);
  return true;
}

bool Sessions::restore(ItemRef item) {
  const auto session = session_of(*item);
  const bool sound = session && session->id != SessionId() && session->id < next_id_ &&
                     session->ttl >= Duration() && item->fields() == Item::Fields() &&
                     (session->last_sequence > 0 || session->answer.empty());
  if (!sound || tree_.find(item->key()) != nullptr) return false;
  hashes_ += hash_item(*item);
  size_bytes_ += item_bytes(*item);
  tree_.put(std::move(item));
  return true;
}

std::uint64_t Sessions::digest() const {
  return mix64(mix64(next_id_.value()) ^ hashes_);
}

std::uint64_t Sessions::recomputed_digest() const {
  std::uint64_t hashes = 0;
  for (Tree::Cursor at = tree_.begin(); at.valid(); at.next()) hashes += hash_item(*at.item());
  return mix64(mix64(next_id_.value()) ^ hashes);
}

}  // namespace anchor::kv
