#include "core/raft/raft.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/raft/election.h"
#include "core/raft/membership.h"
#include "core/raft/quorum.h"
#include "core/raft/replication.h"
#include "core/raft/transfer.h"

namespace anchor::raft {
namespace {

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace

// --- Inputs --------------------------------------------------------------------------------------

Raft::Raft(Options options, std::uint64_t seed, Recovered recovered)
    : state_(options, seed, std::move(recovered)) {}

void Raft::begin_step(Instant now) {
  ANCHOR_ASSERT(now >= state_.now);
  state_.now = now;
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->election_deadline) return;
  // A sole voter need not wait for a leader that cannot exist.
  const auto self = [&](const ServerId& id) { return id == state_.self.id; };
  const bool alone = is_quorum(state_.configuration(), self);
  renew_promise(state_);
  follower->heard = follower->reached = now;
  follower->election_deadline =
      state_.election_deadline(alone ? Duration() : state_.random_election_timeout());
}

bool Raft::heeds(const Message& message) const {
  if (message.to != state_.self || message.from.id == state_.self.id) return false;
  if (!well_formed(message, state_.term())) return false;
  const Member* sender = state_.configuration().find(message.from.id);
  return sender == nullptr || message.from.incarnation >= sender->incarnation;
}

// A server that was removed and does not know it is told so, and not listened to. But whoever hands
// over its leadership on leaving is followed to the end.
bool Raft::answer_outsider(const Message& message) {
  const std::optional<Index> left_out = state_.left_out_at(message.from);
  if (!left_out) return false;
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower != nullptr && follower->leader == message.from) return false;
  state_.send(message.from, NotMember{*left_out});
  return true;
}

void Raft::receive(const Message& message) {
  if (message.to != state_.self || message.from.id == state_.self.id) return;
  if (const auto* notice = std::get_if<NotMember>(&message.body)) {
    const bool later = notice->configuration_index.value() > state_.self.incarnation.value();
    const bool known = state_.configuration().find(message.from.id) != nullptr;
    if (later && known && heeds(message)) be_removed(notice->configuration_index);
    return;
  }
  if (answer_outsider(message) || !heeds(message)) return;
  // To a member there is nothing to say. Nor does it mean that this server's messages reach it.
  if (std::holds_alternative<MembershipQuery>(message.body)) return;
  // Before the term rule: a candidate must not depose a leader that is alive (dissertation 4.2.3),
  // and a pre-vote changes nobody's state (9.6).
  if (const auto* request = std::get_if<RequestVote>(&message.body)) {
    return on_request_vote(message, *request);
  }
  if (message.term > state_.term()) {
    become_follower(message.term, std::nullopt,
                    "heard of term " + std::to_string(message.term.value()) + " from " +
                        message.from.id.name());
  }
  if (const auto* reply = std::get_if<VoteReply>(&message.body)) {
    return on_vote_reply(message, *reply);
  }
  if (message.term < state_.term()) return on_stale(message);
  if (const auto* request = std::get_if<AppendEntries>(&message.body)) {
    Follower* follower = follower_of(message);
    if (follower != nullptr) handle_append_entries(state_, *follower, *request);
    return;
  }
  if (const auto* request = std::get_if<InstallSnapshot>(&message.body)) {
    const Follower* follower = follower_of(message);
    if (follower != nullptr) handle_install_snapshot(state_, *follower, *request);
    return;
  }
  if (const auto* reply = std::get_if<ReadIndexReply>(&message.body)) {
    return on_read_index_reply(message, *reply);
  }
  if (std::holds_alternative<TimeoutNow>(message.body)) return on_timeout_now(message);
  if (auto* leader = std::get_if<Leader>(&role_)) on_follower_message(message, *leader);
}

void Raft::on_request_vote(const Message& message, const RequestVote& request) {
  const auto answer = [&](bool granted) {
    state_.send(message.from, VoteReply{.campaign_term = request.campaign_term,
                                        .pre_vote = request.pre_vote,
                                        .granted = granted});
  };
  if (!request.transfer && leader_alive(state_, role_, message.from)) {
    // A pre-vote is answered, so that a sender whose term is behind learns ours.
    if (request.pre_vote) answer(false);
    return;
  }
  if (request.pre_vote) return answer(would_grant(state_, message.from, request));

  if (message.term > state_.term()) {
    become_follower(message.term, std::nullopt, message.from.id.name() + " campaigns");
  }
  const bool granted = would_grant(state_, message.from, request);
  if (granted) {
    state_.vote_for(message.from);
    if (!std::holds_alternative<Follower>(role_)) {
      become_follower(state_.term(), std::nullopt, "votes for " + message.from.id.name());
    }
    std::get<Follower>(role_).election_deadline = state_.random_election_deadline();
  }
  answer(granted);
}

void Raft::on_vote_reply(const Message& message, const VoteReply& reply) {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr || candidate->pre_vote != reply.pre_vote) return;
  const Term campaign = candidate->pre_vote ? state_.term().next() : state_.term();
  // A pre-vote is granted in the voter's own term, which may be lower than ours.
  if (reply.campaign_term != campaign) return;
  if (!reply.pre_vote && message.term != state_.term()) return;
  const Member* voter = state_.configuration().find(message.from.id);
  if (voter == nullptr || voter->peer() != message.from) return;
  // Nobody is asked before this server's own vote is durable.
  if (!reply.granted || !candidate->election_deadline) return;
  candidate->granted.insert(message.from.id);
  count_votes();
}

// Null: the message is not from the leader that is followed. There is one leader a term.
Follower* Raft::follower_of(const Message& message) {
  if (std::holds_alternative<Leader>(role_)) return nullptr;
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !follower->leader) {
    become_follower(state_.term(), message.from, "");
    follower = std::get_if<Follower>(&role_);
    follower->leader_boot = message.from_boot;
  }
  if (follower->leader != message.from || follower->leader_boot != message.from_boot) {
    return nullptr;
  }
  follower->heard = state_.now;
  promise_to(state_, message.from);
  follower->election_deadline = state_.election_deadline(follower->patience);
  return follower;
}

void Raft::on_read_index_reply(const Message& message, const ReadIndexReply& reply) {
  if (reply.requester_boot != state_.boot) return;
  state_.confirmed_reads.push_back({reply.context, reply.read_index, reply.by_lease});
  // The reads wait for this index; what of it the log has need not wait for another message.
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower != nullptr && follower->leader == message.from) {
    learn_commit_index(state_, *follower, reply.read_index);
  }
}

void Raft::on_timeout_now(const Message& message) {
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != message.from || !state_.is_voter()) return;
  start_election(true, message.from.id.name() + " hands over");
}

// Nobody hears of it from a leader: those replicate to members only.
void Raft::be_removed(Index configuration_index) {
  if (is_leader() || std::exchange(state_.removed, true)) return;
  state_.output.events.push_back(Removed{state_.term(), configuration_index});
  become_follower(state_.term(), std::nullopt, "");
}

void Raft::on_stale(const Message& message) {
  // A leader of the past learns from the answer's term that it is none; others need no answer. The
  // hint holds good all the same: it may lead again when it hears of it.
  const auto* request = std::get_if<AppendEntries>(&message.body);
  if (request == nullptr) return;
  state_.send(message.from, AppendRejected{.previous_index = request->previous.index,
                                           .hint = state_.log.possible_agreement(request->previous),
                                           .round = {}});
}

void Raft::on_follower_message(const Message& message, Leader& leader) {
  Progress* found = leader.follower(message.from.id);
  if (found == nullptr || message.from != found->peer || message.from_boot < found->boot) return;
  Progress& progress = *found;
  if (const auto* request = std::get_if<ReadIndexRequest>(&message.body)) {
    return add_read_request(leader.reads, {ReadRequester{message.from, message.from_boot},
                                           request->context, request->lease});
  }
  if (message.from_boot > progress.boot) progress.restarted(message.from_boot);
  progress.last_heard = state_.now;
  const auto heard_round = [&](const auto& reply) {
    hear_round(state_, leader, progress, reply.round, reply.promise, reply.sent);
  };
  if (const auto* accepted = std::get_if<AppendAccepted>(&message.body)) {
    heard_round(*accepted);
    if (accepted->match_index <= state_.log.last().index) {
      handle_append_accepted(state_, progress, *accepted);
    }
  } else if (const auto* rejected = std::get_if<AppendRejected>(&message.body)) {
    heard_round(*rejected);
    handle_append_rejected(state_, progress, *rejected);
  } else if (const auto* received = std::get_if<SnapshotAccepted>(&message.body)) {
    handle_snapshot_accepted(state_, progress, *received);
  }
}

void Raft::persisted(WriteId id) {
  ANCHOR_ASSERT(id < state_.next_write);
  state_.durable_write = std::max(state_.durable_write, id);
  while (!state_.writes_under_way.empty() && state_.writes_under_way.front().first <= id) {
    state_.writes_under_way.pop_front();
  }
  state_.log.persisted(id);
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr || candidate->pre_vote || candidate->election_deadline) return;
  if (!state_.hard_state_durable()) return;
  // Its own vote counts, and its timer starts, when the vote is durable and the requests leave.
  candidate->granted.insert(state_.self.id);
  candidate->election_deadline = state_.random_election_deadline();
  count_votes();
}

void Raft::peer_unreachable(const ServerId& peer) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  if (Progress* progress = leader->follower(peer)) progress->connection_lost();
}

std::expected<LogPosition, ProposalRefused> Raft::propose(Bytes command) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return std::unexpected(ProposalRefused::kNotLeader);
  if (leader->transfer) return std::unexpected(ProposalRefused::kTransferring);
  if (leader->uncommitted_bytes + command.size() > state_.options.uncommitted_bytes ||
      !admit_write(state_, *leader, command.size())) {
    return std::unexpected(ProposalRefused::kOverloaded);
  }
  return append_as_leader(state_, *leader, Command{std::move(command)});
}

std::expected<std::optional<LogPosition>, AdminRefused> Raft::change_members(
    const AdminRequest& request) {
  return raft::change_members(state_, std::get<Leader>(role_), request);
}

std::expected<ServerId, AdminRefused> Raft::transfer_leadership(
    const std::optional<ServerId>& target, const std::string& reason) {
  return begin_transfer(state_, std::get<Leader>(role_), target, reason);
}

void Raft::request_read_index(std::uint64_t context, bool lease) {
  const std::optional<KnownLeader> known = leader();
  ANCHOR_ASSERT(known.has_value());
  if (auto* self = std::get_if<Leader>(&role_)) {
    add_read_request(self->reads, {std::nullopt, context, lease});
  } else {
    state_.send(known->peer, ReadIndexRequest{context, lease});
  }
}

// --- Roles ---------------------------------------------------------------------------------------

void Raft::become_follower(Term term, std::optional<Peer> leader, const std::string& reason) {
  if (std::holds_alternative<Leader>(role_)) {
    state_.output.events.push_back(LostLeadership{state_.term(), reason});
    state_.compaction_due = true;  // the log is kept for nobody any more
  }
  if (term > state_.term()) state_.enter_term(term);
  if (leader) state_.output.events.push_back(FollowsLeader{term, leader->id});
  const Duration patience = state_.random_election_timeout();
  role_ = Follower{.leader = std::move(leader),
                   .heard = state_.now,
                   .reached = state_.now,
                   .election_deadline = state_.election_deadline(patience),
                   .patience = patience,
                   .verified = state_.commit_index};
}

void Raft::start_pre_vote(const std::string& reason) {
  state_.output.events.push_back(CampaignStarted{state_.term().next(), true, reason});
  role_ = Candidate{.pre_vote = true,
                    .granted = {state_.self.id},
                    .election_deadline = state_.random_election_deadline()};
  request_votes(state_, std::get<Candidate>(role_));
  count_votes();
}

void Raft::start_election(bool transfer, const std::string& reason) {
  state_.enter_term(state_.term().next());
  state_.vote_for(state_.self);
  state_.output.events.push_back(CampaignStarted{state_.term(), false, reason});
  role_ = Candidate{.pre_vote = false, .transfer = transfer, .election_deadline = std::nullopt};
  request_votes(state_, std::get<Candidate>(role_));
}

void Raft::count_votes() {
  const auto& candidate = std::get<Candidate>(role_);
  if (!elected(state_.configuration(), candidate)) return;
  if (candidate.pre_vote) {
    start_election(false, "a quorum would vote for it");
  } else {
    become_leader(std::vector<ServerId>(candidate.granted.begin(), candidate.granted.end()));
  }
}

void Raft::become_leader(std::vector<ServerId> votes) {
  state_.output.events.push_back(BecameLeader{state_.term(), std::move(votes)});
  Leader leader{.heartbeat_due = state_.now};
  follow_configuration(state_, leader);
  notice_room_on_disks(state_, leader);
  for (Index index = state_.commit_index.next(); index <= state_.log.last().index; ++index) {
    leader.uncommitted_bytes += entry_bytes(state_.log.at(index));
  }
  leader.first_index = append_as_leader(state_, leader, NoOp{}).index;
  role_ = std::move(leader);
}

std::optional<Freshness> Raft::freshness() const {
  if (const auto* leader = std::get_if<Leader>(&role_)) return raft::freshness(state_, *leader);
  const auto* follower = std::get_if<Follower>(&role_);
  return follower == nullptr ? std::nullopt : follower->fresh;
}

std::optional<KnownLeader> Raft::leader() const {
  if (is_leader()) return KnownLeader{state_.self, state_.boot};
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !follower->leader) return std::nullopt;
  return KnownLeader{*follower->leader, follower->leader_boot};
}

// --- Time and output -----------------------------------------------------------------------------

void Raft::expire_deadlines() {
  if (auto* follower = std::get_if<Follower>(&role_)) {
    if (state_.now < *follower->election_deadline) return;
    const std::string silence = "no leader heard for " + milliseconds(state_.now - follower->heard);
    if (follower->leader) state_.output.events.push_back(LeaderLost{state_.term(), silence});
    follower->leader.reset();
    follower->election_deadline = state_.random_election_deadline();
    if (state_.removed || disk_delays_campaign(state_, *follower)) return;
    if (state_.may_campaign()) return start_pre_vote(silence);
    for (const Member& member : state_.configuration().members) {
      if (member.id != state_.self.id) state_.send(member.peer(), MembershipQuery{});
    }
  } else if (auto* candidate = std::get_if<Candidate>(&role_)) {
    if (!candidate->election_deadline || state_.now < *candidate->election_deadline) return;
    start_pre_vote(candidate->pre_vote ? "too few answers to its pre-vote" : "too few votes");
  } else {
    expire_leader(std::get<Leader>(role_));
  }
}

void Raft::expire_leader(Leader& leader) {
  const Duration silence = state_.now - quorum_heard(state_, leader);
  if (silence >= state_.options.election_timeout) {
    return become_follower(state_.term(), std::nullopt,
                           "no quorum heard for " + milliseconds(silence));
  }
  if (state_.now < leader.heartbeat_due) return;
  leader.heartbeat_due = state_.now + state_.options.heartbeat_interval;
  const Round before = leader.round;
  ask_for_reads(state_, leader, true);
  if (leader.round == before) begin_round(state_, leader);
}

void Raft::advance() {
  if (auto* leader = std::get_if<Leader>(&role_)) advance_leader(*leader);
  expire_deadlines();
  if (auto* leader = std::get_if<Leader>(&role_)) {
    answer_confirmed_reads(state_, *leader);
    answer_by_lease(state_, *leader);
    ask_for_reads(state_, *leader, false);
    answer_confirmed_reads(state_, *leader);  // a sole voter confirms its own
  }
  if (const auto left_out = state_.left_out_at(state_.self)) be_removed(*left_out);
}

void Raft::advance_leader(Leader& leader) {
  advance_commit_index(state_, leader);
  notice_room_on_disks(state_, leader);
  advance_membership(state_, leader);
  // Its own removal is committed: it hands over and goes (dissertation 4.2.2).
  const bool leaves = configuration_committed(state_) && !state_.is_member();
  if (leaves && !leader.transfer) {
    if (!begin_transfer(state_, leader, std::nullopt, "it is no member any more")) {
      return become_follower(state_.term(), std::nullopt, "it is no member any more");
    }
  } else {
    hand_over_if_unfit(state_, leader);
  }
  advance_transfer(state_, leader);
  if (leaves && (!leader.transfer || leader.transfer->asked)) {
    become_follower(state_.term(), std::nullopt, "it is no member any more");
  }
}

Output Raft::finish_step() {
  if (auto* leader = std::get_if<Leader>(&role_)) replicate(state_, *leader);
  compact(state_, role_);
  PersistBatch batch{.id = state_.next_write};
  bool anything = state_.log.take_unwritten(batch);
  if (std::exchange(state_.hard_state_changed, false)) {
    batch.hard_state = state_.hard_state;
    anything = true;
  }
  if (anything) {
    state_.writes_under_way.emplace_back(state_.next_write, state_.now);
    ++state_.next_write;
    state_.output.persist = std::move(batch);
  }
  return std::exchange(state_.output, {});
}

std::optional<Instant> Raft::deadline() const {
  if (const auto* follower = std::get_if<Follower>(&role_)) return follower->election_deadline;
  if (const auto* candidate = std::get_if<Candidate>(&role_)) return candidate->election_deadline;
  const auto& leader = std::get<Leader>(role_);
  Instant due = std::min(leader.heartbeat_due,
                         quorum_heard(state_, leader) + state_.options.election_timeout);
  if (leader.commit_notice_due) due = std::min(due, *leader.commit_notice_due);
  if (leader.transfer) due = std::min(due, leader.transfer->deadline);
  if (const auto chunk = snapshot_deadline(state_, leader)) due = std::min(due, *chunk);
  return due;
}

}  // namespace anchor::raft
