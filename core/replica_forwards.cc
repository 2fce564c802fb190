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
  if (held_forwards_.size() >= options_.waiting_requests) return overloaded(origin);
  held_forwards_.emplace_back(std::move(origin), request.proposal);
}

void Replica::take_forward_reply(const raft::ForwardReply& forward_reply) {
  if (forward_reply.requester_boot != raft_.state().boot) return;
  const auto sent = forwarded_.find(forward_reply.sequence);
  if (sent == forwarded_.end()) return;
  const auto [id, term] = sent->second;
  forwarded_.erase(sent);
  if (forward_reply.outcome == raft::ForwardOutcome::kNotApplied) {
    deposed_term_ = std::max(deposed_term_, term);
  }
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  switch (forward_reply.outcome) {
    case raft::ForwardOutcome::kApplied:
      if (const auto* answer = std::get_if<raft::AdminAnswer>(&forward_reply.result)) {
        return reply(id, AdminDone{*answer});
      }
      if (auto result = kv::decode_result(std::get<Bytes>(forward_reply.result))) {
        return reply(id, WriteApplied{std::move(*result)});
      }
      return reply(id, OutcomeUnknown{});
    case raft::ForwardOutcome::kNotApplied:
      return await_leader(id, found->second);
    case raft::ForwardOutcome::kOverloaded:
      return reply(id, NotApplied{Refusal::kOverloaded});
    case raft::ForwardOutcome::kUnknown:
      return reply(id, OutcomeUnknown{});
  }
}

void Replica::release_held_forwards() {
  if (held_forwards_.empty() || raft_.transferring()) return;
  for (auto& [origin, proposal] : std::exchange(held_forwards_, {})) {
    if (!raft_.is_leader()) {
      not_applied(origin);
    } else if (raft_.transferring()) {  // again, by one of these
      held_forwards_.emplace_back(std::move(origin), std::move(proposal));
    } else {
      propose(std::move(origin), proposal);
    }
  }
}

}  // namespace anchor
