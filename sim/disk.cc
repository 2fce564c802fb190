#include "sim/disk.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::sim {

std::optional<raft::Term> DiskImage::term_at(raft::Index index) const {
  if (index == raft::Index() || index > last()) return std::nullopt;
  return records[index.value() - 1].term;
}

Disk::Disk(codec::StableState stable, const std::vector<raft::Entry>& entries) {
  image_.stable = std::move(stable);
  write({.id = {}, .hard_state = {}, .truncate_from = {}, .entries = entries});
  store_stable();
}

void Disk::begin() {
  ANCHOR_ASSERT(idle_with_work());
  writing_.swap(waiting_);
}

raft::WriteId Disk::complete() {
  ANCHOR_ASSERT(busy());
  for (const raft::PersistBatch& batch : writing_) write(batch);
  const raft::WriteId newest = writing_.back().id;
  writing_.clear();
  return newest;
}

void Disk::crash(bool whole) {
  if (whole && busy()) complete();
  writing_.clear();
  waiting_.clear();
}

raft::Recovered Disk::boot() {
  ANCHOR_ASSERT(!busy() && waiting_.empty());
  ++image_.stable.boot;
  store_stable();
  const auto stable = codec::decode_stable_state(image_.stable_bytes);
  ANCHOR_ASSERT(stable.has_value());
  raft::Recovered recovered{.cluster_id = stable->cluster_id,
                            .self = stable->self,
                            .boot = stable->boot,
                            .hard_state = stable->hard_state,
                            .base = {},
                            .base_configuration = {},
                            .entries = {}};
  for (const DiskImage::Record& record : image_.records) {
    const raft::Index index(recovered.entries.size() + 1);
    auto entry = codec::decode_log_record(stable->cluster_id, index, record.bytes);
    ANCHOR_ASSERT(entry.has_value());
    recovered.entries.push_back(std::move(*entry));
  }
  return recovered;
}

void Disk::write(const raft::PersistBatch& batch) {
  if (batch.truncate_from) {
    ANCHOR_ASSERT(*batch.truncate_from <= image_.last());
    image_.records.resize(batch.truncate_from->value() - 1);
  }
  for (const raft::Entry& entry : batch.entries) {
    ANCHOR_ASSERT(entry.index == image_.last().next(), "a batch continues the log");
    image_.records.push_back(
        {entry.term, codec::encode_log_record(image_.stable.cluster_id, entry)});
  }
  if (batch.hard_state) {
    image_.stable.hard_state = *batch.hard_state;
    store_stable();
  }
}

void Disk::store_stable() {
  image_.stable_bytes = codec::encode_stable_state(image_.stable);
}

}  // namespace anchor::sim
