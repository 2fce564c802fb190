#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/codec/snapshot_codec.h"
#include "core/codec/snapshot_files.h"
#include "core/kv/store.h"

namespace anchor::codec {

// Writes a snapshot of this node's state into its directory. Whatever step a crash comes after, the
// snapshot is there whole or not at all, and those that were there still are.
class SnapshotSave {
 public:
  // Requires: `files` outlives this, and nobody else saves a snapshot of this position.
  SnapshotSave(SnapshotFiles& files, SnapshotMeta meta, kv::Store store);

  // At most one operation of the disk. None: there is more to do. Else the snapshot is durable
  // under its name. Not to be called after that, nor after an error.
  Result<std::optional<SnapshotFile>> step();

 private:
  enum class Stage : std::uint8_t { kCreate, kWrite, kSync, kRename, kSyncDirectory };

  Result<void> write();

  SnapshotFiles& files_;
  std::string name_;
  std::string unfinished_name_;
  SnapshotWriter writer_;
  Stage stage_ = Stage::kCreate;
  std::uint64_t unsynced_bytes_ = 0;
};

}  // namespace anchor::codec
