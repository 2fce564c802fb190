#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/snapshot_codec.h"
#include "core/codec/snapshot_files.h"
#include "core/raft/types.h"

namespace anchor::codec {

// What is in {dir}/snapshots/:
//   <index>-<term>.snap      a snapshot, whole and durable before it got this name
//   <index>-<term>.snap.new  one that this node writes (snapshot_save.h)
//   received.part            one that another node sends (snapshot_receive.h)
// The latter two are worthless once the process has ended.
inline constexpr std::string_view kReceivedPart = "received.part";
std::string snapshot_name(raft::LogPosition position);
std::string unfinished_snapshot_name(raft::LogPosition position);
// None: it is not what snapshot_name() makes.
std::optional<raft::LogPosition> parse_snapshot_name(std::string_view name);

// A file whose contents are not what they should be, which is not the disk's failure to read them.
struct DamagedSnapshot {
  std::string name;
  std::string reason;
};
using CheckedSnapshot = std::variant<Snapshot, DamagedSnapshot>;

// Reads a snapshot's file in bounded pieces and verifies all of it.
class SnapshotCheck {
 public:
  // Requires: `files` outlives this.
  SnapshotCheck(SnapshotFiles& files, std::string name, raft::ClusterId cluster_id,
                raft::LogPosition position);

  // Reads the next piece. None: there is more. Not to be called after it has returned something.
  Result<std::optional<CheckedSnapshot>> step();

 private:
  CheckedSnapshot finish();
  DamagedSnapshot damaged(std::string reason) const { return {name_, std::move(reason)}; }

  SnapshotFiles& files_;
  std::string name_;
  raft::ClusterId cluster_id_;
  raft::LogPosition position_;
  std::uint64_t offset_ = 0;
  SnapshotReader reader_;
};

// What a directory was found to hold. Damaged files stay where they are, for the operator to see.
struct RecoveredSnapshots {
  // The newest that is whole.
  std::optional<Snapshot> newest;
  // That one and those before it, the newest first. Of the others nothing but the end was looked
  // at: whoever gets one of them verifies it.
  std::vector<SnapshotFile> files;
  std::vector<DamagedSnapshot> damaged;
};
// At start: clears away what was not finished, and reads the newest good snapshot. What it returns
// is durable, and outlives the next crash.
Result<RecoveredSnapshots> recover_snapshots(SnapshotFiles& files, raft::ClusterId cluster_id);

// Removes the snapshots of other positions, durably; damaged ones as well. Newer ones than all of
// these stay: they are so new that whoever made the list had not heard of them. So do other files.
Result<void> prune_snapshots(SnapshotFiles& files, std::span<const raft::LogPosition> keep);

// A piece of a snapshot's file, to be sent. Fewer than `max_bytes`: the file ends there. None:
// there is no such file any more.
Result<std::optional<Bytes>> read_snapshot(SnapshotFiles& files, raft::LogPosition position,
                                           std::uint64_t offset, std::size_t max_bytes);

}  // namespace anchor::codec
