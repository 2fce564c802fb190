#pragma once

#include "core/raft/state.h"

namespace anchor::raft {

// Elections (dissertation 3.4, 4.2.3, 9.6): what the roles' transitions in raft.cc decide by.

// True if this server believes that a leader other than `candidate` is alive, because it is one or
// heard from one within the least election timeout: then a candidate is not listened to, so that a
// server that was cut off or removed does not disturb the others (dissertation 4.2.3). That is also
// what leases rest on (lease.h).
bool leader_alive(const State& state, const Role& role, const Peer& candidate);

// Whether to grant `request`, made by `candidate`, in the current state: for a vote the term is
// already the campaign's. Does not look at leader_alive.
bool would_grant(const State& state, const Peer& candidate, const RequestVote& request);

// True once a quorum has granted its vote, or would.
bool elected(const Configuration& configuration, const Candidate& candidate);

// Whose disk stalls could not even vote for itself, and would lead badly. Others go first; but if
// none does for long, it campaigns all the same.
bool disk_delays_campaign(const State& state, const Follower& follower);

// Asks all other voters.
void request_votes(State& state, const Candidate& candidate);

}  // namespace anchor::raft
