#include "core/replica.h"

#include <algorithm>

// When a replica has a snapshot of its state written, and what becomes of it when it is given
// another's; the rest of it is in replica.cc.
namespace anchor {

void Replica::take(const SnapshotSaved& input) {
  saving_snapshot_ = false;
  raft_.snapshot_saved(input.file);
}

void Replica::take(const SnapshotWritten& input) {
  raft_.snapshot_written(input.file, input.received_bytes);
}

void Replica::take(const SnapshotReceived& input) {
  const bool served = serves();
  if (!raft_.install_snapshot(input.file, input.configuration)) return;
  raft_.set_no_majority(false);  // whoever sends a snapshot is of one
  if (!served && serves()) {
    events_.push_back(raft::StateTrusted{raft_.term(), input.file.position.index});
  }
  store_ = input.store;
  newest_snapshot_bytes_ = store_.snapshot_bytes();
  applied_index_ = input.file.position.index;
  bytes_since_snapshot_ = 0;
  // What the snapshot covers may be in it or not: nobody can tell any more.
  while (!proposals_.empty() && proposals_.begin()->first.first <= applied_index_) {
    unknown(proposals_.extract(proposals_.begin()).mapped());
  }
  for (const Proposer& proposer : administration_.skipped(applied_index_)) unknown(proposer);
}

// On a disk that is nearly full: once most was deleted, the snapshots of before are what fills it.
// The newest goes when there are two more.
bool Replica::snapshot_makes_room() const {
  const raft::State& state = raft_.state();
  if (!state.short_of_disk || state.snapshots.empty()) return false;
  const raft::SnapshotFile& newest = state.snapshots.back();
  if (applied_index_ <= newest.position.index) return false;
  const auto before = std::ranges::max(state.snapshots, {}, &raft::SnapshotFile::size_bytes);
  const bool last_of_two = state.snapshots.size() == 2 && before.size_bytes / 2 > newest.size_bytes;
  return last_of_two || store_.snapshot_bytes() < newest_snapshot_bytes_ / 2;
}

std::optional<SnapshotSave> Replica::snapshot_to_save() {
  if (saving_snapshot_ || !serves()) return std::nullopt;
  const bool wanted = raft_.take_snapshot_wanted() || snapshot_makes_room();
  if (!wanted && bytes_since_snapshot_ < options_.snapshot_bytes) return std::nullopt;
  saving_snapshot_ = true;
  bytes_since_snapshot_ = 0;
  newest_snapshot_bytes_ = store_.snapshot_bytes();
  const raft::Log& log = raft_.log();
  return SnapshotSave{.position = {applied_index_, *log.term_at(applied_index_)},
                      .configuration = log.configuration_at(applied_index_),
                      .store = store_};
}

}  // namespace anchor
