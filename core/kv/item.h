#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"
#include "core/kv/limits.h"
#include "core/kv/types.h"

namespace anchor::kv {

class ItemRef;

// A key with its value and their history: what the tree holds, what a snapshot shares, what an
// answer to a client refers to. Immutable, in one allocation: this header, the key's bytes, the
// value's.
class Item {
 public:
  struct Fields {
    Revision create_revision;
    Revision mod_revision;
    // Writes since the key was created, this one included.
    std::uint64_t version = 0;
    LeaseId lease{};

    friend bool operator==(const Fields&, const Fields&) = default;
  };

  // Copies key and value: a small value must not pin the large batch that it arrived in.
  static ItemRef create(std::string_view key, ByteView value, const Fields& fields);

  std::string_view key() const { return {bytes(), key_size_}; }
  ByteView value() const { return as_bytes(std::string_view(bytes() + key_size_, value_size_)); }
  Revision create_revision() const { return fields_.create_revision; }
  Revision mod_revision() const { return fields_.mod_revision; }
  std::uint64_t version() const { return fields_.version; }
  LeaseId lease() const { return fields_.lease; }
  const Fields& fields() const { return fields_; }

  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;

 private:
  friend class ItemRef;
  Item(std::string_view key, ByteView value, const Fields& fields);
  ~Item() = default;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  mutable std::atomic<std::uint32_t> references_{1};
  std::uint32_t key_size_;
  std::uint32_t value_size_;
  Fields fields_;
};

// A counted reference to an item, or null. The count is atomic, since snapshots are read and
// dropped by other threads.
class ItemRef {
 public:
  ItemRef() = default;
  ItemRef(const ItemRef& other) : item_(other.item_) {
    if (item_ != nullptr) item_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  ItemRef(ItemRef&& other) noexcept : item_(std::exchange(other.item_, nullptr)) {}
  ItemRef& operator=(ItemRef other) noexcept {
    std::swap(item_, other.item_);
    return *this;
  }
  ~ItemRef() {
    if (item_ != nullptr) release();
  }

  explicit operator bool() const { return item_ != nullptr; }
  const Item& operator*() const { return *item_; }
  const Item* operator->() const { return item_; }
  const Item* get() const { return item_; }

 private:
  friend class Item;
  explicit ItemRef(const Item* adopted) : item_(adopted) {}
  void release() const;

  const Item* item_ = nullptr;
};

// Both null, or equal in every byte.
bool equal(const ItemRef& a, const ItemRef& b);
// What one counts for the quota: its key and value, and about what it takes up beside them.
inline std::uint64_t item_bytes(std::size_t key_bytes, std::size_t value_bytes) {
  return kItemBytes + key_bytes + value_bytes;
}
inline std::uint64_t item_bytes(const Item& item) {
  return item_bytes(item.key().size(), item.value().size());
}
// Of all that it holds.
std::uint64_t hash_item(const Item& item);

}  // namespace anchor::kv
