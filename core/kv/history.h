#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "core/kv/item.h"
#include "core/kv/key_range.h"
#include "core/kv/types.h"

namespace anchor::kv {

// What one key was before a revision, and what it is from then on. Null: there was, or is, no such
// key; never both.
struct Change {
  Revision revision;
  ItemRef before;
  ItemRef after;

  std::string_view key() const { return (after ? after : before)->key(); }
  // Of keys and values, and of what a change takes up itself.
  std::uint64_t size_bytes() const;
};

// The changes of the newest revisions, in their order: what reads at a past revision and watches
// from one are served from. It is bounded; what is older is compacted. Values are shared with the
// tree, and a copy shares nearly all of it with the original.
class History {
 public:
  // `compacted` is the newest revision whose changes are not there: the state as of it can still be
  // told, and none before it.
  explicit History(Revision compacted) : compacted_(compacted), newest_(compacted) {}

  Revision compacted() const { return compacted_; }
  // Of the last change; compacted() if there is none.
  Revision newest() const { return newest_; }
  // Of changes.
  std::size_t size() const { return size_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  // Of the changes, kept up to date by each in O(1). And the same from the changes alone.
  std::uint64_t digest() const { return digest_; }
  std::uint64_t recomputed_digest() const;

  // A revision's changes follow one another, and every revision has one. The hashes are of the
  // items, zero for none. Requires: its revision is newest(), but for the first change, or the next
  // one.
  void append(Change change, std::uint64_t hash_before, std::uint64_t hash_after);
  // Whole revisions go, the oldest first, until there are no more than so many and so much.
  void compact(std::uint64_t revisions, std::uint64_t size_bytes);

  // Requires: at < size().
  const Change& operator[](std::size_t at) const { return kept(at).change; }
  // Of the first change after `revision`; size() if there is none.
  std::size_t first_after(Revision revision) const;
  // Calls `visit` with the changes from `at` on of keys in the range, in order, until it says
  // false. A key outside the range is mostly passed over without a look at it.
  template <typename Visit>
  void visit(std::size_t at, const KeyRange& range, Visit visit) const;

 private:
  struct Kept {
    Change change;
    std::uint64_t prefix = 0;  // of the key
    std::uint64_t hash = 0;
  };
  using Chunk = std::vector<Kept>;
  static constexpr std::size_t kChunkSize = 256;

  const Kept& kept(std::size_t at) const;
  void drop_first();

  Revision compacted_;
  Revision newest_;
  // Each of kChunkSize changes, and shared between copies; then the one that grows.
  std::deque<std::shared_ptr<const Chunk>> full_;
  Chunk growing_;
  std::size_t dropped_ = 0;  // from the first chunk
  std::size_t size_ = 0;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t digest_ = 0;
};

template <typename Visit>
void History::visit(std::size_t at, const KeyRange& range, Visit visit) const {
  const std::uint64_t low = prefix_of(range.start);
  const std::uint64_t high = range.end ? prefix_of(*range.end) : UINT64_MAX;
  for (; at < size_; ++at) {
    const Kept& each = kept(at);
    if (each.prefix < low || each.prefix > high) continue;
    if (range.contains(each.change.key()) && !visit(each.change)) return;
  }
}

}  // namespace anchor::kv
