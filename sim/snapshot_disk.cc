#include "sim/snapshot_disk.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::sim {
namespace {

// Virtual files do not fail.
template <typename T>
T certain(Result<T> result) {
  ANCHOR_ASSERT(result.has_value(), result.error().message);
  return *std::move(result);
}

}  // namespace

void SnapshotDisk::begin_save(SnapshotSave request) {
  ANCHOR_ASSERT(!saving_);
  saving_.emplace(
      files_,
      codec::SnapshotMeta{.cluster_id = cluster_id_,
                          .position = request.position,
                          .configuration_index = request.configuration.index,
                          .configuration = std::move(request.configuration.configuration)},
      std::move(request.store));
}

std::uint64_t SnapshotDisk::receive(const raft::InstallSnapshot& part) {
  if (!receiving_ || receiving_->file != part.file) {
    receiving_.reset();
    receiving_.emplace(part.file, codec::SnapshotReceive(files_, cluster_id_, part.file));
  }
  certain(receiving_->receive.write(part.offset, part.chunk.view()));
  return receiving_->receive.received_bytes();
}

std::vector<SnapshotDisk::Done> SnapshotDisk::step() {
  std::vector<Done> done;
  if (saving_) {
    if (const auto file = certain(saving_->step())) {
      saving_.reset();
      durable(file->position);
      done.emplace_back(SnapshotSaved{*file});
    }
  }
  if (!verifying()) return done;
  auto checked = certain(receiving_->receive.step());
  if (!checked) return done;
  const raft::SnapshotFile file = receiving_->file;
  receiving_.reset();
  if (auto* snapshot = std::get_if<codec::Snapshot>(&*checked)) {
    durable(file.position);
    done.emplace_back(SnapshotReceived{
        .file = file,
        .configuration = {snapshot->meta.configuration_index, snapshot->meta.configuration},
        .store = std::move(snapshot->store)});
  } else {
    done.emplace_back(Damaged{file});
  }
  return done;
}

Bytes SnapshotDisk::read(const raft::InstallSnapshot& part, std::uint64_t max_bytes) {
  auto piece = certain(codec::read_snapshot(files_, part.file.position, part.offset, max_bytes));
  ANCHOR_ASSERT(piece.has_value(), "what is sent is kept");
  return *std::move(piece);
}

void SnapshotDisk::prune(const std::vector<raft::LogPosition>& keep) {
  const Result<void> pruned = codec::prune_snapshots(files_, keep);
  ANCHOR_ASSERT(pruned.has_value());
}

void SnapshotDisk::crash(bool power_lost, const VirtualFiles::Choose& choose) {
  saving_.reset();
  receiving_.reset();
  if (power_lost) files_.crash(choose);
}

void SnapshotDisk::durable(raft::LogPosition position) {
  if (position.index > newest_.index) newest_ = position;
}

}  // namespace anchor::sim
