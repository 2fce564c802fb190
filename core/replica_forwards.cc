#include <algorithm>
#include <utility>

#include "core/replica.h"

// What replicas ask of the leader, and are told; the rest of them is in replica.cc.
namespace anchor {

void Replica::take_forward(const raft::Message& message, const raft::ForwardRequest& request) {
  // Meant for a boot that may have taken it, which this one cannot know: no answer.
  if (request.leader_boot != raft_.state().boot) return;
  const bool leads = raft_.is_leader() && raft_.term() == request.leader_term;
  if (taken_forwards_.term() != request.leader_term) return;
  if (!taken_forwards_.take(message.from, message.from_boot, request.sequence)) return;
  ForwardedFrom origin{message.from, message.from_boot, request.sequence};
  // Never taken before, and never led in that term again: certain.
  if (!leads) return not_applied(origin);
  if (!raft_.transferring()) return propose(std::move(origin), request.proposal);
  if (held_forwards_.size() >= options_.waiting_requests || held_bytes_ >= options_.waiting_bytes) {
    return overloaded(origin);
  }
  hold(std::move(origin), request.proposal);
}

void Replica::hold(ForwardedFrom origin, raft::Proposal proposal) {
  held_bytes_ += raft::command_bytes(proposal);
  held_forwards_.emplace_back(std::move(origin), std::move(proposal));
}

void Replica::take_forward_reply(const raft::Message& message,
                                 const raft::ForwardReply& forward_reply) {
  if (forward_reply.requester_boot != raft_.state().boot) return;
  const auto sent = forwarded_.find(forward_reply.sequence);
  if (sent == forwarded_.end()) return;
  const Forwarded forwarded = sent->second;
  if (forwarded.leader != raft::KnownLeader{message.from, message.from_boot}) return;
  forwarded_.erase(sent);
  if (forward_reply.outcome == raft::ForwardOutcome::kNotApplied) {
    deposed_term_ = std::max(deposed_term_, forwarded.term);
  }
  const auto found = requests_.find(forwarded.id);
  if (found == requests_.end()) return;
  if (forward_reply.outcome == raft::ForwardOutcome::kNotApplied) {
    return await_leader(forwarded.id, found->second);
  }
  reply(forwarded.id, outcome_of(found->second, forward_reply));
}

// An answer that is none to this request leaves its outcome unknown.
Outcome Replica::outcome_of(const Request& request, const raft::ForwardReply& forward_reply) const {
  if (forward_reply.outcome == raft::ForwardOutcome::kOverloaded) {
    return NotApplied{Refusal::kOverloaded};
  }
  if (forward_reply.outcome != raft::ForwardOutcome::kApplied) return OutcomeUnknown{};
  const bool writes = std::holds_alternative<raft::Command>(std::get<raft::Proposal>(request.body));
  const auto* answer = std::get_if<raft::AdminAnswer>(&forward_reply.result);
  if (writes == (answer != nullptr)) return OutcomeUnknown{};
  if (answer != nullptr) return AdminDone{*answer};
  auto result = kv::decode_result(std::get<Bytes>(forward_reply.result));
  if (!result) return OutcomeUnknown{};
  return WriteApplied{std::move(*result)};
}

void Replica::release_held_forwards() {
  if (held_forwards_.empty() || raft_.transferring()) return;
  held_bytes_ = 0;
  for (auto& [origin, proposal] : std::exchange(held_forwards_, {})) {
    if (!raft_.is_leader()) {
      not_applied(origin);
    } else if (raft_.transferring()) {  // again, by one of these
      hold(std::move(origin), std::move(proposal));
    } else {
      propose(std::move(origin), proposal);
    }
  }
}

// This leader is about to be one no more. Said now, in its term, that need not wait until the next
// term is stored, which may take long: it may be for its disk that it goes.
void Replica::refuse_held_forwards() {
  for (const auto& [origin, proposal] : std::exchange(held_forwards_, {})) not_applied(origin);
  held_bytes_ = 0;
}

}  // namespace anchor
