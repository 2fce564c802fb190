#include "core/kv/item.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/base/hash.h"
#include "core/base/random.h"

namespace anchor::kv {

Item::Item(std::string_view key, ByteView value, const Fields& fields)
    : key_size_(static_cast<std::uint32_t>(key.size())),
      value_size_(static_cast<std::uint32_t>(value.size())),
      fields_(fields) {
  char* at = reinterpret_cast<char*>(this + 1);
  at = std::copy_n(key.data(), key.size(), at);
  if (!value.empty()) std::memcpy(at, value.data(), value.size());
}

ItemRef Item::create(std::string_view key, ByteView value, const Fields& fields) {
  void* memory = ::operator new(sizeof(Item) + key.size() + value.size());
  return ItemRef(new (memory) Item(key, value, fields));
}

void ItemRef::release() const {
  // The last one out must see all that others did before they left.
  if (item_->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  item_->~Item();
  ::operator delete(const_cast<Item*>(item_));
}

bool equal(const ItemRef& a, const ItemRef& b) {
  if (!a || !b) return !a && !b;
  return a->key() == b->key() && a->fields() == b->fields() &&
         std::ranges::equal(a->value(), b->value());
}

std::uint64_t hash_item(const Item& item) {
  std::uint64_t hash = hash_bytes(as_bytes(item.key()), 0);
  hash = hash_bytes(item.value(), hash);
  hash = mix64(hash ^ item.create_revision().value());
  hash = mix64(hash ^ item.mod_revision().value());
  hash = mix64(hash ^ item.version());
  return mix64(hash ^ item.lease().value());
}

}  // namespace anchor::kv
