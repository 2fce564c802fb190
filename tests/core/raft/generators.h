#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/raft/admin.h"
#include "core/raft/configuration.h"
#include "core/raft/message.h"
#include "tests/core/base/generators.h"

// Arbitrary values of Raft's types and of those beneath, for rapidcheck. They are well-formed, so
// that codecs take them, and as large and odd as that allows.

namespace rc {

// --- What logs and messages are made of ----------------------------------------------------------

template <>
struct Arbitrary<anchor::raft::ServerId> {
  static Gen<anchor::raft::ServerId> arbitrary() {
    return gen::map(gen::nonEmpty(gen::arbitrary<std::string>()),
                    [](std::string name) { return anchor::raft::ServerId(std::move(name)); });
  }
};

template <>
struct Arbitrary<anchor::raft::Peer> {
  static Gen<anchor::raft::Peer> arbitrary() {
    using anchor::raft::Peer;
    return gen::build<Peer>(gen::set(&Peer::id), gen::set(&Peer::incarnation));
  }
};

template <>
struct Arbitrary<anchor::raft::LogPosition> {
  static Gen<anchor::raft::LogPosition> arbitrary() {
    using anchor::raft::LogPosition;
    return gen::build<LogPosition>(gen::set(&LogPosition::index), gen::set(&LogPosition::term));
  }
};

template <>
struct Arbitrary<anchor::raft::HardState> {
  static Gen<anchor::raft::HardState> arbitrary() {
    using anchor::raft::HardState;
    const auto vote = anchor::any_optional<anchor::raft::Peer>();
    return gen::build<HardState>(
        gen::set(&HardState::term), gen::set(&HardState::vote, vote),
        gen::set(&HardState::longest_promise, anchor::any_duration(std::chrono::hours(24))),
        gen::set(&HardState::distrusted));
  }
};

template <>
struct Arbitrary<anchor::raft::Member> {
  static Gen<anchor::raft::Member> arbitrary() {
    using anchor::raft::Member;
    return gen::build<Member>(gen::set(&Member::id), gen::set(&Member::incarnation),
                              gen::set(&Member::address), gen::set(&Member::http_address),
                              gen::set(&Member::join_token), gen::set(&Member::awaits_promotion));
  }
};

// Each member's part is one of: voter, only outgoing, in both halves, learner.
template <>
struct Arbitrary<anchor::raft::SharedConfiguration> {
  static Gen<anchor::raft::SharedConfiguration> arbitrary() {
    using anchor::raft::Configuration;
    using anchor::raft::Member;
    const auto members = gen::nonEmpty(gen::uniqueBy<std::vector<Member>>(
        gen::arbitrary<Member>(), [](const Member& member) { return member.id; }));
    return gen::map(gen::pair(members, gen::arbitrary<std::uint64_t>()),
                    [](std::pair<std::vector<Member>, std::uint64_t> drawn) {
                      auto& [all, parts] = drawn;
                      std::ranges::sort(all, {}, &Member::id);
                      Configuration configuration{.members = std::move(all)};
                      for (const Member& member : configuration.members) {
                        const std::uint64_t part = configuration.voters.empty() ? 0 : parts % 4;
                        parts /= 4;
                        if (part == 0 || part == 2) configuration.voters.push_back(member.id);
                        if (part == 1 || part == 2)
                          configuration.outgoing_voters.push_back(member.id);
                        if (part == 3) configuration.learners.push_back(member.id);
                      }
                      return std::make_shared<const Configuration>(std::move(configuration));
                    });
  }
};

template <>
struct Arbitrary<anchor::raft::Entry> {
  static Gen<anchor::raft::Entry> arbitrary() {
    using anchor::raft::Entry;
    using Payload = decltype(Entry::payload);
    const auto command = gen::map(gen::arbitrary<anchor::Bytes>(), [](anchor::Bytes bytes) {
      return Payload(anchor::raft::Command{std::move(bytes)});
    });
    const auto configuration =
        gen::map(gen::arbitrary<anchor::raft::SharedConfiguration>(),
                 [](anchor::raft::SharedConfiguration shared) { return Payload(shared); });
    const auto no_op = gen::just(Payload(anchor::raft::NoOp{}));
    return gen::build<Entry>(gen::set(&Entry::index), gen::set(&Entry::term),
                             gen::set(&Entry::payload, gen::oneOf(no_op, command, configuration)));
  }
};

// --- Administrators' requests and their answers --------------------------------------------------

template <>
struct Arbitrary<anchor::raft::AddServer> {
  static Gen<anchor::raft::AddServer> arbitrary() {
    using anchor::raft::AddServer;
    return gen::build<AddServer>(gen::set(&AddServer::id), gen::set(&AddServer::address),
                                 gen::set(&AddServer::http_address),
                                 gen::set(&AddServer::join_token), gen::set(&AddServer::learner));
  }
};

template <>
struct Arbitrary<anchor::raft::MoveServer> {
  static Gen<anchor::raft::MoveServer> arbitrary() {
    using anchor::raft::MoveServer;
    return gen::build<MoveServer>(gen::set(&MoveServer::member), gen::set(&MoveServer::address),
                                  gen::set(&MoveServer::http_address));
  }
};

template <>
struct Arbitrary<anchor::raft::RemoveServer> {
  static Gen<anchor::raft::RemoveServer> arbitrary() {
    using anchor::raft::RemoveServer;
    return gen::build<RemoveServer>(gen::set(&RemoveServer::id), gen::set(&RemoveServer::force));
  }
};

template <>
struct Arbitrary<anchor::raft::PromoteServer> {
  static Gen<anchor::raft::PromoteServer> arbitrary() {
    using anchor::raft::PromoteServer;
    return gen::build<PromoteServer>(gen::set(&PromoteServer::id));
  }
};

template <>
struct Arbitrary<anchor::raft::TransferLeadership> {
  static Gen<anchor::raft::TransferLeadership> arbitrary() {
    using anchor::raft::TransferLeadership;
    const auto named = gen::map(gen::arbitrary<anchor::raft::ServerId>(),
                                [](const anchor::raft::ServerId& id) { return std::optional(id); });
    const auto target = gen::oneOf(gen::just(std::optional<anchor::raft::ServerId>()), named);
    return gen::build<TransferLeadership>(gen::set(&TransferLeadership::target, target));
  }
};

template <>
struct Arbitrary<anchor::raft::AdminRequest> {
  static Gen<anchor::raft::AdminRequest> arbitrary() {
    namespace raft = anchor::raft;
    return anchor::any_of_kinds<raft::AdminRequest, raft::AddServer, raft::MoveServer,
                                raft::RemoveServer, raft::PromoteServer,
                                raft::TransferLeadership>();
  }
};

template <>
struct Arbitrary<anchor::raft::ConfigurationChanged> {
  static Gen<anchor::raft::ConfigurationChanged> arbitrary() {
    using anchor::raft::ConfigurationChanged;
    return gen::build<ConfigurationChanged>(gen::set(&ConfigurationChanged::index),
                                            gen::set(&ConfigurationChanged::configuration));
  }
};

template <>
struct Arbitrary<anchor::raft::LeadershipTransferred> {
  static Gen<anchor::raft::LeadershipTransferred> arbitrary() {
    using anchor::raft::LeadershipTransferred;
    return gen::build<LeadershipTransferred>(gen::set(&LeadershipTransferred::leader));
  }
};

template <>
struct Arbitrary<anchor::raft::AdminRefused> {
  static Gen<anchor::raft::AdminRefused> arbitrary() {
    using anchor::raft::AdminRefusal;
    using anchor::raft::AdminRefused;
    const auto reason = gen::element(AdminRefusal::kChangeInProgress, AdminRefusal::kNotReady,
                                     AdminRefusal::kNotFound, AdminRefusal::kQuorumAtRisk,
                                     AdminRefusal::kIdentityTaken);
    return gen::build<AdminRefused>(gen::set(&AdminRefused::reason, reason),
                                    gen::set(&AdminRefused::message));
  }
};

template <>
struct Arbitrary<anchor::raft::AdminAnswer> {
  static Gen<anchor::raft::AdminAnswer> arbitrary() {
    namespace raft = anchor::raft;
    return anchor::any_of_kinds<raft::AdminAnswer, raft::ConfigurationChanged,
                                raft::LeadershipTransferred, raft::AdminRefused>();
  }
};

// --- Messages -----------------------------------------------------------------------------------

template <>
struct Arbitrary<anchor::raft::RequestVote> {
  static Gen<anchor::raft::RequestVote> arbitrary() {
    using anchor::raft::RequestVote;
    return gen::build<RequestVote>(gen::set(&RequestVote::campaign_term),
                                   gen::set(&RequestVote::pre_vote),
                                   gen::set(&RequestVote::transfer), gen::set(&RequestVote::last));
  }
};

template <>
struct Arbitrary<anchor::raft::VoteReply> {
  static Gen<anchor::raft::VoteReply> arbitrary() {
    using anchor::raft::VoteReply;
    return gen::build<VoteReply>(gen::set(&VoteReply::campaign_term),
                                 gen::set(&VoteReply::pre_vote), gen::set(&VoteReply::granted));
  }
};

template <>
struct Arbitrary<anchor::raft::Dating> {
  static Gen<anchor::raft::Dating> arbitrary() {
    using anchor::raft::Dating;
    return gen::build<Dating>(gen::set(&Dating::boot),
                              gen::set(&Dating::echo, anchor::any_instant()),
                              gen::set(&Dating::age, anchor::any_duration()));
  }
};

template <>
struct Arbitrary<anchor::raft::AppendEntries> {
  static Gen<anchor::raft::AppendEntries> arbitrary() {
    using anchor::raft::AppendEntries;
    return gen::build<AppendEntries>(
        gen::set(&AppendEntries::previous), gen::set(&AppendEntries::commit_index),
        gen::set(&AppendEntries::round), gen::set(&AppendEntries::entries),
        gen::set(&AppendEntries::dating, anchor::any_optional<anchor::raft::Dating>()));
  }
};

template <>
struct Arbitrary<anchor::raft::AppendAccepted> {
  static Gen<anchor::raft::AppendAccepted> arbitrary() {
    using anchor::raft::AppendAccepted;
    return gen::build<AppendAccepted>(
        gen::set(&AppendAccepted::match_index), gen::set(&AppendAccepted::round),
        gen::set(&AppendAccepted::promise, anchor::any_duration()),
        gen::set(&AppendAccepted::sent, anchor::any_instant()),
        gen::set(&AppendAccepted::snapshot_wanted), gen::set(&AppendAccepted::short_of_disk));
  }
};

template <>
struct Arbitrary<anchor::raft::AppendRejected> {
  static Gen<anchor::raft::AppendRejected> arbitrary() {
    using anchor::raft::AppendRejected;
    return gen::build<AppendRejected>(gen::set(&AppendRejected::previous_index),
                                      gen::set(&AppendRejected::hint),
                                      gen::set(&AppendRejected::round),
                                      gen::set(&AppendRejected::promise, anchor::any_duration()),
                                      gen::set(&AppendRejected::sent, anchor::any_instant()));
  }
};

template <>
struct Arbitrary<anchor::raft::ReadIndexRequest> {
  static Gen<anchor::raft::ReadIndexRequest> arbitrary() {
    using anchor::raft::ReadIndexRequest;
    return gen::build<ReadIndexRequest>(gen::set(&ReadIndexRequest::context),
                                        gen::set(&ReadIndexRequest::lease));
  }
};

template <>
struct Arbitrary<anchor::raft::ReadIndexReply> {
  static Gen<anchor::raft::ReadIndexReply> arbitrary() {
    using anchor::raft::ReadIndexReply;
    return gen::build<ReadIndexReply>(
        gen::set(&ReadIndexReply::context), gen::set(&ReadIndexReply::requester_boot),
        gen::set(&ReadIndexReply::read_index), gen::set(&ReadIndexReply::by_lease));
  }
};

template <>
struct Arbitrary<anchor::raft::SnapshotFile> {
  static Gen<anchor::raft::SnapshotFile> arbitrary() {
    using anchor::raft::SnapshotFile;
    return gen::build<SnapshotFile>(gen::set(&SnapshotFile::position),
                                    gen::set(&SnapshotFile::size_bytes),
                                    gen::set(&SnapshotFile::checksum));
  }
};

template <>
struct Arbitrary<anchor::raft::InstallSnapshot> {
  static Gen<anchor::raft::InstallSnapshot> arbitrary() {
    using anchor::raft::InstallSnapshot;
    return gen::build<InstallSnapshot>(gen::set(&InstallSnapshot::file),
                                       gen::set(&InstallSnapshot::offset),
                                       gen::set(&InstallSnapshot::chunk));
  }
};

template <>
struct Arbitrary<anchor::raft::SnapshotAccepted> {
  static Gen<anchor::raft::SnapshotAccepted> arbitrary() {
    using anchor::raft::SnapshotAccepted;
    return gen::build<SnapshotAccepted>(gen::set(&SnapshotAccepted::position),
                                        gen::set(&SnapshotAccepted::received_bytes));
  }
};

template <>
struct Arbitrary<anchor::raft::TimeoutNow> {
  static Gen<anchor::raft::TimeoutNow> arbitrary() { return gen::just(anchor::raft::TimeoutNow{}); }
};

template <>
struct Arbitrary<anchor::raft::MembershipQuery> {
  static Gen<anchor::raft::MembershipQuery> arbitrary() {
    return gen::just(anchor::raft::MembershipQuery{});
  }
};

template <>
struct Arbitrary<anchor::raft::NotMember> {
  static Gen<anchor::raft::NotMember> arbitrary() {
    using anchor::raft::NotMember;
    return gen::build<NotMember>(gen::set(&NotMember::configuration_index));
  }
};

template <>
struct Arbitrary<anchor::raft::ForwardRequest> {
  static Gen<anchor::raft::ForwardRequest> arbitrary() {
    namespace raft = anchor::raft;
    const auto command_or_query = gen::apply(
        [](anchor::Bytes bytes, bool command) {
          return command ? raft::Proposal(raft::Command{std::move(bytes)})
                         : raft::Proposal(raft::Query{std::move(bytes)});
        },
        gen::arbitrary<anchor::Bytes>(), gen::arbitrary<bool>());
    const auto admin =
        gen::map(gen::arbitrary<raft::AdminRequest>(),
                 [](raft::AdminRequest request) { return raft::Proposal(std::move(request)); });
    return gen::build<raft::ForwardRequest>(
        gen::set(&raft::ForwardRequest::sequence), gen::set(&raft::ForwardRequest::leader_boot),
        gen::set(&raft::ForwardRequest::leader_term),
        gen::set(&raft::ForwardRequest::proposal, gen::oneOf(command_or_query, admin)));
  }
};

template <>
struct Arbitrary<anchor::raft::ForwardReply> {
  static Gen<anchor::raft::ForwardReply> arbitrary() {
    using anchor::raft::ForwardOutcome;
    using anchor::raft::ForwardReply;
    using Result = decltype(ForwardReply::result);
    const auto outcome = gen::element(ForwardOutcome::kApplied, ForwardOutcome::kNotApplied,
                                      ForwardOutcome::kOverloaded, ForwardOutcome::kShortOfDisk,
                                      ForwardOutcome::kUnknown);
    return gen::build<ForwardReply>(
        gen::set(&ForwardReply::requester_boot), gen::set(&ForwardReply::sequence),
        gen::set(&ForwardReply::outcome, outcome),
        gen::set(&ForwardReply::result,
                 anchor::any_of_kinds<Result, anchor::Bytes, anchor::raft::AdminAnswer>()));
  }
};

template <>
struct Arbitrary<anchor::raft::Message> {
  static Gen<anchor::raft::Message> arbitrary() {
    namespace raft = anchor::raft;
    using raft::Message;
    const auto body =
        anchor::any_of_kinds<raft::MessageBody, raft::RequestVote, raft::VoteReply,
                             raft::AppendEntries, raft::AppendAccepted, raft::AppendRejected,
                             raft::InstallSnapshot, raft::SnapshotAccepted, raft::ReadIndexRequest,
                             raft::ReadIndexReply, raft::TimeoutNow, raft::MembershipQuery,
                             raft::NotMember, raft::ForwardRequest, raft::ForwardReply>();
    return gen::build<Message>(gen::set(&Message::from), gen::set(&Message::from_boot),
                               gen::set(&Message::to), gen::set(&Message::term),
                               gen::set(&Message::body, body));
  }
};

}  // namespace rc
