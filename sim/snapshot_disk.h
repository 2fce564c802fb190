#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/codec/snapshot_receive.h"
#include "core/codec/snapshot_save.h"
#include "core/replica.h"
#include "sim/virtual_files.h"

namespace anchor::sim {

// A node's snapshots: the production protocol over virtual files, one operation at a time. Nothing
// fails here; what a crash does to the files is theirs.
class SnapshotDisk {
 public:
  explicit SnapshotDisk(raft::ClusterId cluster_id) : cluster_id_(cluster_id) {}

  codec::SnapshotFiles& files() { return files_; }
  // The newest that is durable.
  raft::LogPosition newest() const { return newest_; }

  // Requires: none is being saved.
  void begin_save(SnapshotSave request);
  // Writes the part, if it is the next one; returns how much of its file is there. A file that is
  // being verified takes no more.
  std::uint64_t receive(const raft::InstallSnapshot& part);
  // A part of the file is there, and none of it is any more: it was not what it should be.
  struct Damaged {
    raft::SnapshotFile file;
  };
  using Done = std::variant<SnapshotSaved, SnapshotReceived, Damaged>;
  bool busy() const { return saving_.has_value() || verifying(); }
  // One operation of each that is under way; what that finished.
  std::vector<Done> step();

  Bytes read(const raft::InstallSnapshot& part, std::uint64_t max_bytes);
  void prune(const std::vector<raft::LogPosition>& keep);

  // Recovery has found this one, and made it durable if it was not.
  void found(raft::LogPosition position) { durable(position); }
  // The process is gone, and with the power what was not synced.
  void crash(bool power_lost, const VirtualFiles::Choose& choose);

 private:
  struct Receiving {
    raft::SnapshotFile file;
    codec::SnapshotReceive receive;
  };

  bool verifying() const { return receiving_ && receiving_->receive.complete(); }
  void durable(raft::LogPosition position);

  raft::ClusterId cluster_id_;
  VirtualFiles files_;
  std::optional<codec::SnapshotSave> saving_;
  std::optional<Receiving> receiving_;
  raft::LogPosition newest_;
};

}  // namespace anchor::sim
