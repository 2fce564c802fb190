#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/raft/message.h"
#include "core/raft/types.h"

namespace anchor::raft {

// One atomic batch for the disk. Batches are written in the order of their ids. In a batch the log
// is first cut (from `truncate_from` on). Then nobody needs it up to `compact_to`: it may be
// removed later, bit by bit; but if the log `begins_anew` there, all that the disk has belongs to
// another log, or ends before, and goes at once. Then `entries` are appended: they are contiguous,
// and the first follows what then is the log's end.
struct PersistBatch {
  WriteId id;
  std::optional<HardState> hard_state{};
  std::optional<Index> truncate_from{};
  std::optional<Index> compact_to{};
  bool begins_anew = false;
  std::vector<Entry> entries{};
};

// A message that must not leave before the batch `after`, and so every one before it, is durable.
struct DeferredMessage {
  WriteId after;
  Message message;
};

// A message whose chunk the shell reads from the snapshot's file: at most so many bytes.
struct SnapshotChunk {
  Message message;  // an InstallSnapshot
  std::uint64_t max_bytes = 0;
};

// What an operator wants to know. Each says why.
struct CampaignStarted {
  Term term;  // the term campaigned for
  bool pre_vote = false;
  std::string reason;
};
struct BecameLeader {
  Term term;
  std::vector<ServerId> votes;  // whose votes made it, itself included
};
struct LostLeadership {
  Term term;
  std::string reason;
};
struct FollowsLeader {
  Term term;
  ServerId leader;
};
struct LeaderLost {
  Term term;
  std::string reason;
};
struct ConfigurationAppended {
  Term term;
  Index index;
  std::string change;  // in words
};
struct TransferStarted {
  Term term;
  ServerId target;
  std::string reason;
};
struct TransferFailed {
  Term term;
  ServerId target;
};
// This server is a member no more, for good.
struct Removed {
  Term term;
  Index configuration_index;  // of the configuration that has left it out
};
struct SnapshotSent {
  Term term;
  LogPosition position;
  ServerId follower;
  bool installed = false;  // or else it has just begun
};
// A follower that received all of it has found it damaged, twice.
struct SnapshotDistrusted {
  Term term;
  LogPosition position;
};
struct SnapshotInstalled {
  Term term;
  LogPosition position;
};
struct SnapshotTaken {
  Term term;
  SnapshotFile file;
};
struct LogCompacted {
  Term term;
  Index base;
};
// For entries above half of what the log may have there is room, but little.
enum class LogRoom : std::uint8_t { kAmple, kScarce, kNone };
// This leader takes writes slower, or none, while its log is long.
struct LogRoomChanged {
  Term term;
  LogRoom room{};
  std::uint64_t bytes = 0;
  std::vector<ServerId> kept_for{};  // who are to catch up
};
// This leader refuses what grows, since no quorum has room on its disks; or takes it again.
struct DiskRoomChanged {
  Term term;
  bool enough = true;
  std::vector<ServerId> short_of_disk{};  // voters
};
// This server's state is not the majority's, or there is no majority: it answers nothing.
struct StateDistrusted {
  Term term;
  Index index;  // at which it was noted
  std::string reason;
};
// It is, again.
struct StateTrusted {
  Term term;
  Index index;
};
using Event =
    std::variant<CampaignStarted, BecameLeader, LostLeadership, FollowsLeader, LeaderLost,
                 ConfigurationAppended, TransferStarted, TransferFailed, Removed, SnapshotSent,
                 SnapshotDistrusted, SnapshotInstalled, SnapshotTaken, LogCompacted, LogRoomChanged,
                 DiskRoomChanged, StateDistrusted, StateTrusted>;

// One line in words, without the term.
std::string describe(const Event& event);
Term term_of(const Event& event);

// What Raft wants done after a step. The fields' laws are those of the replica's output, which see.
struct Output {
  std::optional<PersistBatch> persist;
  std::vector<Message> messages;
  std::vector<DeferredMessage> messages_after_persist;
  std::vector<SnapshotChunk> snapshot_chunks{};
  std::vector<InstallSnapshot> snapshot_parts{};
  std::optional<std::vector<LogPosition>> snapshots_kept{};
  std::vector<Event> events;
};

// What the disk held when the process started. Requires: entries are contiguous, the first follows
// `base`, terms do not fall and none is above `hard_state.term`; with snapshots, the newest one is
// not before `base`, and not after the last entry.
struct Recovered {
  ClusterId cluster_id;
  Peer self;
  // This start's, already durable.
  Boot boot;
  HardState hard_state;
  // The end of what a snapshot covers; zero without one. The log begins after it.
  LogPosition base;
  // In force at `base`, and the index of its entry. Without a snapshot: null, or what a server that
  // has joined was told of the members.
  SharedConfiguration base_configuration;
  Index base_configuration_index{};
  std::vector<Entry> entries;
  // Those that there are, the newest last: its state is what the state machine starts from.
  std::vector<SnapshotFile> snapshots{};
};

}  // namespace anchor::raft
