#include "core/codec/founding_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"
#include "tests/core/generators.h"

namespace anchor::codec {
namespace {

using raft::ClusterId;
using raft::ServerId;

FoundingProposal proposal() {
  return {.cluster_id = ClusterId(7),
          .founders = {{ServerId("n1"), "a:1", "a:2"}, {ServerId("n2"), "b:1", "b:2"}}};
}

FoundingHello hello() {
  return {.founder = {ServerId("n2"), "b:1", "b:2"},
          .nonce = 99,
          .expect = 2,
          .seen = {ServerId("n1"), ServerId("n2")},
          .prepared = true};
}

struct Request {
  std::string name;
  FoundingRequest request;
};
std::vector<Request> requests() {
  return {{"request_hello", hello()},
          {"request_prepare", proposal()},
          {"request_outcome", OutcomeQuery{ClusterId(7)}}};
}

struct Reply {
  std::string name;
  FoundingReply reply;
};
std::vector<Reply> replies() {
  return {
      {"reply_hello", hello()},
      {"reply_member",
       AlreadyMember{ClusterId(7), ServerId("n1"), {ServerId("n1"), ServerId("n3")}}},
      {"reply_accepted", ProposalAccepted{ClusterId(7), ServerId("n2")}},
      {"reply_refused", FoundingRefused{"it expects 3 servers"}},
      {"reply_outcome", OutcomeAnswer{ClusterId(7), ServerId("n1"), ProposalOutcome::kAborted}}};
}

RC_GTEST_PROP(FoundingCodec, DecodesTheProposalThatItEncoded, (const FoundingProposal& proposal)) {
  RC_ASSERT((decode_founding_proposal(encode_founding_proposal(proposal)) == proposal));
  const auto request = decode_founding_request(encode_founding_request(proposal));
  RC_ASSERT((request && std::get<FoundingProposal>(*request) == proposal));
}

RC_GTEST_PROP(FoundingCodec, DecodesTheHelloThatItEncoded, (const FoundingHello& hello)) {
  const auto request = decode_founding_request(encode_founding_request(hello));
  RC_ASSERT((request && std::get<FoundingHello>(*request) == hello));
  const auto reply = decode_founding_reply(encode_founding_reply(hello));
  RC_ASSERT((reply && std::get<FoundingHello>(*reply) == hello));
}

RC_GTEST_PROP(FoundingCodec, DecodesTheOtherRepliesThatItEncoded,
              (const ClusterId& cluster_id, const ServerId& id,
               const std::vector<ServerId>& members, const std::string& reason)) {
  const auto again = [](const FoundingReply& reply) {
    return decode_founding_reply(encode_founding_reply(reply)).value();
  };
  const auto member = std::get<AlreadyMember>(again(AlreadyMember{cluster_id, id, members}));
  RC_ASSERT((member.cluster_id == cluster_id && member.id == id && member.members == members));
  const auto accepted = std::get<ProposalAccepted>(again(ProposalAccepted{cluster_id, id}));
  RC_ASSERT((accepted.cluster_id == cluster_id && accepted.from == id));
  RC_ASSERT(std::get<FoundingRefused>(again(FoundingRefused{reason})).reason == reason);
  for (const auto outcome :
       {ProposalOutcome::kCommitted, ProposalOutcome::kAborted, ProposalOutcome::kUndecided}) {
    const auto answer = std::get<OutcomeAnswer>(again(OutcomeAnswer{cluster_id, id, outcome}));
    RC_ASSERT((answer.cluster_id == cluster_id && answer.from == id && answer.outcome == outcome));
  }
}

TEST(FoundingCodec, FormatIsWhatItWas) {
  expect_golden("founding_codec", "proposal", encode_founding_proposal(proposal()));
  for (const Request& example : requests()) {
    expect_golden("founding_codec", example.name, encode_founding_request(example.request));
  }
  for (const Reply& example : replies()) {
    expect_golden("founding_codec", example.name, encode_founding_reply(example.reply));
  }
}

TEST(FoundingCodec, RefusesWhatIsCutShortOrHasAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(encode_founding_proposal(proposal()), decode_founding_proposal));
  for (const Request& example : requests()) {
    EXPECT_TRUE(
        refuses_all_damage(encode_founding_request(example.request), decode_founding_request))
        << example.name;
  }
  for (const Reply& example : replies()) {
    EXPECT_TRUE(refuses_all_damage(encode_founding_reply(example.reply), decode_founding_reply))
        << example.name;
  }
}

TEST(FoundingCodec, RefusesAProposalWhoseFoundersDoNotAscend) {
  FoundingProposal twice = proposal();
  twice.founders[1].id = ServerId("n1");
  EXPECT_FALSE(decode_founding_proposal(encode_founding_proposal(twice)));
  FoundingProposal backwards = proposal();
  std::swap(backwards.founders[0], backwards.founders[1]);
  EXPECT_FALSE(decode_founding_proposal(encode_founding_proposal(backwards)));
  EXPECT_FALSE(decode_founding_proposal(encode_founding_proposal({ClusterId(7), {}})));
}

TEST(FoundingCodec, RefusesServersWithoutAName) {
  FoundingHello nameless = hello();
  nameless.founder.id = ServerId();
  EXPECT_FALSE(decode_founding_request(encode_founding_request(nameless)));
  nameless = hello();
  nameless.seen[0] = ServerId();
  EXPECT_FALSE(decode_founding_reply(encode_founding_reply(nameless)));
}

}  // namespace
}  // namespace anchor::codec
