#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/kv/item.h"
#include "core/kv/numbered_table.h"
#include "core/kv/types.h"

namespace anchor::kv {

// For how long keys are kept that nobody keeps alive. The replicated state knows no instants, only
// how long it is; when it ends is for the leader's clock to say (core/lease_expiry.h).
struct Lease {
  LeaseId id;
  Duration ttl{};
  // It was granted for one key, and goes when that has it no more. Others are not to have it.
  bool of_key = false;
};

// The leases that were granted and have not ended, and which keys go with each.
class Leases {
 public:
  const NumberedTable& table() const { return table_; }
  std::size_t size() const { return table_.size(); }
  // Leases, and what is noted of their keys.
  std::uint64_t size_bytes() const { return table_.size_bytes() + key_bytes_; }
  // The id that the next one gets. Lower ones that are not there have ended.
  LeaseId next_id() const { return LeaseId(table_.next()); }

  LeaseId grant(Duration ttl, bool of_key);
  // None: there is none.
  std::optional<Lease> find(LeaseId id) const;
  // How many keys go with it, and which: the first so many from `from` on, in their order.
  std::size_t key_count(LeaseId id) const;
  std::vector<std::string> keys(LeaseId id, std::string_view from = {},
                                std::size_t most = SIZE_MAX) const;
  // False: there was none. Requires: no key goes with it.
  bool erase(LeaseId id);

  // What it takes up that a key goes with a lease; and a lease itself.
  static std::uint64_t key_bytes(std::size_t key_size) {
    return item_bytes(kNumberBytes + key_size, 0);
  }
  static std::uint64_t lease_bytes() { return item_bytes(kNumberBytes, kNumberBytes + 1); }

  // A key goes with another lease now, or with none (zero). A lease of that
  // key is gone without it.
  void move_key(std::string_view key, LeaseId from, LeaseId to);

  static std::optional<Lease> lease_of(const Item& item);
  // From a snapshot; the keys by move_key(). False: no table could hold it.
  bool restore(ItemRef item);
  void restore_next_id(LeaseId next) { table_.restore_next(next.value()); }
  // Every lease that a key goes with is there, and of those that are of one key each has that.
  bool sound() const;

 private:
  NumberedTable table_;
  // A lease's number, and a key after it. It follows from the keys, and so it is in no snapshot and
  // no digest.
  Tree keys_;
  std::uint64_t key_bytes_ = 0;
};

}  // namespace anchor::kv
