#include "core/codec/snapshot_receive.h"

#include <string>
#include <utility>

#include "core/base/assert.h"

namespace anchor::codec {

SnapshotReceive::SnapshotReceive(SnapshotFiles& files, raft::ClusterId cluster_id,
                                 const SnapshotFile& file)
    : files_(files),
      file_(file),
      check_(files, std::string(kReceivedPart), cluster_id, file.position) {}

Result<bool> SnapshotReceive::write(std::uint64_t offset, ByteView bytes) {
  if (offset != received_bytes_ || bytes.size() > file_.size_bytes - received_bytes_) return false;
  if (!created_) {
    if (const Result<void> done = files_.create(kReceivedPart); !done) {
      return std::unexpected(done.error());
    }
    created_ = true;
  }
  if (const Result<void> done = files_.append(kReceivedPart, bytes); !done) {
    return std::unexpected(done.error());
  }
  received_bytes_ += bytes.size();
  // All at once at the end would take so long that the sender might give up.
  constexpr std::uint64_t kUnsyncedBytesMost = 16 << 20;
  if (received_bytes_ - synced_bytes_ < kUnsyncedBytesMost) return true;
  if (const Result<void> done = files_.sync(kReceivedPart); !done) {
    return std::unexpected(done.error());
  }
  synced_bytes_ = received_bytes_;
  return true;
}

Result<std::optional<CheckedSnapshot>> SnapshotReceive::step() {
  ANCHOR_ASSERT(complete());
  Result<void> done;
  switch (stage_) {
    case Stage::kReceive:
      done = files_.sync(kReceivedPart);
      stage_ = Stage::kCheck;
      break;
    case Stage::kCheck:
      return check();
    case Stage::kRename:
      done = files_.rename(kReceivedPart, snapshot_name(file_.position));
      stage_ = Stage::kSyncDirectory;
      break;
    case Stage::kSyncDirectory:
      done = files_.sync_directory();
      if (done) return *std::move(snapshot_);
      break;
  }
  if (!done) return std::unexpected(done.error());
  return std::nullopt;
}

// Reads it back: what counts is what the disk has, not what came over the network.
Result<std::optional<CheckedSnapshot>> SnapshotReceive::check() {
  Result<std::optional<CheckedSnapshot>> checked = check_.step();
  if (!checked || !*checked) return checked;
  CheckedSnapshot& result = **checked;
  if (auto* snapshot = std::get_if<Snapshot>(&result)) {
    if (snapshot->file == file_) {
      snapshot_ = std::move(*snapshot);
      stage_ = Stage::kRename;
      return std::nullopt;
    }
    result = DamagedSnapshot{std::string(kReceivedPart), "it is not the one that was promised"};
  }
  if (const Result<void> done = files_.remove(kReceivedPart); !done) {
    return std::unexpected(done.error());
  }
  return checked;
}

}  // namespace anchor::codec
