#pragma once

#include "core/raft/state.h"

namespace anchor::raft {

// Snapshots and log compaction (dissertation 5). Each server makes its own; a leader sends its
// newest one to a follower that lacks entries which the log has no more.

// --- The leader ---------------------------------------------------------------------------------

// The follower asks for a snapshot, and there is one that will do. If there is none yet, the next
// one is taken at once.
bool wants_snapshot(State& state, const Progress& progress);
// Requires: the follower's next entry is in the log no more, or it wants one.
void begin_snapshot(State& state, Progress& progress);
// Sends chunks, as far as window and rate allow and others need not come first; again from what is
// acknowledged, after a silence.
void send_snapshot(State& state, Leader& leader, Progress& progress);
// The follower needs it no more: the log goes on from what it has. Requires: it is being sent one.
void end_snapshot(State& state, Progress& progress);
// The follower has acknowledged more: perhaps the log need not be kept for it any longer.
void let_log_go(State& state, Progress& progress);
// The log is kept no longer for a follower that seems to be lost.
void give_up(State& state, const Leader& leader, Progress& progress);
void handle_snapshot_accepted(State& state, Progress& progress, const SnapshotAccepted& reply);
// When to send on; none if that is for an answer to say.
std::optional<Instant> snapshot_deadline(const State& state, const Leader& leader);

// --- The follower -------------------------------------------------------------------------------

void handle_install_snapshot(State& state, const Follower& follower,
                             const InstallSnapshot& request);
// The shell has written so much of the file.
void snapshot_written(State& state, const Role& role, const SnapshotFile& file,
                      std::uint64_t received_bytes);
// The snapshot, from a leader, is durable. True if it is further than what is committed here, or
// what this server needs: then the state machine is to go on from it.
bool install_snapshot(State& state, Role& role, const SnapshotFile& file,
                      Log::Configured configuration);

// How near the log is to its bound, which says at what pace a leader takes writes.
LogRoom room_of_log(const State& state);
// Whether the log may grow by a write of so many bytes. As room becomes scarce, since no snapshot
// of the log is done or it is kept for somebody, each lets the next wait.
bool admit_write(State& state, Leader& leader, std::uint64_t bytes);
// Until when writes wait, if this server leads and they do.
std::optional<Instant> writes_wait(const State& state, const Role& role);

// --- Everybody ----------------------------------------------------------------------------------

// This server's own is durable.
void snapshot_saved(State& state, Role& role, const SnapshotFile& file);
// The last entry that nobody needs: neither as a trailing part, nor for a follower that is to catch
// up.
Index compactable(const State& state, const Role& role);
// Cuts the log up to there and lets old snapshots go, once there is a reason to.
void compact(State& state, Role& role);

}  // namespace anchor::raft
