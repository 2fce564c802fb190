#include "core/raft/transfer.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace anchor::raft {
namespace {

// It answers, its disk does not keep acknowledgements waiting, and it need not hand over at once.
bool prepared(const State& state, const Progress& progress) {
  const Duration patience = state.options.election_timeout;
  if (progress.snapshot_wanted > Index()) return false;
  const auto* replicating = std::get_if<Replicate>(&progress.state);
  return replicating != nullptr && state.now - progress.last_heard < patience / 2 &&
         (replicating->in_flight.empty() ||
          state.now - replicating->in_flight.front().sent < patience / 2);
}

bool is_candidate(const State& state, const ServerId& id) {
  return std::ranges::binary_search(state.configuration().voters, id);
}

// Null: there is none.
const Progress* best_prepared(const State& state, const Leader& leader) {
  const Progress* best = nullptr;
  for (const auto& [id, progress] : leader.followers) {
    if (!is_candidate(state, id) || !prepared(state, progress)) continue;
    if (best == nullptr || progress.match > best->match) best = &progress;
  }
  return best;
}

}  // namespace

std::expected<ServerId, AdminRefused> begin_transfer(State& state, Leader& leader,
                                                     const std::optional<ServerId>& target,
                                                     const std::string& reason) {
  if (leader.transfer) {
    if (!target || *target == leader.transfer->target) return leader.transfer->target;
    return refused(AdminRefusal::kChangeInProgress,
                   "leadership is being handed over to " + leader.transfer->target.name());
  }
  const Progress* to = nullptr;
  if (!target) {
    to = best_prepared(state, leader);
    if (to == nullptr) return refused(AdminRefusal::kNotReady, "no other voter answers promptly");
  } else if (*target == state.self.id) {
    return *target;
  } else {
    to = leader.follower(*target);
    if (to == nullptr) {
      return refused(AdminRefusal::kNotFound, "there is no member " + target->name());
    }
    if (!is_candidate(state, *target)) {
      return refused(AdminRefusal::kNotReady, target->name() + " is no voter");
    }
    if (to->snapshot_wanted > Index()) {
      return refused(AdminRefusal::kNotReady, target->name() + " is waiting for a snapshot");
    }
    if (!prepared(state, *to)) {
      return refused(AdminRefusal::kNotReady, target->name() + " does not answer promptly");
    }
  }
  leader.transfer =
      Transfer{.target = to->peer.id, .deadline = state.now + state.options.election_timeout};
  state.output.events.push_back(TransferStarted{state.term(), to->peer.id, reason});
  return to->peer.id;
}

void advance_transfer(State& state, Leader& leader) {
  if (!leader.transfer) return;
  Transfer& transfer = *leader.transfer;
  const Progress* target = leader.follower(transfer.target);
  if (state.now >= transfer.deadline || target == nullptr) {
    state.output.events.push_back(TransferFailed{state.term(), transfer.target});
    leader.transfer.reset();
    return;
  }
  if (transfer.asked || target->match < state.log.last().index) return;
  // Who is no member any more never hears what becomes of the rest, and could tell nobody.
  if (!state.is_member() && state.commit_index < state.log.last().index) return;
  transfer.asked = true;
  leader.lease_given_up = true;
  state.send(target->peer, TimeoutNow{});
}

bool takes_leadership(const State& state, const Role& role, const Message& message) {
  const auto* request = std::get_if<RequestVote>(&message.body);
  return std::holds_alternative<Leader>(role) && request != nullptr && request->transfer &&
         message.term > state.term() && !state.left_out_at(message.from);
}

void hand_over_if_unfit(State& state, Leader& leader) {
  if (leader.transfer || state.now < leader.flight_due) return;
  const Duration patience = state.options.election_timeout;
  const bool stalls = !state.writes_under_way.empty() &&
                      state.now - state.writes_under_way.front().second >= patience;
  if (!stalls && !state.needs_snapshot()) return;
  leader.flight_due = state.now + 4 * patience;
  // Refused: there is none.
  static_cast<void>(begin_transfer(
      state, leader, std::nullopt,
      state.needs_snapshot() ? "its state is not the majority's" : "its own disk stalls"));
}

}  // namespace anchor::raft
