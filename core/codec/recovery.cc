#include "core/codec/recovery.h"

#include <string>
#include <utility>

#include "core/codec/hard_state_file.h"

namespace anchor::codec {
namespace {

std::string describe(const StableState& state) {
  return "term " + std::to_string(state.hard_state.term.value()) + ", " +
         (state.hard_state.vote ? "voted for " + state.hard_state.vote->id.name() : "no vote") +
         ", boot " + std::to_string(state.boot.value());
}

// True if `database` lacks what the file "hardstate" has, which is written after it.
bool older(const StableState& database, const StableState& file) {
  return more_recent(file, database) || file.boot > database.boot;
}

// The two copies as one.
Result<StableState> newest_state(const StoredMember& stored) {
  const auto missing = [](const std::string& what) -> std::unexpected<Error> {
    return failure(what + " is missing");
  };
  const Result<StableState> database = stored.stable_state
                                           ? decode_stable_state(*stored.stable_state)
                                           : Result<StableState>(missing("it"));
  const Result<HardStateFile> file = stored.hard_state_file
                                         ? read_hard_state_file(*stored.hard_state_file)
                                         : Result<HardStateFile>(missing("it"));
  if (!database && !file) {
    return refusal("both copies of the term and vote are lost: in raft.db " +
                   database.error().message + ", in hardstate " + file.error().message);
  }
  if (!file) return *database;
  // The database's structure was whole, or nobody would have read this far: only the one value is
  // damaged. But then the file must hold the newest state for certain.
  if (!database && file->other_damaged) {
    return refusal("the newest term and vote may be lost: in raft.db " + database.error().message +
                   ", and in hardstate one of two copies is damaged");
  }
  if (!database) return file->state;

  if (database->cluster_id != file->state.cluster_id || database->self != file->state.self) {
    return refusal("raft.db and hardstate belong to different members");
  }
  if (older(*database, file->state)) {
    return refusal("the end of the log is unknown: raft.db (" + describe(*database) +
                   ") is older than hardstate (" + describe(file->state) +
                   "), so that entries may be missing that were acknowledged");
  }
  const raft::HardState& a = database->hard_state;
  const raft::HardState& b = file->state.hard_state;
  if (a.term == b.term && b.vote && a.vote != b.vote) {
    return refusal("raft.db and hardstate hold different votes of term " +
                   std::to_string(a.term.value()));
  }
  return *database;
}

// Each verified by itself, and one after another without a gap.
Result<std::vector<raft::Entry>> read_records(const StoredMember& stored,
                                              const StableState& state) {
  std::vector<raft::Entry> entries;
  entries.reserve(stored.records.size());
  for (const StoredRecord& record : stored.records) {
    const std::string number = std::to_string(record.index.value());
    if (!entries.empty() && record.index != entries.back().index.next()) {
      return refusal("entry " + std::to_string(entries.back().index.next().value()) +
                     " of the log is missing: entry " + number + " stands in its place");
    }
    Result<raft::Entry> entry = decode_log_record(state.cluster_id, record.index, record.bytes);
    if (!entry) {
      return refusal("entry " + number + " of the log is damaged: " + entry.error().message);
    }
    if (!entries.empty() && entry->term < entries.back().term) {
      return refusal("entry " + number + " of the log has a term below its predecessor's");
    }
    if (entry->term > state.hard_state.term) {
      return refusal("entry " + number + " of the log has term " +
                     std::to_string(entry->term.value()) + ", but the node has only reached term " +
                     std::to_string(state.hard_state.term.value()));
    }
    entries.push_back(*std::move(entry));
  }
  return entries;
}

// The log that continues the snapshot; entries that it covers are kept for followers. A snapshot
// from a leader may be from beyond the log's end, or from another log: then none does.
Result<void> continue_snapshot(const Snapshot& snapshot, std::vector<raft::Entry> entries,
                               RecoveredMember& member) {
  const raft::LogPosition end = snapshot.meta.position;
  raft::Recovered& raft = member.raft;
  // It came in a term that was not durable yet: nobody was told of that, nor can it have voted.
  if (end.term > raft.hard_state.term) {
    raft.hard_state.term = end.term;
    raft.hard_state.vote.reset();
  }
  raft.base = end;
  raft.base_configuration = snapshot.meta.configuration;
  raft.base_configuration_index = snapshot.meta.configuration_index;
  if (entries.empty()) return {};
  if (entries.front().index > end.index.next()) {
    return refusal("entries " + std::to_string(end.index.next().value()) + " to " +
                   std::to_string(entries.front().index.previous().value()) +
                   " are missing: the log begins after them, and the newest snapshot that is whole "
                   "ends before them");
  }
  if (entries.front().index == end.index.next()) {
    raft.entries = std::move(entries);
    return {};
  }
  const bool reaches = entries.back().index >= end.index;
  const auto at_end = entries.begin() + (reaches ? end.index - entries.front().index : 0);
  if (!reaches || at_end->term != end.term) {
    member.records_obsolete = true;
    return {};
  }
  raft.base = {entries.front().index, entries.front().term};
  entries.erase(entries.begin());
  raft.entries = std::move(entries);
  return {};
}

}  // namespace

// A member cannot mend itself from what it has, and must not pretend to: an entry that it forgets
// may have been acknowledged, and a vote that it forgets may be given twice.
std::unexpected<Error> refusal(const std::string& what) {
  return failure(what +
                 ". This node cannot go on as this member. Put the undamaged files back if there "
                 "are any; else remove the member from its cluster, empty the directory and start "
                 "the node anew with --peers, so that it joins and gets everything again");
}

Result<RecoveredMember> recover(const StoredMember& stored, SnapshotFiles& snapshots) {
  Result<StableState> state = newest_state(stored);
  if (!state) return std::unexpected(state.error());
  Result<std::vector<raft::Entry>> entries = read_records(stored, *state);
  if (!entries) return std::unexpected(entries.error());
  Result<RecoveredSnapshots> found = recover_snapshots(snapshots, state->cluster_id);
  if (!found) return std::unexpected(found.error());

  RecoveredMember member;
  member.raft.cluster_id = state->cluster_id;
  member.raft.self = state->self;
  member.raft.boot = state->boot.next();
  member.raft.hard_state = state->hard_state;
  member.raft.snapshots.assign(found->files.rbegin(), found->files.rend());
  member.damaged_snapshots = std::move(found->damaged);
  if (found->newest) {
    const Result<void> continued = continue_snapshot(*found->newest, *std::move(entries), member);
    if (!continued) return std::unexpected(continued.error());
    member.store = std::move(found->newest->store);
    return member;
  }
  if (!entries->empty() && entries->front().index != raft::Index(1)) {
    return refusal("the log begins with entry " + std::to_string(entries->front().index.value()) +
                   ", and there is no whole snapshot of what was before");
  }
  if (stored.membership) {
    auto membership = decode_membership(state->cluster_id, *stored.membership);
    if (!membership) {
      return refusal("the list of members is damaged: " + membership.error().message);
    }
    member.raft.base_configuration = *std::move(membership);
  }
  member.raft.entries = *std::move(entries);
  return member;
}

StableState stable_state_of(const raft::Recovered& recovered) {
  return {.cluster_id = recovered.cluster_id,
          .self = recovered.self,
          .boot = recovered.boot,
          .hard_state = recovered.hard_state};
}

}  // namespace anchor::codec
