#include "sim/vote_checks.h"

#include <algorithm>
#include <string>
#include <variant>

#include "sim/violation.h"

namespace anchor::sim {
namespace {

// The candidate was elected meanwhile, and said so in the same step: whom the voter has promised to
// wait for may be another than when it refused.
bool led_meanwhile(std::span<const Input> inputs, const raft::Peer& candidate) {
  return std::ranges::any_of(inputs, [&](const Input& input) {
    const auto* received = std::get_if<PeerMessage>(&input);
    return received != nullptr && received->message.from == candidate &&
           (std::holds_alternative<raft::AppendEntries>(received->message.body) ||
            std::holds_alternative<raft::InstallSnapshot>(received->message.body));
  });
}

// As it is after the step: what else came in it can only have added reasons, unless it led before.
bool has_reason(const raft::Raft& voter, const raft::Peer& candidate,
                const raft::RequestVote& request, bool led) {
  const raft::State& state = voter.state();
  if (!raft::at_least_as_up_to_date(request.last, state.log.last())) return true;
  const bool promised =
      led ? state.now < state.promise.until : raft::promised_to_another(state, candidate);
  const bool waits = voter.is_leader() || promised;
  if (waits && !request.transfer) return true;
  if (request.pre_vote) return request.campaign_term <= voter.term();
  const auto& vote = state.hard_state.vote;
  return request.campaign_term != voter.term() || (vote && *vote != candidate);
}

void check_refusal(const Node& voter, std::span<const Input> inputs, const raft::Message& message) {
  const auto* reply = std::get_if<raft::VoteReply>(&message.body);
  if (reply == nullptr || reply->granted) return;
  // One that was sent twice may have come with other entries each time.
  const bool reason = std::ranges::any_of(inputs, [&](const Input& input) {
    const auto* received = std::get_if<PeerMessage>(&input);
    if (received == nullptr || received->message.from != message.to) return false;
    const auto* request = std::get_if<raft::RequestVote>(&received->message.body);
    return request != nullptr && request->campaign_term == reply->campaign_term &&
           request->pre_vote == reply->pre_vote &&
           has_reason(voter.replica->raft(), message.to, *request,
                      led_meanwhile(inputs, message.to));
  });
  check(reason, "refuses-vote-for-a-reason",
        voter.id.name() + " refuses " + message.to.id.name() + " in term " +
            std::to_string(reply->campaign_term.value()));
}

}  // namespace

void check_refusals(const Node& voter, std::span<const Input> inputs, const Output& output) {
  const bool led = std::ranges::any_of(output.events, [](const raft::Event& event) {
    return std::holds_alternative<raft::LostLeadership>(event);
  });
  if (led) return;
  for (const raft::Message& message : output.messages) check_refusal(voter, inputs, message);
  for (const raft::DeferredMessage& deferred : output.messages_after_persist) {
    check_refusal(voter, inputs, deferred.message);
  }
}

}  // namespace anchor::sim
