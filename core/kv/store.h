#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/kv/command.h"
#include "core/kv/item.h"
#include "core/kv/tree.h"
#include "core/kv/types.h"

namespace anchor::kv {

// What apply accepts, on every node and for ever: a change to these would let replicas diverge.
inline constexpr std::size_t kKeyBytes = 4096;
inline constexpr std::size_t kValueBytes = 1 << 20;

// The replicated key-value state: etcd's revisions, over the tree. Apply is total and
// deterministic; everything that it consults is in here.
class Store {
 public:
  // A log entry's command; bytes that are none have an answer too, and change nothing.
  CommandResult apply(const Bytes& command);
  CommandResult apply(const Command& command);

  // Null: no such key.
  ItemRef find(std::string_view key) const;

  Revision revision() const { return revision_; }
  const Tree& tree() const { return tree_; }

  // Of the whole state, kept up to date by each write in O(change): two stores with the same
  // digest hold the same, but for chance or malice.
  std::uint64_t digest() const;
  // The same, from the tree alone: what the kept one is held against.
  std::uint64_t recomputed_digest() const;

  class Restorer;

 private:
  CommandResult put(const Put& command);
  CommandResult erase(const Delete& command);

  Revision revision_{1};
  Tree tree_;
  // The sum of the items' hashes, whose order does not matter.
  std::uint64_t item_hashes_ = 0;
};

// Builds the store anew that a snapshot holds.
class Store::Restorer {
 public:
  explicit Restorer(Revision revision) { store_.revision_ = revision; }

  // Requires: not null. Keys ascend. An error, which is final: no store of this revision could hold
  // the item, or not after those before it.
  Result<void> add(ItemRef item);

  // With the digest of what was added. Call once.
  Store finish() { return std::move(store_); }

 private:
  Store store_;
  ItemRef last_;
};

}  // namespace anchor::kv
