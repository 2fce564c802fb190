#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/command.h"
#include "core/kv/lease_query.h"
#include "core/raft/raft.h"
#include "fuzz/decisions.h"

namespace anchor::fuzz {

inline constexpr raft::ClusterId kClusterId{7};

inline raft::Peer peer_of(std::uint64_t number) {
  return {raft::ServerId("n" + std::to_string(number)), raft::Incarnation(0)};
}

// What n1 may be asked, by its administrator or through a peer.
inline raft::AdminRequest any_admin_request(Decisions& decisions) {
  const raft::ServerId id = peer_of(1 + decisions.below(4)).id;
  switch (decisions.below(5)) {
    case 0:
      return raft::AddServer{.id = id,
                             .address = std::string(1, static_cast<char>('a' + decisions.below(2))),
                             .http_address = {},
                             .join_token = decisions.below(3),
                             .learner = decisions.coin()};
    case 1:
      return raft::MoveServer{.member = {id, {}}, .address = "b", .http_address = "b"};
    case 2:
      return raft::RemoveServer{id, decisions.coin()};
    case 3:
      return raft::PromoteServer{id};
    default:
      if (decisions.coin()) return raft::TransferLeadership{};
      return raft::TransferLeadership{id};
  }
}

// Of n1 to n4, in any of their lives, with or without n1.
inline raft::SharedConfiguration any_configuration(Decisions& decisions) {
  raft::Configuration configuration;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    const std::uint64_t role = decisions.below(6);
    if (role == 0) continue;
    const raft::ServerId id = peer_of(number).id;
    const auto incarnation = raft::Incarnation(decisions.below(8) / 6);
    configuration.members.push_back({id, incarnation, "", ""});
    if (role == 1) {
      configuration.learners.push_back(id);
      configuration.members.back().awaits_promotion = decisions.coin();
      continue;
    }
    if (role != 2) configuration.voters.push_back(id);
    if (role == 2 || role == 3) configuration.outgoing_voters.push_back(id);
  }
  if (configuration.voters.empty()) {
    configuration = raft::founding_configuration({{peer_of(2).id, {}, "", ""}});
  }
  return std::make_shared<const raft::Configuration>(std::move(configuration));
}

// The two peers of n1. They say whatever servers could that keep to Raft's rules, in any order and
// as often as the decisions want: a term has one leader, whose log holds what was committed before.
// (Who breaks these rules is in replica_hostile_fuzz.cc.)
class Peers {
 public:
  Peers(const raft::Raft& replica, Decisions& decisions)
      : replica_(replica), decisions_(decisions) {}

  // n1 was elected, perhaps without them: a peer that is no member any more was not heard.
  void lost_election(raft::Term term) {
    not_theirs_.insert(term);
    reigns_.erase(term);
  }

  // None: what was decided is not possible now.
  std::optional<raft::Message> speak();

 private:
  struct Reign {
    std::uint64_t leader;
    std::vector<raft::Entry> log;
  };

  raft::Term any_term() {
    const raft::Term term = replica_.term();
    return decisions_.below(8) == 0 ? term.previous() : term + decisions_.below(8) / 5;
  }
  raft::Index any_index() {
    const std::uint64_t last = replica_.log().last().index.value() + 2;
    const std::uint64_t back = decisions_.below(16);
    return raft::Index(back > last ? 0 : last - back);
  }
  raft::Round any_round() { return raft::Round(decisions_.below(64)); }

  raft::Message message(std::uint64_t from, raft::Term term, raft::MessageBody body) {
    return {.from = peer_of(from),
            .from_boot = raft::Boot(decisions_.below(16) == 0 ? 2 : 1),
            .to = peer_of(1),
            .term = term,
            .body = std::move(body)};
  }

  bool holds_committed(const std::vector<raft::Entry>& log) const;
  std::vector<raft::Entry> inherited_log(raft::Term term);
  void extend(std::vector<raft::Entry>& log, raft::Term term);
  Reign* reign_of(raft::Term term);

  std::optional<raft::Message> append_entries();
  raft::MessageBody request_vote(raft::Term term);
  raft::MessageBody vote_reply();
  raft::Proposal any_proposal();
  raft::MessageBody forward_request();
  decltype(raft::ForwardReply::result) any_result();
  raft::MessageBody forward_reply();
  std::optional<raft::Message> about_membership(std::uint64_t from);

  const raft::Raft& replica_;
  Decisions& decisions_;
  std::map<raft::Term, Reign> reigns_;
  // Terms in which n1 was voted for: nobody else leads them.
  std::set<raft::Term> not_theirs_;
};

inline std::optional<raft::Message> Peers::speak() {
  const std::uint64_t from = 2 + decisions_.below(2);
  switch (decisions_.below(13)) {
    case 0: {
      const raft::Term term = any_term();
      return message(from, term, request_vote(term));
    }
    case 1:
    case 2:
      return message(from, replica_.term(), vote_reply());
    case 3:
      return message(from, any_term(), raft::AppendAccepted{any_index(), any_round()});
    case 4:
      return message(from, any_term(),
                     raft::AppendRejected{
                         any_index(), {any_index(), raft::Term(decisions_.below(8))}, any_round()});
    case 5:
      return message(from, any_term(), raft::ReadIndexRequest{decisions_.below(8)});
    case 6:
      return message(
          from, any_term(),
          raft::ReadIndexReply{decisions_.below(8), raft::Boot(1 + decisions_.below(8) / 7),
                               any_index(), decisions_.below(2) == 0});
    case 7:
      return message(from, any_term(), forward_request());
    case 8:
      return message(from, any_term(), forward_reply());
    case 9:
      return about_membership(from);
    default:
      return append_entries();
  }
}

inline raft::MessageBody Peers::request_vote(raft::Term term) {
  const bool pre_vote = decisions_.coin();
  return raft::RequestVote{.campaign_term = pre_vote ? term.next() : term,
                           .pre_vote = pre_vote,
                           .last = {any_index(), raft::Term(decisions_.below(8))}};
}

// A vote is given to who asked for it, and that is done once the candidate's own is durable.
inline raft::MessageBody Peers::vote_reply() {
  const auto* candidate = std::get_if<raft::Candidate>(&replica_.role());
  const bool pre_vote = candidate == nullptr || candidate->pre_vote;
  const raft::Term campaign = pre_vote ? replica_.term().next() : replica_.term();
  const bool asked = pre_vote || candidate->granted.contains(peer_of(1).id);
  const bool granted = asked && !reigns_.contains(campaign) && decisions_.below(4) != 0;
  if (granted && !pre_vote) not_theirs_.insert(campaign);
  return raft::VoteReply{.campaign_term = campaign, .pre_vote = pre_vote, .granted = granted};
}

// Only a leader hands over, and only who was left out is told so.
inline std::optional<raft::Message> Peers::about_membership(std::uint64_t from) {
  const raft::Term term = replica_.term();
  const auto reign = reigns_.find(term);
  if (reign != reigns_.end() && decisions_.coin()) {
    return message(reign->second.leader, term, raft::TimeoutNow{});
  }
  if (decisions_.coin()) return message(from, term, raft::MembershipQuery{});
  if (replica_.configuration().has(peer_of(1))) return std::nullopt;
  return message(from, term, raft::NotMember{replica_.log().configuration_index()});
}

inline raft::Proposal Peers::any_proposal() {
  const std::string value(decisions_.below(64), 'v');
  switch (decisions_.below(12)) {
    case 0:
      return raft::Command{Bytes::copy_of("no command")};
    case 8:
      return raft::Query{Bytes::copy_of("no query")};
    case 9:
      return raft::Query{kv::encode_lease_query({kv::LeaseId(1), decisions_.coin()})};
    case 10:
      return raft::Command{kv::encode_command(kv::GrantLease{1s})};
    case 11:
      return raft::Command{kv::encode_command(
          kv::ExpireLeases{.term = replica_.term().value(), .leases = {kv::LeaseId(1)}})};
    case 1:
    case 2:
      return any_admin_request(decisions_);
    default:
      return raft::Command{kv::encode_command(kv::Put{"key", Bytes::copy_of(value), kv::Always{}})};
  }
}

inline raft::MessageBody Peers::forward_request() {
  return raft::ForwardRequest{.sequence = decisions_.below(16),
                              .leader_boot = raft::Boot(1 + decisions_.below(8) / 7),
                              .leader_term = replica_.term() - decisions_.below(8) / 7,
                              .proposal = any_proposal()};
}

inline decltype(raft::ForwardReply::result) Peers::any_result() {
  switch (decisions_.below(3)) {
    case 0:
      return Bytes::copy_of("no result");
    case 1:
      return raft::AdminAnswer(raft::LeadershipTransferred{peer_of(2).id});
    default:
      return kv::encode_result(kv::DeleteDone{kv::Revision(1)});
  }
}

inline raft::MessageBody Peers::forward_reply() {
  return raft::ForwardReply{.requester_boot = raft::Boot(1 + decisions_.below(8) / 7),
                            .sequence = decisions_.below(16),
                            .outcome = static_cast<raft::ForwardOutcome>(decisions_.below(4)),
                            .result = any_result()};
}

inline std::optional<raft::Message> Peers::append_entries() {
  const raft::Term term = any_term();
  Reign* reign = reign_of(term);
  if (reign == nullptr) return std::nullopt;
  if (decisions_.below(4) == 0) extend(reign->log, term);
  const std::uint64_t size = reign->log.size();
  const std::uint64_t previous = size - std::min(size, decisions_.below(8));
  const std::uint64_t count = std::min(size - previous, decisions_.below(4));
  const auto first = reign->log.begin() + static_cast<std::ptrdiff_t>(previous);
  raft::AppendEntries request{
      .previous = {},
      .commit_index = raft::Index(size - std::min(size, decisions_.below(8))),
      .round = any_round(),
      .entries = {first, first + static_cast<std::ptrdiff_t>(count)}};
  if (previous > 0) request.previous = {raft::Index(previous), reign->log[previous - 1].term};
  return message(reign->leader, term, std::move(request));
}

// Null: n1 may lead in this term, or a log without what was committed would.
inline Peers::Reign* Peers::reign_of(raft::Term term) {
  const auto found = reigns_.find(term);
  if (found != reigns_.end()) {
    return holds_committed(found->second.log) ? &found->second : nullptr;
  }
  if (not_theirs_.contains(term) || term < replica_.term()) return nullptr;
  Reign reign{.leader = 2 + decisions_.below(2), .log = inherited_log(term)};
  extend(reign.log, term);
  return &reigns_.emplace(term, std::move(reign)).first->second;
}

// An earlier leader's, or a part of n1's own. All logs have the entry that the founders began with.
inline std::vector<raft::Entry> Peers::inherited_log(raft::Term term) {
  const auto after = reigns_.lower_bound(term);
  if (after != reigns_.begin() && decisions_.coin()) {
    const std::vector<raft::Entry>& log = std::prev(after)->second.log;
    if (holds_committed(log)) return log;
  }
  const std::uint64_t last = replica_.log().last().index.value();
  const std::uint64_t shortest = std::max<std::uint64_t>(replica_.commit_index().value(), 1);
  const std::uint64_t length = last - std::min(last - shortest, decisions_.below(4));
  std::vector<raft::Entry> log;
  for (raft::Index index(1); index <= raft::Index(length); ++index) {
    log.push_back(replica_.log().at(index));
  }
  return log;
}

inline void Peers::extend(std::vector<raft::Entry>& log, raft::Term term) {
  for (std::uint64_t count = 1 + decisions_.below(3); count > 0; --count) {
    raft::Entry entry{.index = raft::Index(log.size() + 1), .term = term, .payload = {}};
    const std::string key(1, static_cast<char>('a' + decisions_.below(3)));
    if (log.back().term == term) {
      entry.payload = raft::Command{decisions_.below(4) == 0
                                        ? kv::encode_command(kv::Delete{key, kv::IfPresent{}})
                                        : kv::encode_command(kv::Put{key, Bytes(), kv::Always{}})};
    }
    log.push_back(std::move(entry));
  }
}

inline bool Peers::holds_committed(const std::vector<raft::Entry>& log) const {
  const raft::Index committed = replica_.commit_index();
  return committed == raft::Index() ||
         (log.size() >= committed.value() &&
          log[committed.value() - 1].term == replica_.log().term_at(committed));
}

}  // namespace anchor::fuzz
