#include "core/raft/lease.h"

#include <algorithm>

#include "core/raft/quorum.h"
#include "core/raft/state.h"

namespace anchor::raft {
namespace {

// What is left of a promise, made by the fastest clock that is allowed, on the slowest.
Duration on_any_clock(Duration promise, const Options& options) {
  constexpr std::int64_t kMillion = 1'000'000;
  const std::int64_t drift = options.max_clock_drift_ppm;
  return promise * (kMillion - drift) / (kMillion + drift);
}

// None: the leader has forgotten so old a round. Requires: it has asked it.
std::optional<Instant> began_at(const Leader& leader, Round round) {
  const std::uint64_t ago = leader.round.value() - round.value();
  if (ago >= leader.rounds_began.size()) return std::nullopt;
  return leader.rounds_began[leader.rounds_began.size() - 1 - ago];
}

}  // namespace

void promise_to(State& state, const Peer& leader) {
  // One of a boot that had a longer time-out still binds: to an earlier leader, if not to this one.
  const Instant until = state.now + state.options.election_timeout;
  state.promise = Promise{leader, std::max(state.promise.until, until)};
}

Duration spoken_promise(State& state) {
  const Duration length = state.options.election_timeout;
  if (state.hard_state.longest_promise < length) {
    state.hard_state.longest_promise = length;
    state.hard_state_to_write();
  }
  return length;
}

void renew_promise(State& state) {
  state.promise = Promise{std::nullopt, state.now + state.hard_state.longest_promise};
}

bool promised_to_another(const State& state, const Peer& candidate) {
  return state.now < state.promise.until && state.promise.leader != candidate;
}

void begin_round(State& state, Leader& leader) {
  ++leader.round;
  leader.rounds_began.push_back(state.now);
  // An answer that takes longer comes too late for a lease, and says nothing new of the data's age.
  while (leader.rounds_began.front() + 2 * state.options.election_timeout < state.now) {
    leader.rounds_began.pop_front();
  }
}

void hear_round(const State& state, const Leader& leader, Progress& progress, Round round,
                Duration promise, Instant sent) {
  progress.echo = std::max(progress.echo, sent);
  if (round > leader.round) return;
  progress.round = std::max(progress.round, round);
  const auto began = began_at(leader, round);
  if (!began) return;
  progress.led_at = std::max(progress.led_at, *began);
  // A leader that hears nobody for an election timeout steps down: more is of no use.
  const Duration useful = std::clamp(promise, Duration(), state.options.election_timeout);
  progress.promised_until =
      std::max(progress.promised_until, *began + on_any_clock(useful, state.options));
}

bool holds_lease(const State& state, const Leader& leader) {
  return state.commit_index >= leader.first_index && state.now < lease_end(state, leader);
}

Instant lease_end(const State& state, const Leader& leader) {
  if (leader.lease_given_up) return {};
  return quorum_value(state.configuration(), [&](const ServerId& id) {
    return id == state.self.id ? Instant::max() : leader.followers.at(id).promised_until;
  });
}

}  // namespace anchor::raft
