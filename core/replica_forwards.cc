#include <algorithm>
#include <utility>

#include "core/replica.h"

// What a replica forwards to the leader, and what proposers are told, here and there; the rest of
// it is in replica.cc.
namespace anchor {

void Replica::take_forward(const raft::Message& message, const raft::ForwardRequest& request) {
  // Meant for a boot that may have taken it, which this one cannot know: no answer.
  if (request.leader_boot != raft_.state().boot) return;
  const bool leads = raft_.is_leader() && raft_.term() == request.leader_term;
  if (taken_forwards_.term() != request.leader_term) return;
  ForwardedFrom origin{message.from, message.from_boot, request.sequence};
  if (!raft_.state().configuration().has(message.from) && !taken_forwards_.knows(message.from)) {
    return turn_away(origin, leads);
  }
  if (!taken_forwards_.take(message.from, message.from_boot, request.sequence)) return;
  // Never taken before, and never led in that term again: certain.
  if (!leads) return not_applied(origin);
  // Behind those that have waited for longer.
  const bool queues =
      !held_forwards_.empty() && std::holds_alternative<raft::Command>(request.proposal);
  if (!waits(request.proposal) && !queues) return propose(std::move(origin), request.proposal);
  // A change of the members may be what makes room.
  const bool command = std::holds_alternative<raft::Command>(request.proposal);
  if (held_forwards_.size() >= options_.waiting_requests * (command ? 1 : 2) ||
      (command && held_bytes_ >= options_.waiting_bytes)) {
    return refuse(origin, Refusal::kOverloaded);
  }
  held_bytes_ += raft::command_bytes(request.proposal);
  held_forwards_.push_back({std::move(origin), request.proposal, now_ + options_.leader_wait});
}

// Strangers are not remembered, of whom there may be any number. But a copy of the request must not
// be taken later either, and it would be if this leader admitted them: with an incarnation that is
// the index of the entry, which can only be behind the end of its log.
void Replica::turn_away(const ForwardedFrom& stranger, bool leads) {
  const bool may_be_admitted = stranger.peer.incarnation.value() > raft_.log().last().index.value();
  if (!leads || !may_be_admitted) not_applied(stranger);
}

// While this leader hands over everything does; while it slows writes down, they do.
bool Replica::waits(const raft::Proposal& proposal) const {
  if (raft_.transferring()) return true;
  return std::holds_alternative<raft::Command>(proposal) &&
         raft::writes_wait(raft_.state(), raft_.role());
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
  if (forward_reply.outcome == raft::ForwardOutcome::kShortOfDisk) {
    return NotApplied{Refusal::kShortOfDisk};
  }
  if (forward_reply.outcome != raft::ForwardOutcome::kApplied) return OutcomeUnknown{};
  const auto& proposal = std::get<raft::Proposal>(request.body);
  const bool administers = std::holds_alternative<raft::AdminRequest>(proposal);
  const auto* answer = std::get_if<raft::AdminAnswer>(&forward_reply.result);
  if (administers != (answer != nullptr)) return OutcomeUnknown{};
  if (administers) return AdminDone{*answer};
  const Bytes& encoded = std::get<Bytes>(forward_reply.result);
  if (std::holds_alternative<raft::Query>(proposal)) {
    auto told = kv::decode_lease_answer(encoded);
    return told ? Outcome(LeaseTold{*std::move(told)}) : OutcomeUnknown{};
  }
  auto result = kv::decode_result(encoded);
  return result ? Outcome(WriteApplied{*std::move(result)}) : OutcomeUnknown{};
}

void Replica::release_held_forwards() {
  while (!held_forwards_.empty()) {
    const bool waiting = raft_.is_leader() && waits(held_forwards_.front().proposal);
    if (waiting && now_ < held_forwards_.front().expires) return;
    HeldForward held = std::move(held_forwards_.front());
    held_forwards_.pop_front();
    held_bytes_ -= raft::command_bytes(held.proposal);
    if (!raft_.is_leader()) {
      not_applied(held.origin);
    } else if (waiting) {
      refuse(held.origin, Refusal::kOverloaded);
    } else {
      propose(std::move(held.origin), held.proposal);
    }
  }
}

// This leader is about to be one no more. Said now, in its term, that need not wait until the next
// term is stored, which may take long: it may be for its disk that it goes.
void Replica::refuse_held_forwards() {
  for (const HeldForward& held : std::exchange(held_forwards_, {})) not_applied(held.origin);
  held_bytes_ = 0;
}

// --- What proposers are told --------------------------------------------------------------------

void Replica::applied(const Proposer& proposer, const kv::CommandResult& result) {
  if (!serves()) return unknown(proposer);
  if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
    send_forward_reply(*origin, raft::ForwardOutcome::kApplied, kv::encode_result(result));
  } else if (requests_.contains(std::get<RequestId>(proposer))) {
    reply(std::get<RequestId>(proposer), WriteApplied{result});
  }
}

void Replica::administered(const Proposer& proposer, raft::AdminAnswer answer) {
  if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
    send_forward_reply(*origin, raft::ForwardOutcome::kApplied, std::move(answer));
  } else if (requests_.contains(std::get<RequestId>(proposer))) {
    reply(std::get<RequestId>(proposer), AdminDone{std::move(answer)});
  }
}

// Certainly: another leader may have it.
void Replica::not_applied(const Proposer& proposer) {
  if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
    return send_forward_reply(*origin, raft::ForwardOutcome::kNotApplied, {});
  }
  const auto found = requests_.find(std::get<RequestId>(proposer));
  if (found != requests_.end()) await_leader(found->first, found->second);
}

void Replica::unknown(const Proposer& proposer) {
  if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
    return send_forward_reply(*origin, raft::ForwardOutcome::kUnknown, {});
  }
  const RequestId id = std::get<RequestId>(proposer);
  if (requests_.contains(id)) reply(id, OutcomeUnknown{});
}

// For good: no other leader is waited for.
void Replica::refuse(const Proposer& proposer, Refusal reason) {
  if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
    const bool disk = reason == Refusal::kShortOfDisk;
    return send_forward_reply(
        *origin, disk ? raft::ForwardOutcome::kShortOfDisk : raft::ForwardOutcome::kOverloaded, {});
  }
  reply(std::get<RequestId>(proposer), NotApplied{reason});
}

void Replica::send_forward_reply(const ForwardedFrom& origin, raft::ForwardOutcome outcome,
                                 std::variant<Bytes, raft::AdminAnswer> result) {
  raft_.send(origin.peer, raft::ForwardReply{.requester_boot = origin.boot,
                                             .sequence = origin.sequence,
                                             .outcome = outcome,
                                             .result = std::move(result)});
}

}  // namespace anchor
