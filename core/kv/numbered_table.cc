#include "core/kv/numbered_table.h"

#include <utility>

#include "core/base/random.h"

namespace anchor::kv {
namespace {

std::string key_of(std::uint64_t number) {
  std::string key;
  append_number(key, number);
  return key;
}

}  // namespace

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

std::uint64_t NumberedTable::add(std::string_view value) {
  set(next_, value);
  return next_++;
}

const ItemRef* NumberedTable::find(std::uint64_t number) const {
  return tree_.find(key_of(number));
}

void NumberedTable::set(std::uint64_t number, std::string_view value) {
  ItemRef item = Item::create(key_of(number), as_bytes(value), {});
  hashes_ += hash_item(*item);
  size_bytes_ += item_bytes(*item);
  const ItemRef previous = tree_.put(std::move(item));
  if (!previous) return;
  hashes_ -= hash_item(*previous);
  size_bytes_ -= item_bytes(*previous);
}

bool NumberedTable::erase(std::uint64_t number) {
  const ItemRef previous = tree_.erase(key_of(number));
  if (!previous) return false;
  hashes_ -= hash_item(*previous);
  size_bytes_ -= item_bytes(*previous);
  return true;
}

bool NumberedTable::restore(ItemRef item) {
  if (item->key().size() != kNumberBytes || item->fields() != Item::Fields()) return false;
  const std::uint64_t number = number_of(*item);
  if (number == 0 || number >= next_ || tree_.find(item->key()) != nullptr) return false;
  hashes_ += hash_item(*item);
  size_bytes_ += item_bytes(*item);
  tree_.put(std::move(item));
  return true;
}

std::uint64_t NumberedTable::digest() const {
  return mix64(mix64(next_) ^ hashes_);
}

std::uint64_t NumberedTable::recomputed_digest() const {
  std::uint64_t hashes = 0;
  for (Tree::Cursor at = tree_.begin(); at.valid(); at.next()) hashes += hash_item(*at.item());
  return mix64(mix64(next_) ^ hashes);
}

}  // namespace anchor::kv
