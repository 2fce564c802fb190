#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/kv/item.h"
#include "core/kv/tree.h"

namespace anchor::kv {

inline constexpr std::size_t kNumberBytes = 8;

// Big-endian, so that bytes order as the numbers do.
void append_number(std::string& to, std::uint64_t number);
// The number at its beginning. Requires: kNumberBytes are there.
std::uint64_t number_at(std::string_view from);

// What is replicated under numbers that are given once each, in ascending order, from one:
// sessions, leases. Each is an item of a tree, so that it is copied, hashed and stored as keys are;
// a copy of the table shares all of it.
class NumberedTable {
 public:
  std::size_t size() const { return tree_.size(); }
  // Of the items, as the quota counts them.
  std::uint64_t size_bytes() const { return size_bytes_; }
  // The number that the next one gets. Lower ones that are not there are gone.
  std::uint64_t next() const { return next_; }

  // Under the next number.
  std::uint64_t add(std::string_view value);
  // Null: there is none. The reference is good as long as the table is not changed.
  const ItemRef* find(std::uint64_t number) const;
  // Requires: the number was given.
  void set(std::uint64_t number, std::string_view value);
  // False: there was none.
  bool erase(std::uint64_t number);

  // In the order of their numbers, as snapshots hold them.
  const Tree& tree() const { return tree_; }
  static std::uint64_t number_of(const Item& item) { return number_at(item.key()); }
  // From a snapshot. False: no table could hold it.
  bool restore(ItemRef item);
  void restore_next(std::uint64_t next) { next_ = next; }

  std::uint64_t digest() const;
  std::uint64_t recomputed_digest() const;

 private:
  Tree tree_;
  std::uint64_t next_ = 1;
  std::uint64_t hashes_ = 0;  // the sum over the items
  std::uint64_t size_bytes_ = 0;
};

}  // namespace anchor::kv
