#pragma once

#include <optional>

#include "core/base/time.h"
#include "core/raft/message.h"
#include "core/raft/types.h"

namespace anchor::raft {

struct State;
struct Leader;
struct Progress;

// Leases (dissertation 6.4.1): who hears a leader's round promises to vote for nobody else for a
// while, so that the leader knows, with no further question, for how long no other can be elected.
// Votes that the leader itself has asked for by TimeoutNow are exempt, and end its lease.

// --- The voter ------------------------------------------------------------------------------

// Nobody but `leader` gets a vote or a pre-vote before `until`.
struct Promise {
  // None: it was made in an earlier boot, and to whom is forgotten.
  std::optional<Peer> leader{};
  Instant until{};
};

// The leader was heard now.
void promise_to(State& state, const Peer& leader);
// For how long a promise is good that is made now; noted as made.
Duration spoken_promise(State& state);
// What was promised before the restart still holds.
void renew_promise(State& state);
// True if `candidate` is to get no vote, because another leader was promised so.
bool promised_to_another(const State& state, const Peer& candidate);

// --- The leader -----------------------------------------------------------------------------

// Asks all followers anew whether they still follow.
void begin_round(State& state, Leader& leader);
// A follower has answered `round`, by something that it sent at `sent`.
void hear_round(const State& state, const Leader& leader, Progress& progress, Round round,
                Duration promise, Instant sent);

// True if no other leader can have been elected by now, as long as clocks keep to
// Options::max_clock_drift_ppm, and all that is committed is known to be. The lease is the least
// promise of a quorum, counted from the sending of the round that it answers.
bool holds_lease(const State& state, const Leader& leader);
// Until when, by this server's clock; an instant that is past if it has none.
Instant lease_end(const State& state, const Leader& leader);

}  // namespace anchor::raft
