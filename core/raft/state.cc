#include "core/raft/state.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace anchor::raft {

State::State(Options given, std::uint64_t seed, Recovered recovered)
    : options(given),
      cluster_id(recovered.cluster_id),
      self(std::move(recovered.self)),
      boot(recovered.boot),
      random(seed),
      hard_state(std::move(recovered.hard_state)),
      log(recovered.base,
          {recovered.base_configuration_index, std::move(recovered.base_configuration)},
          std::move(recovered.entries)),
      commit_index(recovered.snapshots.empty() ? recovered.base.index
                                               : recovered.snapshots.back().position.index),
      snapshots(std::move(recovered.snapshots)),
      // The crash may have come before the log was cut.
      compaction_due(!snapshots.empty()) {
  ANCHOR_ASSERT(options.heartbeat_interval * 3 < options.election_timeout);
  ANCHOR_ASSERT(options.max_clock_drift_ppm < 1'000'000);
  ANCHOR_ASSERT(log.last().term <= hard_state.term);
  ANCHOR_ASSERT(log.configuration() != nullptr);
  ANCHOR_ASSERT(log.base().index == Index() || !snapshots.empty());
  ANCHOR_ASSERT(commit_index >= log.base().index && commit_index <= log.last().index);
}

bool State::needs_snapshot() const {
  const Index newest = snapshots.empty() ? Index() : snapshots.back().position.index;
  return hard_state.distrusted > newest;
}

void State::distrust_state(Index index) {
  if (index <= hard_state.distrusted) return;
  hard_state.distrusted = index;
  hard_state_to_write();
}

bool State::may_campaign() const {
  return !removed &&
         std::ranges::any_of(log.configurations_from(commit_index), [&](const auto& each) {
           const SharedConfiguration& possible = each.configuration;
           return possible != nullptr && possible->has(self) && possible->is_voter(self.id);
         });
}

std::optional<Index> State::left_out_at(const Peer& peer) const {
  const Log::Configured& committed = log.configuration_at(commit_index);
  const bool admitted_later = peer.incarnation.value() >= committed.index.value();
  if (admitted_later || committed.configuration->has(peer)) return std::nullopt;
  return committed.index;
}

void State::enter_term(Term entered) {
  ANCHOR_ASSERT(entered > term());
  hard_state.term = entered;
  hard_state.vote.reset();
  hard_state_to_write();
}

void State::vote_for(const Peer& candidate) {
  if (hard_state.vote == candidate) return;
  ANCHOR_ASSERT(!hard_state.vote);
  hard_state.vote = candidate;
  hard_state_to_write();
}

void State::hard_state_to_write() {
  hard_state_write = next_write;
  hard_state_changed = true;
}

void State::send(const Peer& to, MessageBody body, WriteId after) {
  Message message{
      .from = self, .from_boot = boot, .to = to, .term = term(), .body = std::move(body)};
  after = std::max(after, hard_state_write);
  if (after <= durable_write) {
    output.messages.push_back(std::move(message));
  } else {
    output.messages_after_persist.push_back({after, std::move(message)});
  }
}

void State::commit(Index index) {
  if (index <= commit_index) return;
  ANCHOR_ASSERT(index <= log.last().index);
  commit_index = index;
}

Duration State::random_election_timeout() {
  return random.between(options.election_timeout, 2 * options.election_timeout);
}

Instant State::election_deadline(Duration patience) const {
  return std::max(now + patience, promise.until);
}

}  // namespace anchor::raft
