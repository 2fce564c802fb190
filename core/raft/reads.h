#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "core/raft/types.h"

namespace anchor::raft {

struct State;
struct Leader;
struct AppendEntries;

// A follower that asks for the commit index, in the life it leads.
struct ReadRequester {
  Peer peer;
  Boot boot;

  friend bool operator==(const ReadRequester&, const ReadRequester&) = default;
};

// Somebody wants to read and asks for a commit index that is no older than the question.
struct ReadRequest {
  // None: this server itself.
  std::optional<ReadRequester> requester;
  std::uint64_t context = 0;
  bool lease = false;  // the leader's lease will do
};

// The answer to this server's own request: reads that came before the request may be served once
// `read_index` is applied.
struct ConfirmedRead {
  std::uint64_t context = 0;
  Index read_index;
  // The leader did not ask anybody: it is right as far as clocks are.
  bool by_lease = false;
};

// ReadIndex at the leader (dissertation 6.4): its commit index of now will do, if it learns
// afterwards that it still was the leader now. One round of heartbeats answers all requests that
// came before it.
struct Reads {
  struct Asked {
    Round round;
    Index read_index;
    std::vector<ReadRequest> requests;
  };
  // For the next round.
  std::vector<ReadRequest> waiting;
  // Rounds that are out, ascending.
  std::deque<Asked> asked;
};

// Adds a request. Of those of one requester the newest is enough: it asks again and again, and any
// answer will do.
void add_read_request(Reads& reads, ReadRequest request);

// Answers those of the waiting requests that a lease will do for, if the leader holds one.
void answer_by_lease(State& state, Leader& leader);

// Starts a round for the waiting requests: not before an entry of the leader's own term is
// committed, since its commit index may lag behind its predecessor's until then, and not while
// another is out, so that rounds grow under load instead of multiplying; `retry` starts one all the
// same.
void ask_for_reads(State& state, Leader& leader, bool retry);

// Answers the requests whose round a quorum has confirmed.
void answer_confirmed_reads(State& state, Leader& leader);

// The state after the entry at `index` has everything that was committed anywhere as of then, by
// this server's clock.
struct Freshness {
  Index index;
  Instant as_of;
};

// Of the leader's own commit index: as of the beginning of the last round that a quorum has
// answered. None before an entry of its own term is committed.
std::optional<Freshness> freshness(const State& state, const Leader& leader);
// What the leader's commit index is worth to the follower that is told it (message.h); none if it
// says nothing, or not to this boot.
std::optional<Freshness> freshness(const State& state, const AppendEntries& request);

}  // namespace anchor::raft
