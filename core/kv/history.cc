#include "core/kv/history.h"

#include <utility>

#include "core/base/assert.h"
#include "core/base/random.h"
#include "core/kv/limits.h"

namespace anchor::kv {
namespace {

std::uint64_t hash_of_change(Revision revision, std::uint64_t before, std::uint64_t after) {
  return mix64(mix64(mix64(revision.value()) ^ before) ^ after);
}

std::uint64_t hash_or_zero(const ItemRef& item) {
  return item ? hash_item(*item) : 0;
}

}  // namespace

std::uint64_t Change::size_bytes() const {
  std::uint64_t size = kChangeBytes;
  for (const ItemRef& item : {std::cref(before), std::cref(after)}) {
    if (item) size += item->key().size() + item->value().size();
  }
  return size;
}

const History::Kept& History::kept(std::size_t at) const {
  const std::size_t place = dropped_ + at;
  const std::size_t chunk = place / kChunkSize;
  return chunk < full_.size() ? (*full_[chunk])[place % kChunkSize] : growing_[place % kChunkSize];
}

void History::append(Change change, std::uint64_t hash_before, std::uint64_t hash_after) {
  ANCHOR_ASSERT(change.before || change.after);
  ANCHOR_ASSERT(change.revision == newest_.next() || (size_ > 0 && change.revision == newest_));
  newest_ = change.revision;
  Kept kept{.change = std::move(change)};
  kept.prefix = prefix_of(kept.change.key());
  kept.hash = hash_of_change(newest_, hash_before, hash_after);
  ++size_;
  size_bytes_ += kept.change.size_bytes();
  digest_ += kept.hash;
  growing_.push_back(std::move(kept));
  if (growing_.size() < kChunkSize) return;
  full_.push_back(std::make_shared<const Chunk>(std::exchange(growing_, {})));
}

void History::compact(std::uint64_t revisions, std::uint64_t size_bytes) {
  while (size_ > 0 && (newest_ - compacted_ > revisions || size_bytes_ > size_bytes)) {
    const Revision oldest = kept(0).change.revision;
    while (size_ > 0 && kept(0).change.revision == oldest) drop_first();
    compacted_ = oldest;
  }
}

void History::drop_first() {
  const Kept& first = kept(0);
  size_bytes_ -= first.change.size_bytes();
  digest_ -= first.hash;
  --size_;
  ++dropped_;
  if (size_ == 0) {
    // The growing chunk is the only one, or empty.
    full_.clear();
    growing_.clear();
    dropped_ = 0;
  } else if (dropped_ == kChunkSize) {
    full_.pop_front();
    dropped_ = 0;
  }
}

std::size_t History::first_after(Revision revision) const {
  std::size_t low = 0;
  std::size_t count = size_;
  while (count > 0) {
    const std::size_t half = count / 2;
    if (kept(low + half).change.revision <= revision) {
      low += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return low;
}

std::uint64_t History::recomputed_digest() const {
  std::uint64_t digest = 0;
  for (std::size_t at = 0; at < size_; ++at) {
    const Change& change = kept(at).change;
    digest +=
        hash_of_change(change.revision, hash_or_zero(change.before), hash_or_zero(change.after));
  }
  return digest;
}

}  // namespace anchor::kv
