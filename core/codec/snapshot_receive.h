#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/snapshot_codec.h"
#include "core/codec/snapshot_directory.h"
#include "core/codec/snapshot_files.h"
#include "core/raft/types.h"

namespace anchor::codec {

// Takes a snapshot that another node sends into this node's directory. As with a save, a crash
// leaves it there whole or not at all.
class SnapshotReceive {
 public:
  // `file` is what the sender promises. Requires: `files` outlives this, and there is no other
  // receive at the same time. One that was begun before and not finished is forgotten.
  SnapshotReceive(SnapshotFiles& files, raft::ClusterId cluster_id, const SnapshotFile& file);

  // Where to go on.
  std::uint64_t received_bytes() const { return received_bytes_; }
  bool complete() const { return created_ && received_bytes_ == file_.size_bytes; }

  // True if the bytes were taken: they begin at received_bytes() and end within the file. What
  // comes twice, or before what precedes it, is not, and does no harm.
  Result<bool> write(std::uint64_t offset, ByteView bytes);

  // Once it is complete: one piece of the work that is left. None: there is more. Else the
  // snapshot, durable under its name; or it was not the promised one and is removed, to be fetched
  // again. Not to be called after that, nor after an error.
  Result<std::optional<CheckedSnapshot>> step();

 private:
  enum class Stage : std::uint8_t { kReceive, kCheck, kRename, kSyncDirectory };

  Result<std::optional<CheckedSnapshot>> check();

  SnapshotFiles& files_;
  SnapshotFile file_;
  SnapshotCheck check_;
  Stage stage_ = Stage::kReceive;
  bool created_ = false;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t synced_bytes_ = 0;
  // Set once it is verified.
  std::optional<Snapshot> snapshot_;
};

}  // namespace anchor::codec
