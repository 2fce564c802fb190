#include "core/raft/election.h"

#include "core/raft/quorum.h"

namespace anchor::raft {

bool leader_alive(const State& state, const Role& role, const Peer& candidate) {
  // A leader that asks for votes itself has stopped leading: it restarted, or stepped down.
  return std::holds_alternative<Leader>(role) || promised_to_another(state, candidate);
}

bool would_grant(const State& state, const Peer& candidate, const RequestVote& request) {
  const bool up_to_date = at_least_as_up_to_date(request.last, state.log.last());
  if (request.pre_vote) return up_to_date && request.campaign_term > state.term();
  const bool free = !state.hard_state.vote || state.hard_state.vote == candidate;
  return up_to_date && free && request.campaign_term == state.term();
}

bool elected(const Configuration& configuration, const Candidate& candidate) {
  return is_quorum(configuration,
                   [&](const ServerId& id) { return candidate.granted.contains(id); });
}

bool disk_delays_campaign(const State& state, const Follower& follower) {
  const Duration timeout = state.options.election_timeout;
  return !state.writes_under_way.empty() &&
         state.now - state.writes_under_way.front().second >= timeout &&
         state.now - follower.heard < 8 * timeout;
}

void request_votes(State& state, const Candidate& candidate) {
  const Term campaign_term = candidate.pre_vote ? state.term().next() : state.term();
  for (const Member& member : state.configuration().members) {
    if (member.id == state.self.id || !state.configuration().is_voter(member.id)) continue;
    state.send(member.peer(), RequestVote{.campaign_term = campaign_term,
                                          .pre_vote = candidate.pre_vote,
                                          .transfer = candidate.transfer,
                                          .last = state.log.last()});
  }
}

}  // namespace anchor::raft
