#include "sim/disk.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/recovery.h"

namespace anchor::sim {

std::optional<raft::Term> DiskImage::term_at(raft::Index index) const {
  if (index <= base || index > last_record()) return std::nullopt;
  return records[index - base - 1].term;
}

Disk::Disk(codec::StableState stable, const std::vector<raft::Entry>& entries)
    : snapshots_(stable.cluster_id) {
  image_.stable = std::move(stable);
  write({.id = {}, .entries = entries});
  store_stable();
  image_.hard_state_file = codec::new_hard_state_file(image_.stable);
  image_.next_slot = codec::kSecondHardStateSlot;
}

Disk::Disk(codec::StableState stable, const raft::Configuration& members)
    : Disk(std::move(stable), std::vector<raft::Entry>()) {
  image_.membership = codec::encode_membership(image_.stable.cluster_id, members);
}

void Disk::begin() {
  ANCHOR_ASSERT(idle_with_work());
  writing_.swap(waiting_);
}

raft::WriteId Disk::complete(const std::function<void(const raft::PersistBatch&)>& before) {
  ANCHOR_ASSERT(busy());
  for (const raft::PersistBatch& batch : writing_) {
    if (before) before(batch);
    write(batch);
  }
  const auto changes = [](const raft::PersistBatch& batch) { return batch.hard_state.has_value(); };
  if (std::ranges::any_of(writing_, changes)) store_second_copy();
  const raft::WriteId newest = writing_.back().id;
  writing_.clear();
  return newest;
}

std::vector<SnapshotDisk::Done> Disk::step_snapshots() {
  auto done = snapshots_.step();
  image_.snapshot = snapshots_.newest();
  return done;
}

void Disk::crash(Surviving surviving, bool power_lost, const VirtualFiles::Choose& choose) {
  if (surviving == Surviving::kEverything && busy()) complete();
  if (surviving == Surviving::kDatabase) {
    for (const raft::PersistBatch& batch : writing_) write(batch);
  }
  writing_.clear();
  waiting_.clear();
  snapshots_.crash(power_lost, choose);
}

codec::RecoveredMember Disk::boot() {
  ANCHOR_ASSERT(!busy() && waiting_.empty());
  codec::StoredMember stored{.stable_state = image_.stable_bytes,
                             .hard_state_file = image_.hard_state_file,
                             .membership = image_.membership,
                             .records = {}};
  stored.records.reserve(image_.records.size());
  for (const DiskImage::Record& record : image_.records) {
    stored.records.push_back({image_.base + (stored.records.size() + 1), record.bytes});
  }
  auto recovered = codec::recover(stored, snapshots_.files());
  ANCHOR_ASSERT(recovered.has_value(), recovered.error().message);
  const auto file = codec::read_hard_state_file(image_.hard_state_file);
  ANCHOR_ASSERT(file.has_value());
  image_.next_slot = file->next;
  if (recovered->records_obsolete || image_.records.empty()) {
    image_.records.clear();
    image_.base = recovered->raft.base.index;
  }
  compact_to_ = {};
  if (!recovered->raft.snapshots.empty()) {
    snapshots_.found(recovered->raft.snapshots.back().position);
    image_.snapshot = snapshots_.newest();
  }
  image_.stable = codec::stable_state_of(recovered->raft);
  store_stable();
  store_second_copy();
  return std::move(*recovered);
}

void Disk::write(const raft::PersistBatch& batch) {
  if (batch.truncate_from && *batch.truncate_from <= image_.last_record()) {
    image_.records.resize(
        *batch.truncate_from > image_.base ? *batch.truncate_from - image_.base - 1 : 0);
  }
  if (batch.compact_to) compact_to_ = std::max(compact_to_, *batch.compact_to);
  if (batch.begins_anew) {
    image_.records.clear();
    image_.base = compact_to_;
  }
  for (const raft::Entry& entry : batch.entries) {
    ANCHOR_ASSERT(entry.index == image_.last_record().next(), "a batch continues the log");
    image_.records.push_back(
        {entry.term, codec::encode_log_record(image_.stable.cluster_id, entry)});
  }
  compact(batch.entries.size());
  if (batch.hard_state) {
    image_.stable.hard_state = *batch.hard_state;
    store_stable();
  }
}

// Bit by bit, as the store does; here by small bits.
void Disk::compact(std::size_t appended) {
  if (compact_to_ <= image_.base) return;
  const std::size_t most = std::min(1 + appended, image_.records.size());
  const auto gone = std::min<std::size_t>(compact_to_ - image_.base, most);
  image_.records.erase(image_.records.begin(),
                       image_.records.begin() + static_cast<std::ptrdiff_t>(gone));
  image_.base = image_.base + gone;
}

void Disk::store_stable() {
  image_.stable_bytes = codec::encode_stable_state(image_.stable);
}

void Disk::store_second_copy() {
  const codec::HardStateWrite write = codec::write_hard_state_slot(image_.next_slot, image_.stable);
  Buffer file(std::max(image_.hard_state_file.size(), write.offset + write.bytes.size()));
  std::ranges::copy(image_.hard_state_file.view(), file.data());
  std::ranges::copy(write.bytes.view(), file.data() + write.offset);
  image_.hard_state_file = std::move(file).freeze();
  image_.next_slot = image_.next_slot.next();
}

}  // namespace anchor::sim
