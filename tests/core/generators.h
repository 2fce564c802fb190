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

#include "core/base/bytes.h"
#include "core/base/strong.h"
#include "core/codec/record_codec.h"
#include "core/founding.h"
#include "core/kv/command.h"
#include "core/raft/configuration.h"
#include "core/raft/message.h"

// Arbitrary values of the core's types, for rapidcheck. They are well-formed, so that codecs take
// them, and as large and odd as that allows.

namespace anchor {

// One of these, each as often as the others, in a variant that can hold it.
template <typename Variant, typename... Kinds>
rc::Gen<Variant> any_of_kinds() {
  return rc::gen::oneOf(rc::gen::map(rc::gen::arbitrary<Kinds>(),
                                     [](Kinds kind) { return Variant(std::move(kind)); })...);
}

}  // namespace anchor

namespace rc {

template <typename Tag>
struct Arbitrary<anchor::Strong<Tag>> {
  static Gen<anchor::Strong<Tag>> arbitrary() {
    // Small numbers, and all the others.
    return gen::map(gen::oneOf(gen::inRange<std::uint64_t>(0, 5), gen::arbitrary<std::uint64_t>()),
                    [](std::uint64_t value) { return anchor::Strong<Tag>(value); });
  }
};

template <>
struct Arbitrary<anchor::Bytes> {
  static Gen<anchor::Bytes> arbitrary() {
    return gen::map(gen::arbitrary<std::string>(),
                    [](const std::string& text) { return anchor::Bytes::copy_of(text); });
  }
};

// --- Raft ---------------------------------------------------------------------------------------

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
    const auto peer = gen::arbitrary<anchor::raft::Peer>();
    const auto vote = gen::oneOf(
        gen::just(std::optional<anchor::raft::Peer>()),
        gen::map(peer, [](anchor::raft::Peer p) { return std::optional(std::move(p)); }));
    return gen::build<HardState>(gen::set(&HardState::term), gen::set(&HardState::vote, vote));
  }
};

template <>
struct Arbitrary<anchor::raft::Member> {
  static Gen<anchor::raft::Member> arbitrary() {
    using anchor::raft::Member;
    return gen::build<Member>(gen::set(&Member::id), gen::set(&Member::incarnation),
                              gen::set(&Member::address), gen::set(&Member::http_address));
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

template <>
struct Arbitrary<anchor::raft::RequestVote> {
  static Gen<anchor::raft::RequestVote> arbitrary() {
    using anchor::raft::RequestVote;
    return gen::build<RequestVote>(gen::set(&RequestVote::campaign_term),
                                   gen::set(&RequestVote::pre_vote), gen::set(&RequestVote::last));
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
struct Arbitrary<anchor::raft::AppendEntries> {
  static Gen<anchor::raft::AppendEntries> arbitrary() {
    using anchor::raft::AppendEntries;
    return gen::build<AppendEntries>(
        gen::set(&AppendEntries::previous), gen::set(&AppendEntries::commit_index),
        gen::set(&AppendEntries::round), gen::set(&AppendEntries::entries));
  }
};

template <>
struct Arbitrary<anchor::raft::AppendAccepted> {
  static Gen<anchor::raft::AppendAccepted> arbitrary() {
    using anchor::raft::AppendAccepted;
    return gen::build<AppendAccepted>(gen::set(&AppendAccepted::match_index),
                                      gen::set(&AppendAccepted::round));
  }
};

template <>
struct Arbitrary<anchor::raft::AppendRejected> {
  static Gen<anchor::raft::AppendRejected> arbitrary() {
    using anchor::raft::AppendRejected;
    return gen::build<AppendRejected>(gen::set(&AppendRejected::previous_index),
                                      gen::set(&AppendRejected::hint),
                                      gen::set(&AppendRejected::round));
  }
};

template <>
struct Arbitrary<anchor::raft::ReadIndexRequest> {
  static Gen<anchor::raft::ReadIndexRequest> arbitrary() {
    using anchor::raft::ReadIndexRequest;
    return gen::build<ReadIndexRequest>(gen::set(&ReadIndexRequest::context));
  }
};

template <>
struct Arbitrary<anchor::raft::ReadIndexReply> {
  static Gen<anchor::raft::ReadIndexReply> arbitrary() {
    using anchor::raft::ReadIndexReply;
    return gen::build<ReadIndexReply>(gen::set(&ReadIndexReply::context),
                                      gen::set(&ReadIndexReply::requester_boot),
                                      gen::set(&ReadIndexReply::read_index));
  }
};

template <>
struct Arbitrary<anchor::raft::ForwardRequest> {
  static Gen<anchor::raft::ForwardRequest> arbitrary() {
    using anchor::raft::ForwardRequest;
    return gen::build<ForwardRequest>(
        gen::set(&ForwardRequest::sequence), gen::set(&ForwardRequest::leader_boot),
        gen::set(&ForwardRequest::leader_term), gen::set(&ForwardRequest::command));
  }
};

template <>
struct Arbitrary<anchor::raft::ForwardReply> {
  static Gen<anchor::raft::ForwardReply> arbitrary() {
    using anchor::raft::ForwardOutcome;
    using anchor::raft::ForwardReply;
    const auto outcome = gen::element(ForwardOutcome::kApplied, ForwardOutcome::kNotApplied,
                                      ForwardOutcome::kOverloaded, ForwardOutcome::kUnknown);
    return gen::build<ForwardReply>(
        gen::set(&ForwardReply::requester_boot), gen::set(&ForwardReply::sequence),
        gen::set(&ForwardReply::outcome, outcome), gen::set(&ForwardReply::result));
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
                             raft::ReadIndexRequest, raft::ReadIndexReply, raft::ForwardRequest,
                             raft::ForwardReply>();
    return gen::build<Message>(gen::set(&Message::from), gen::set(&Message::from_boot),
                               gen::set(&Message::to), gen::set(&Message::term),
                               gen::set(&Message::body, body));
  }
};

template <>
struct Arbitrary<anchor::codec::StableState> {
  static Gen<anchor::codec::StableState> arbitrary() {
    using anchor::codec::StableState;
    return gen::build<StableState>(gen::set(&StableState::cluster_id), gen::set(&StableState::self),
                                   gen::set(&StableState::boot),
                                   gen::set(&StableState::hard_state));
  }
};

// --- Founding -----------------------------------------------------------------------------------

template <>
struct Arbitrary<anchor::Founder> {
  static Gen<anchor::Founder> arbitrary() {
    using anchor::Founder;
    return gen::build<Founder>(gen::set(&Founder::id), gen::set(&Founder::address),
                               gen::set(&Founder::http_address));
  }
};

template <>
struct Arbitrary<anchor::FoundingProposal> {
  static Gen<anchor::FoundingProposal> arbitrary() {
    using anchor::Founder;
    using anchor::FoundingProposal;
    const auto founders =
        gen::map(gen::nonEmpty(gen::uniqueBy<std::vector<Founder>>(
                     gen::arbitrary<Founder>(), [](const Founder& founder) { return founder.id; })),
                 [](std::vector<Founder> unsorted) {
                   std::ranges::sort(unsorted, {}, &Founder::id);
                   return unsorted;
                 });
    const auto cluster_id = gen::map(gen::positive<std::uint64_t>(),
                                     [](std::uint64_t id) { return anchor::raft::ClusterId(id); });
    return gen::build<FoundingProposal>(gen::set(&FoundingProposal::cluster_id, cluster_id),
                                        gen::set(&FoundingProposal::founders, founders));
  }
};

template <>
struct Arbitrary<anchor::FoundingHello> {
  static Gen<anchor::FoundingHello> arbitrary() {
    using anchor::FoundingHello;
    return gen::build<FoundingHello>(
        gen::set(&FoundingHello::founder), gen::set(&FoundingHello::nonce),
        gen::set(&FoundingHello::expect), gen::set(&FoundingHello::seen),
        gen::set(&FoundingHello::prepared));
  }
};

// --- Key-value ----------------------------------------------------------------------------------

template <>
struct Arbitrary<anchor::kv::Condition> {
  static Gen<anchor::kv::Condition> arbitrary() {
    namespace kv = anchor::kv;
    return gen::oneOf(gen::just(kv::Condition(kv::Always{})),
                      gen::just(kv::Condition(kv::IfAbsent{})),
                      gen::just(kv::Condition(kv::IfPresent{})),
                      gen::map(gen::inRange<std::uint64_t>(1, 20), [](std::uint64_t revision) {
                        return kv::Condition(kv::IfModRevision{kv::Revision(revision)});
                      }));
  }
};

template <>
struct Arbitrary<anchor::kv::Put> {
  static Gen<anchor::kv::Put> arbitrary() {
    using anchor::kv::Put;
    return gen::build<Put>(gen::set(&Put::key), gen::set(&Put::value), gen::set(&Put::condition),
                           gen::set(&Put::want_previous));
  }
};

template <>
struct Arbitrary<anchor::kv::Delete> {
  static Gen<anchor::kv::Delete> arbitrary() {
    using anchor::kv::Delete;
    return gen::build<Delete>(gen::set(&Delete::key), gen::set(&Delete::condition),
                              gen::set(&Delete::want_previous));
  }
};

template <>
struct Arbitrary<anchor::kv::Command> {
  static Gen<anchor::kv::Command> arbitrary() {
    namespace kv = anchor::kv;
    return anchor::any_of_kinds<kv::Command, kv::Put, kv::Delete>();
  }
};

template <>
struct Arbitrary<anchor::kv::ItemRef> {
  static Gen<anchor::kv::ItemRef> arbitrary() {
    namespace kv = anchor::kv;
    using Fields = kv::Item::Fields;
    const auto fields =
        gen::build<Fields>(gen::set(&Fields::create_revision), gen::set(&Fields::mod_revision),
                           gen::set(&Fields::version), gen::set(&Fields::lease));
    const auto item =
        gen::apply([](const std::string& key, const anchor::Bytes& value,
                      const Fields& drawn) { return kv::Item::create(key, value.view(), drawn); },
                   gen::arbitrary<std::string>(), gen::arbitrary<anchor::Bytes>(), fields);
    return gen::oneOf(gen::just(kv::ItemRef()), item);
  }
};

template <>
struct Arbitrary<anchor::kv::CommandResult> {
  static Gen<anchor::kv::CommandResult> arbitrary() {
    namespace kv = anchor::kv;
    const auto put =
        gen::build<kv::PutDone>(gen::set(&kv::PutDone::revision), gen::set(&kv::PutDone::previous));
    const auto erase = gen::build<kv::DeleteDone>(gen::set(&kv::DeleteDone::revision),
                                                  gen::set(&kv::DeleteDone::deleted),
                                                  gen::set(&kv::DeleteDone::previous));
    const auto failed = gen::build<kv::ConditionFailed>(
        gen::set(&kv::ConditionFailed::revision), gen::set(&kv::ConditionFailed::mod_revision));
    const auto widen = [](auto result) { return kv::CommandResult(std::move(result)); };
    return gen::oneOf(gen::map(put, widen), gen::map(erase, widen), gen::map(failed, widen),
                      gen::just(kv::CommandResult(kv::InvalidCommand{})));
  }
};

}  // namespace rc
