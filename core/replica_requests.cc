#include <algorithm>

#include "core/base/assert.h"
#include "core/raft/snapshot.h"
#include "core/replica.h"

// How a replica takes clients' requests, and answers them; the rest of it is in replica.cc.
namespace anchor {

// What may put things right, a change of the members or a delete, and what keeps a lease alive has
// some room that nothing else may take.
bool Replica::has_room_for(const RequestBody& body) const {
  const auto* command = std::get_if<kv::Command>(&body);
  const bool mends = std::holds_alternative<raft::AdminRequest>(body) ||
                     std::holds_alternative<kv::LeaseQuery>(body) ||
                     (command != nullptr && !kv::may_grow(command->body));
  const auto at_most = [&](std::size_t bound) { return mends ? bound + bound / 8 + 1 : bound; };
  if (requests_.size() - lock_requests_ >= at_most(options_.waiting_requests) ||
      waiting_bytes_ >= at_most(options_.waiting_bytes)) {
    return false;
  }
  // Writes that wait for a leader, or for its pace, leave room for what need not.
  const std::size_t half = std::max<std::size_t>(1, options_.waiting_requests / 2);
  return command == nullptr || unsent_writes_.size() < at_most(half);
}

// What is asked for a lock counts for itself.
bool Replica::locks_have_room() const {
  return locks_.size() < options_.waiting_requests;
}

void Replica::take(const ClientRequest& input) {
  ANCHOR_ASSERT(!requests_.contains(input.id));
  if (!serves() && !std::holds_alternative<raft::AdminRequest>(input.body)) {
    return reply(input.id, NotApplied{Refusal::kStateDistrusted});
  }
  if (const auto* acquire = std::get_if<AcquireLock>(&input.body)) {
    if (!locks_have_room()) return reply(input.id, NotApplied{Refusal::kOverloaded});
    return locks_.take(input.id, *acquire, input.deadline, now_);
  }
  if (const auto* release = std::get_if<ReleaseLock>(&input.body)) {
    if (!locks_have_room()) return reply(input.id, NotApplied{Refusal::kOverloaded});
    return locks_.take(input.id, *release, input.deadline);
  }
  // What is asked for locks is bounded by these.
  const bool for_lock = Locks::asked(input.id);
  if (!for_lock && !has_room_for(input.body))
    return reply(input.id, NotApplied{Refusal::kOverloaded});
  const bool writes = std::holds_alternative<kv::Command>(input.body);
  const bool slowed = writes && raft::writes_wait(raft_.state(), raft_.role());
  const bool leader_answers = leader_ && !leader_unreachable() && !slowed;
  const Instant patience = leader_answers ? input.deadline : now_ + options_.leader_wait;
  Request request{.deadline = input.deadline, .expires = std::min(input.deadline, patience)};
  if (const auto* read = std::get_if<Read>(&input.body)) {
    request.body = *read;
    switch (read->consistency) {
      case Consistency::kLinearizable:
        reads_.add(input.id);
        break;
      case Consistency::kLease:
        leased_reads_.add(input.id);
        break;
      case Consistency::kStale:
        stale_reads_.push_back(input.id);
        break;
    }
  } else {
    raft::Proposal proposal;
    if (const auto* admin = std::get_if<raft::AdminRequest>(&input.body)) {
      proposal = *admin;
    } else if (const auto* query = std::get_if<kv::LeaseQuery>(&input.body)) {
      proposal = raft::Query{kv::encode_lease_query(*query)};
    } else {
      Bytes encoded = kv::encode_command(std::get<kv::Command>(input.body));
      waiting_bytes_ += encoded.size();
      proposal = raft::Command{std::move(encoded)};
    }
    request.body = std::move(proposal);
    (writes ? unsent_writes_ : unsent_others_).push_back(input.id);
  }
  lock_requests_ += for_lock ? 1 : 0;
  expiries_.emplace(request.expires, input.id);
  requests_.emplace_hint(requests_.end(), input.id, std::move(request));
}

// --- Answers ------------------------------------------------------------------------------------

void Replica::expire_requests() {
  while (!expiries_.empty() && expiries_.begin()->first <= now_) {
    const RequestId id = expiries_.begin()->second;
    const Request& request = requests_.at(id);
    const auto* proposal = std::get_if<raft::Proposal>(&request.body);
    const bool slowed = proposal != nullptr && !raft_.transferring() && waits(*proposal);
    const NotApplied refused{slowed ? Refusal::kOverloaded : Refusal::kNoLeader};
    reply(id, request.handed_over ? Outcome{OutcomeUnknown{}} : Outcome{refused});
  }
}

// What was answered by its deadline is still listed where it waited. Once that is half of a list,
// it is cleared out: so the lists are bounded by the requests, at a constant cost for each.
void Replica::forget_answered() {
  constexpr std::size_t kFew = 64;
  const std::size_t most = 2 * requests_.size() + kFew;
  const auto answered = [&](RequestId id) { return !requests_.contains(id); };
  for (std::deque<RequestId>* unsent : {&unsent_writes_, &unsent_others_}) {
    if (unsent->size() > most) std::erase_if(*unsent, answered);
  }
  if (forwarded_.size() > most) {
    std::erase_if(forwarded_, [&](const auto& sent) { return answered(sent.second.id); });
  }
  for (PendingReads* reads : {&reads_, &leased_reads_}) {
    if (reads->size() > most) reads->forget(answered);
  }
  ANCHOR_ASSERT(std::max({unsent_writes_.size(), unsent_others_.size(), forwarded_.size(),
                          reads_.size(), leased_reads_.size()}) <= most);
}

void Replica::set_expiry(RequestId id, Request& request, Instant expires) {
  if (request.expires == expires) return;
  expiries_.erase({request.expires, id});
  request.expires = expires;
  expiries_.emplace(expires, id);
}

void Replica::take_lock_requests() {
  for (const ClientRequest& request : locks_.take_requests()) take(request);
}

void Replica::reply(RequestId id, Outcome outcome) {
  const auto found = requests_.find(id);
  if (found != requests_.end()) {
    expiries_.erase({found->second.expires, id});
    waiting_bytes_ -= found->second.command_bytes();
    requests_.erase(found);
    lock_requests_ -= Locks::asked(id) ? 1 : 0;
  }
  if (Locks::asked(id)) return locks_.answered(id, outcome, now_);
  replies_.push_back({id, std::move(outcome)});
}

}  // namespace anchor
