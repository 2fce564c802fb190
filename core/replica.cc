#include "core/replica.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/raft/invariants.h"
#include "core/raft/snapshot.h"
#include "core/raft/transfer.h"

namespace anchor {
namespace {

// What a result holds counts like what is applied, and so do the keys that are deleted with a range
// or a lease: a small command may read or delete much.
std::uint64_t cost_of(const kv::CommandResult& result) {
  if (const auto* range = std::get_if<kv::RangeDeleted>(&result)) {
    return range->deleted * kv::kItemBytes;
  }
  if (const auto* revoked = std::get_if<kv::LeaseRevoked>(&result)) {
    return revoked->deleted * kv::kItemBytes;
  }
  if (const auto* expired = std::get_if<kv::LeasesExpired>(&result)) {
    return (expired->count + expired->deleted) * kv::kItemBytes;
  }
  return kv::result_bytes(result);
}

}  // namespace

Replica::Replica(Options options, raft::Recovered recovered, kv::Store store)
    : options_(options),
      raft_(options.raft, options.seed, std::move(recovered)),
      store_(std::move(store)),
      applied_index_(raft_.commit_index()),
      newest_snapshot_bytes_(store_.snapshot_bytes()),
      session_expiry_(options.raft.max_clock_drift_ppm),
      lease_expiry_(options.raft.max_clock_drift_ppm),
      locks_(options.seed),
      digest_agreement_(options.digest_interval, 10 * options.raft.election_timeout) {}

Output Replica::step(Instant now, std::span<const Input> inputs) {
  std::optional<raft::StepInvariants> invariants;
  if (options_.check_invariants) invariants.emplace(raft_);

  now_ = now;
  raft_.begin_step(now);
  for (const Input& input : inputs) {
    std::visit([&](const auto& kind) { take(kind); }, input);
  }
  advance();
  // What that answered made room for the next question, which is not to wait for another step.
  if (reads_.ready_to_ask() || leased_reads_.ready_to_ask() || lease_reads_.ready_to_ask() ||
      locks_.has_requests()) {
    advance();
  }
  settle(administration_.step_ended(raft_));
  expire_requests();
  forget_answered();
  std::ranges::move(locks_.take_replies(), std::back_inserter(replies_));

  Output output{raft_.finish_step(), std::exchange(replies_, {}), snapshot_to_save()};
  std::ranges::move(std::exchange(events_, {}), std::back_inserter(output.events));
  if (invariants) {
    check_invariants(raft_);
    check_bounds();
    invariants->check(raft_, output);
  }
  return output;
}

void Replica::check_bounds() const {
  std::size_t bytes = 0;
  for (const auto& [id, request] : requests_) bytes += request.command_bytes();
  ANCHOR_ASSERT(bytes == waiting_bytes_);
  bytes = 0;
  for (const HeldForward& held : held_forwards_) bytes += raft::command_bytes(held.proposal);
  ANCHOR_ASSERT(bytes == held_bytes_);
  ANCHOR_ASSERT(expiries_.size() == requests_.size());
}

void Replica::advance() {
  take_lock_requests();
  notice_leader_change();
  if (forwards_first_) release_held_forwards();
  hand_over_requests();
  release_held_forwards();
  expire_sessions();
  expire_leases();
  agree_on_digests();
  ask_for_read_index(leased_reads_, true);
  ask_for_read_index(reads_, false);
  confirm_lead_for_leases();
  raft_.advance();
  apply_committed();
  serve_reads();
  locks_.advance(store_, now_);
  notice_leader_change();
  // Of what the log has cut: it is the next leader's.
  release_held_forwards();
  hand_over_requests();
}

std::optional<Instant> Replica::deadline() const {
  std::optional<Instant> due = raft_.deadline();
  const auto earlier = [&](Instant instant) { due = std::min(due.value_or(instant), instant); };
  if (!expiries_.empty()) earlier(expiries_.begin()->first);
  if (const auto session = session_due()) earlier(*session);
  if (const auto lease = lease_due()) earlier(*lease);
  if (const auto lock = locks_.due()) earlier(*lock);
  if (locks_.has_requests()) earlier(now_);
  if (const auto digest = digest_due()) earlier(*digest);
  if (const auto retry = read_retry_due()) earlier(*retry);
  if (!held_forwards_.empty()) earlier(held_forwards_.front().expires);
  if (!held_forwards_.empty() || !unsent_writes_.empty()) {
    if (const auto wait = raft::writes_wait(raft_.state(), raft_.role())) earlier(*wait);
  }
  if (applied_index_ < raft_.commit_index() && !raft_.state().needs_snapshot()) earlier(now_);
  return due;
}

// --- Inputs -------------------------------------------------------------------------------------

void Replica::take(const PeerMessage& input) {
  const raft::Message& message = input.message;
  if (const auto* request = std::get_if<raft::ForwardRequest>(&message.body)) {
    if (raft_.heeds(message)) take_forward(message, *request);
  } else if (const auto* forward_reply = std::get_if<raft::ForwardReply>(&message.body)) {
    if (raft_.heeds(message)) take_forward_reply(message, *forward_reply);
  } else if (const auto* report = std::get_if<raft::DigestReport>(&message.body)) {
    if (raft_.heeds(message)) take_report(message, *report);
  } else {
    if (!held_forwards_.empty() && raft_.heeds(message) &&
        raft::takes_leadership(raft_.state(), raft_.role(), message)) {
      refuse_held_forwards();
    }
    raft_.receive(message);
  }
}

void Replica::take(const Persisted& input) {
  raft_.persisted(input.id);
}

void Replica::take(const PeerUnreachable& input) {
  raft_.peer_unreachable(input.peer);
  if (!leader_ || leader_->peer.id != input.peer) return;
  lost_leader_ = LostLeader{*leader_, now_};
}

// --- Writes -------------------------------------------------------------------------------------

// What was forwarded to a leader that is one no more, or that cannot be reached: it may still
// answer, but is not waited for as long as a living one.
void Replica::expect_no_answers(Duration patience) {
  for (const auto& [sequence, sent] : forwarded_) {
    const auto found = requests_.find(sent.id);
    if (found == requests_.end()) continue;
    set_expiry(sent.id, found->second, std::min(found->second.expires, now_ + patience));
  }
}

void Replica::notice_leader_heard() {
  const auto* follower = std::get_if<raft::Follower>(&raft_.role());
  const bool heard = follower != nullptr && lost_leader_ && follower->heard > lost_leader_->at;
  if (heard && raft_.leader() == lost_leader_->leader) lost_leader_.reset();
}

void Replica::notice_leader_change() {
  notice_leader_heard();
  const bool unreachable = leader_unreachable();
  if (!std::exchange(leader_was_unreachable_, unreachable) && unreachable) {
    expect_no_answers(options_.leader_wait);
  }
  const std::optional<raft::KnownLeader> known = raft_.leader();
  if (known == leader_ && raft_.term() == leader_term_) return;
  // A deposed leader that can be reached may still answer.
  const bool dead = lost_leader_ && known && known != lost_leader_->leader;
  expect_no_answers(dead ? options_.raft.heartbeat_interval : options_.leader_wait);
  if (dead) lost_leader_.reset();
  leader_ = known;
  leader_term_ = raft_.term();
  // From the first, it can be sure of what it has not taken.
  if (!raft_.is_leader()) {
    digest_agreement_.end();
    session_expiry_.end();
    lease_expiry_.end();
    return forget_lease_queries();
  }
  taken_forwards_.begin(raft_.term());
  session_expiry_.begin(store_.sessions(), now_);
  lease_expiry_.begin(store_.leases(), now_);
  digest_agreement_.begin(now_);
  propose_first_settings();
}

// Whoever led in a term does not lead in it again: until another is known, writes wait. They also
// wait while this leader hands over: they are the next one's, or go on if it leads on. And they
// wait while it may be dead: what was sent to it then would be lost, and nobody could tell. And
// while this server's own disk keeps back what it sends: until it leaves it can be taken back.
bool Replica::leader_takes_requests() const {
  return leader_ && leader_term_ > deposed_term_ && !raft_.transferring() &&
         !leader_unreachable() && (raft_.is_leader() || raft_.state().hard_state_durable());
}

bool Replica::leader_unreachable() const {
  if (lost_leader_ && leader_ == lost_leader_->leader) return true;
  // It is heard, and does not hear. Before it has committed anything in its term it cannot tell.
  const auto* follower = std::get_if<raft::Follower>(&raft_.role());
  return follower != nullptr && follower->leader &&
         raft_.log().term_at(raft_.commit_index()) == raft_.term() &&
         now_ - follower->reached > 2 * options_.raft.election_timeout;
}

// What need not wait for the leader's pace first: it may be an administrator's, and make room.
void Replica::hand_over_requests() {
  const auto hand_over_first = [&](std::deque<RequestId>& unsent) {
    const auto found = requests_.find(unsent.front());
    unsent.pop_front();
    if (found != requests_.end()) hand_over(found->first, found->second, *leader_);
  };
  while (!unsent_others_.empty() && leader_takes_requests()) hand_over_first(unsent_others_);
  while (!unsent_writes_.empty() && leader_takes_requests() &&
         !raft::writes_wait(raft_.state(), raft_.role())) {
    hand_over_first(unsent_writes_);
  }
}

void Replica::hand_over(RequestId id, Request& request, const raft::KnownLeader& leader) {
  const raft::Proposal& proposal = std::get<raft::Proposal>(request.body);
  request.handed_over = true;
  set_expiry(id, request, request.deadline);
  if (raft_.is_leader()) return propose(id, proposal);
  const std::uint64_t sequence = ++last_sequence_;
  forwarded_.emplace_hint(forwarded_.end(), sequence, Forwarded{id, leader, raft_.term()});
  raft_.send(leader.peer, raft::ForwardRequest{.sequence = sequence,
                                               .leader_boot = leader.boot,
                                               .leader_term = raft_.term(),
                                               .proposal = proposal});
}

// Requires: this server leads, and does not hand over.
void Replica::propose(Proposer proposer, const raft::Proposal& proposal) {
  if (const auto* request = std::get_if<raft::AdminRequest>(&proposal)) {
    if (auto done = administration_.begin(raft_, proposer, *request)) {
      administered(proposer, std::move(*done));
    }
    return;
  }
  if (!serves()) return refuse(proposer, Refusal::kOverloaded);
  if (const auto* query = std::get_if<raft::Query>(&proposal)) {
    return ask_of_lease(std::move(proposer), *query);
  }
  const Bytes& payload = std::get<raft::Command>(proposal).payload;
  if (std::holds_alternative<ForwardedFrom>(proposer) && kv::only_leaders_propose(payload)) {
    return applied(proposer, kv::InvalidCommand{});
  }
  if (raft_.quorum_short_of_disk() && asks_for_room(payload)) {
    return refuse(proposer, Refusal::kShortOfDisk);
  }
  // Where each write lets the next wait, clients here and elsewhere take turns.
  forwards_first_ = std::holds_alternative<RequestId>(proposer);
  const auto position = raft_.propose(payload);
  if (!position) return refuse(proposer, Refusal::kOverloaded);
  proposals_.emplace_hint(proposals_.end(), std::pair{position->index, position->term},
                          std::move(proposer));
}

// Certainly not applied: the next leader may have it.
void Replica::await_leader(RequestId id, Request& request) {
  request.handed_over = false;
  set_expiry(id, request, std::min(request.deadline, now_ + options_.leader_wait));
  const bool writes = std::holds_alternative<raft::Command>(std::get<raft::Proposal>(request.body));
  (writes ? unsent_writes_ : unsent_others_).push_back(id);
}

void Replica::apply_committed() {
  std::uint64_t bytes = 0;
  while (applied_index_ < raft_.commit_index() && bytes < options_.apply_bytes &&
         !raft_.state().needs_snapshot()) {
    ++applied_index_;
    const raft::Entry& entry = raft_.log().at(applied_index_);
    bytes += raft::entry_bytes(entry);
    bytes_since_snapshot_ += raft::entry_bytes(entry);
    const auto* command = std::get_if<raft::Command>(&entry.payload);
    if (command == nullptr) {
      settle(entry, nullptr);
    } else {
      const kv::CommandResult result = apply(command->payload, entry.term);
      bytes += cost_of(result);
      settle(entry, &result);
    }
    settle(administration_.applied(entry));
  }
  report_digest();
}

// The entry is what was committed at its index: a proposal of another term for the same index never
// will be. `result` is null where the entry is no command.
void Replica::settle(const raft::Entry& entry, const kv::CommandResult* result) {
  while (!proposals_.empty() && proposals_.begin()->first.first <= entry.index) {
    const auto proposal = proposals_.extract(proposals_.begin());
    if (proposal.key() == std::pair{entry.index, entry.term} && result != nullptr) {
      applied(proposal.mapped(), *result);
    } else {
      not_applied(proposal.mapped());
    }
  }
}

void Replica::settle(std::vector<Administration::Settled> settled) {
  for (auto& [proposer, answer] : settled) {
    if (answer) {
      administered(proposer, std::move(*answer));
    } else {
      not_applied(proposer);
    }
  }
}

}  // namespace anchor
