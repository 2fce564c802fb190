#pragma once

#include "core/raft/state.h"

namespace anchor::raft {

// Log replication (dissertation 3.5, 3.6, 10.2).

// --- The follower -------------------------------------------------------------------------------

// The receiver's side of AppendEntries from the leader that `follower` follows: cuts a conflicting
// suffix, appends what is new, learns the commit index, answers.
void handle_append_entries(State& state, Follower& follower, const AppendEntries& request);

// True if that position differs from what this very leader has sent before, from what is committed,
// or from what all founders began with: no leader's log does that.
bool contradicts(const State& state, const Follower& follower, LogPosition position);

// The leader's commit index, learnt in its term: as much of it as the log is known to agree with.
void learn_commit_index(State& state, const Follower& follower, Index leader_commit);

// --- The leader ---------------------------------------------------------------------------------

// Appends an entry of the leader's term.
LogPosition append_as_leader(State& state, Leader& leader, decltype(Entry::payload) payload);

// Requires: the match index is within the leader's log.
void handle_append_accepted(State& state, Progress& progress, const AppendAccepted& reply);
void handle_append_rejected(const State& state, Progress& progress, const AppendRejected& reply);

// Commits what a quorum has, if it is of the leader's own term (dissertation 3.6.2).
void advance_commit_index(State& state, Leader& leader);

// Whether those with room on their disks are a quorum may have changed.
void notice_room_on_disks(State& state, Leader& leader);

// Sends each follower what it lacks, within its window, and a heartbeat to whom the newest round
// has not been asked.
void replicate(State& state, Leader& leader);

// Since when the leader has heard from a quorum, itself included.
Instant quorum_heard(const State& state, const Leader& leader);

}  // namespace anchor::raft
