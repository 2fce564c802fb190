#include "core/raft/invariants.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/raft/snapshot.h"

namespace anchor::raft {
namespace {

void check_progress(const State& state, const Progress& progress) {
  ANCHOR_ASSERT(progress.match < progress.next);
  ANCHOR_ASSERT(progress.next <= state.log.last().index.next());
  ANCHOR_ASSERT(progress.commit_told <= state.commit_index);
  ANCHOR_ASSERT(progress.round <= progress.round_asked);
  ANCHOR_ASSERT(progress.led_at <= state.now);
  ANCHOR_ASSERT(progress.promised_until <= progress.led_at + state.options.election_timeout);
  if (const auto* sending = std::get_if<SendSnapshot>(&progress.state)) {
    ANCHOR_ASSERT(sending->acknowledged_bytes <= sending->sent_bytes);
    ANCHOR_ASSERT(sending->sent_bytes <= sending->file.size_bytes);
    ANCHOR_ASSERT(progress.kept_log && progress.kept_log->sent_snapshot);
  }
  if (progress.kept_log) {
    ANCHOR_ASSERT(progress.kept_log->after >= state.log.base().index, "the log is kept");
  }
  const auto* replicating = std::get_if<Replicate>(&progress.state);
  if (replicating == nullptr) return;
  std::uint64_t bytes = 0;
  Index before = progress.match;
  for (const Replicate::InFlight& in_flight : replicating->in_flight) {
    ANCHOR_ASSERT(in_flight.last > before && in_flight.last < progress.next);
    before = in_flight.last;
    bytes += in_flight.bytes;
  }
  ANCHOR_ASSERT(bytes == replicating->bytes_in_flight);
  ANCHOR_ASSERT(replicating->in_flight.size() <= state.options.window_messages);
}

void check_leader(const State& state, const Leader& leader) {
  ANCHOR_ASSERT(state.hard_state.vote == state.self, "a leader voted for itself");
  ANCHOR_ASSERT(state.hard_state_durable() || state.needs_snapshot(), "a leader's term is durable");
  ANCHOR_ASSERT(leader.first_index <= state.log.last().index);
  ANCHOR_ASSERT(leader.first_index < state.log.base().index ||
                state.log.contains({leader.first_index, state.term()}));
  ANCHOR_ASSERT(state.log.last().term == state.term());
  ANCHOR_ASSERT(leader.rounds_began.size() <= leader.round.value());
  std::uint64_t bytes = 0;
  for (Index index = state.commit_index.next(); index <= state.log.last().index; ++index) {
    bytes += entry_bytes(state.log.at(index));
  }
  ANCHOR_ASSERT(bytes == leader.uncommitted_bytes);
  const bool named = state.configuration().find(state.self.id) != nullptr;
  ANCHOR_ASSERT(leader.followers.size() + (named ? 1 : 0) == state.configuration().members.size());
  for (const auto& [id, progress] : leader.followers) {
    ANCHOR_ASSERT(id == progress.peer.id && state.configuration().has(progress.peer));
    check_progress(state, progress);
  }
  Round before;
  for (const Reads::Asked& asked : leader.reads.asked) {
    ANCHOR_ASSERT(asked.round > before && asked.round <= leader.round);
    ANCHOR_ASSERT(asked.read_index <= state.commit_index && !asked.requests.empty());
    before = asked.round;
  }
}

// Of a long one it would take too long.
void check_log(const Log& log) {
  constexpr std::size_t kShort = 64;
  if (log.last().index - log.base().index > kShort) return;
  std::uint64_t bytes = 0;
  for (Index index = log.base().index.next(); index <= log.last().index; ++index) {
    bytes += entry_bytes(log.at(index));
  }
  ANCHOR_ASSERT(bytes == log.bytes());
}

void check_candidate(const State& state, const Candidate& candidate) {
  ANCHOR_ASSERT(candidate.transfer || !promised_to_another(state, state.self),
                "it promised to vote for nobody else, itself included");
  for (const ServerId& id : candidate.granted) {
    ANCHOR_ASSERT(id == state.self.id || state.configuration().find(id) != nullptr);
  }
  if (candidate.pre_vote) {
    ANCHOR_ASSERT(candidate.election_deadline.has_value());
    return;
  }
  ANCHOR_ASSERT(state.hard_state.vote == state.self);
  if (state.needs_snapshot()) return;  // which it may just have found out
  // Its own vote counts once it is durable, and nobody's before that.
  ANCHOR_ASSERT(candidate.granted.contains(state.self.id) == state.hard_state_durable());
  ANCHOR_ASSERT(candidate.granted.empty() || state.hard_state_durable());
}

}  // namespace

void check_invariants(const Raft& raft) {
  const State& state = raft.state();
  ANCHOR_ASSERT(state.commit_index >= state.log.base().index);
  ANCHOR_ASSERT(state.commit_index <= state.log.last().index);
  ANCHOR_ASSERT(state.log.durable_index() <= state.log.last().index);
  ANCHOR_ASSERT(state.log.last().term <= state.term());
  ANCHOR_ASSERT(state.durable_write < state.next_write);
  ANCHOR_ASSERT(valid(state.configuration()));
  check_log(state.log);
  ANCHOR_ASSERT(state.log.base().index == Index() ||
                state.snapshots.back().position.index >= state.log.base().index);
  ANCHOR_ASSERT(compactable(state, raft.role()) <= state.log.base().index,
                "the log is kept for somebody");
  if (const auto* follower = std::get_if<Follower>(&raft.role())) {
    ANCHOR_ASSERT(follower->verified <= state.log.last().index);
    ANCHOR_ASSERT(!follower->leader || follower->leader->id != state.self.id);
  } else if (const auto* candidate = std::get_if<Candidate>(&raft.role())) {
    check_candidate(state, *candidate);
  } else {
    check_leader(state, std::get<Leader>(raft.role()));
  }
}

StepInvariants::StepInvariants(const Raft& before)
    : hard_state_(before.state().hard_state),
      commit_index_(before.commit_index()),
      commit_position_{commit_index_, *before.log().term_at(commit_index_)},
      leader_(before.is_leader()),
      last_(before.log().last()),
      durable_write_(before.state().durable_write) {}

void StepInvariants::check(const Raft& after, const Output& output) const {
  const State& state = after.state();
  ANCHOR_ASSERT(state.term() >= hard_state_.term);
  if (state.term() == hard_state_.term && hard_state_.vote) {
    ANCHOR_ASSERT(state.hard_state.vote == hard_state_.vote, "a vote is set once in a term");
  }
  ANCHOR_ASSERT(state.hard_state.longest_promise >= hard_state_.longest_promise);
  ANCHOR_ASSERT(state.hard_state.distrusted >= hard_state_.distrusted);
  if (state.hard_state != hard_state_) {
    ANCHOR_ASSERT(output.persist && output.persist->hard_state == state.hard_state);
  }
  ANCHOR_ASSERT(state.commit_index >= commit_index_);
  const bool compacted = commit_position_.index < state.log.base().index;
  ANCHOR_ASSERT(compacted || state.log.contains(commit_position_), "what was committed stays");
  if (leader_ && after.is_leader() && state.term() == hard_state_.term) {
    ANCHOR_ASSERT(state.log.contains(last_), "a leader only appends");
    ANCHOR_ASSERT(state.commit_index == commit_index_ ||
                      state.log.term_at(state.commit_index) == state.term(),
                  "a leader commits by counting entries of its own term");
  }
  // A vote may have been given after the messages were sent, in a term that was durable already.
  const bool voted = state.term() == hard_state_.term && state.hard_state != hard_state_;
  for (const Message& message : output.messages) {
    ANCHOR_ASSERT(message.term < state.term() || state.hard_state_durable() || voted);
  }
  for (const DeferredMessage& deferred : output.messages_after_persist) {
    ANCHOR_ASSERT(deferred.after > durable_write_ && deferred.after < state.next_write);
  }
}

}  // namespace anchor::raft
