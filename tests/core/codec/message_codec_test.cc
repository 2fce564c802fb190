#include "core/codec/message_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/raft/configuration.h"
#include "fuzz/round_trip.h"
#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"
#include "tests/core/generators.h"

namespace anchor::codec {
namespace {

// That of fuzz/message_codec_fuzz.cc.
constexpr raft::ClusterId kClusterId{7};

raft::Message message_of(raft::MessageBody body) {
  return {.from = {raft::ServerId("n1"), raft::Incarnation(4)},
          .from_boot = raft::Boot(2),
          .to = {raft::ServerId("n2"), raft::Incarnation(4)},
          .term = raft::Term(9),
          .body = std::move(body)};
}

raft::Entry entry_of(std::uint64_t index, decltype(raft::Entry::payload) payload) {
  return {raft::Index(index), raft::Term(9), std::move(payload)};
}

// One of each kind of entry.
raft::AppendEntries three_entries() {
  raft::Configuration configuration =
      raft::founding_configuration({{raft::ServerId("n1"), raft::Incarnation(4), "a:1", "a:2"},
                                    {raft::ServerId("n2"), raft::Incarnation(0), "b:1", "b:2"}});
  configuration.members.push_back({.id = raft::ServerId("n3"),
                                   .incarnation = raft::Incarnation(12),
                                   .address = "c:1",
                                   .http_address = "c:2",
                                   .join_token = 98,
                                   .awaits_promotion = true});
  configuration.outgoing_voters = {raft::ServerId("n1")};
  configuration.learners = {raft::ServerId("n3")};
  return {.previous = {raft::Index(5), raft::Term(8)},
          .commit_index = raft::Index(4),
          .round = raft::Round(31),
          .entries = {
              entry_of(6, raft::NoOp{}), entry_of(7, raft::Command{Bytes::copy_of("a command")}),
              entry_of(8, std::make_shared<const raft::Configuration>(std::move(configuration)))}};
}

raft::MessageBody forwarded(raft::Proposal proposal) {
  return raft::ForwardRequest{.sequence = 5,
                              .leader_boot = raft::Boot(3),
                              .leader_term = raft::Term(9),
                              .proposal = std::move(proposal)};
}

raft::MessageBody answered(decltype(raft::ForwardReply::result) result,
                           raft::ForwardOutcome outcome = raft::ForwardOutcome::kApplied) {
  return raft::ForwardReply{.requester_boot = raft::Boot(2),
                            .sequence = 5,
                            .outcome = outcome,
                            .result = std::move(result)};
}

struct Example {
  std::string name;
  raft::MessageBody body;
};

std::vector<Example> admin_examples() {
  using raft::AdminRequest;
  const raft::ServerId n3("n3");
  const raft::AddServer add{
      .id = n3, .address = "c:1", .http_address = "c:2", .join_token = 99, .learner = true};
  const raft::MoveServer move{
      .member = {n3, raft::Incarnation(12)}, .address = "d:1", .http_address = "d:2"};
  const raft::ConfigurationChanged changed{
      raft::Index(8),
      std::make_shared<const raft::Configuration>(raft::founding_configuration(
          {{.id = n3, .incarnation = {}, .address = "c:1", .http_address = "c:2"}}))};
  const raft::AdminRefused refused{raft::AdminRefusal::kQuorumAtRisk, "too few would be left"};
  return {
      {"forward_add_server", forwarded(AdminRequest(add))},
      {"forward_move_server", forwarded(AdminRequest(move))},
      {"forward_remove_server", forwarded(AdminRequest(raft::RemoveServer{n3, true}))},
      {"forward_promote_server", forwarded(AdminRequest(raft::PromoteServer{n3}))},
      {"forward_transfer", forwarded(AdminRequest(raft::TransferLeadership{n3}))},
      {"forward_transfer_to_any", forwarded(AdminRequest(raft::TransferLeadership{}))},
      {"reply_configuration_changed", answered(raft::AdminAnswer(changed))},
      {"reply_leadership_transferred",
       answered(raft::AdminAnswer(raft::LeadershipTransferred{n3}))},
      {"reply_refused", answered(raft::AdminAnswer(refused))},
  };
}

std::vector<Example> examples() {
  std::vector<Example> all{
      {"request_vote", raft::RequestVote{.campaign_term = raft::Term(10),
                                         .pre_vote = true,
                                         .last = {raft::Index(6), raft::Term(8)}}},
      {"request_vote_transfer", raft::RequestVote{.campaign_term = raft::Term(9),
                                                  .transfer = true,
                                                  .last = {raft::Index(6), raft::Term(8)}}},
      {"vote_reply", raft::VoteReply{.campaign_term = raft::Term(10), .granted = true}},
      {"append_entries", three_entries()},
      {"append_accepted", raft::AppendAccepted{raft::Index(8), raft::Round(31)}},
      {"append_rejected", raft::AppendRejected{.previous_index = raft::Index(5),
                                               .hint = {raft::Index(3), raft::Term(7)},
                                               .round = raft::Round(31)}},
      {"read_index_request", raft::ReadIndexRequest{.context = 77}},
      {"read_index_reply",
       raft::ReadIndexReply{
           .context = 77, .requester_boot = raft::Boot(2), .read_index = raft::Index(4)}},
      {"timeout_now", raft::TimeoutNow{}},
      {"install_snapshot",
       raft::InstallSnapshot{.file = {.position = {raft::Index(40), raft::Term(8)},
                                      .size_bytes = 1000,
                                      .checksum = 0x0123456789abcdef},
                             .offset = 512,
                             .chunk = Bytes::copy_of("a part of the file")}},
      {"snapshot_accepted",
       raft::SnapshotAccepted{.position = {raft::Index(40), raft::Term(8)}, .received_bytes = 512}},
      {"membership_query", raft::MembershipQuery{}},
      {"not_member", raft::NotMember{raft::Index(12)}},
      {"digest_report", raft::DigestReport{raft::Index(12), 0x0123456789abcdef}},
      {"forward_request", forwarded(raft::Command{Bytes::copy_of("a command")})},
      {"forward_query", forwarded(raft::Query{Bytes::copy_of("a query")})},
      {"forward_reply", answered(Bytes::copy_of("a result"), raft::ForwardOutcome::kOverloaded)},
  };
  std::ranges::move(admin_examples(), std::back_inserter(all));
  return all;
}

Result<raft::Message> decode(const Bytes& frame) {
  return decode_message(kClusterId, frame);
}

RC_GTEST_PROP(MessageCodec, DecodesWhatItEncoded, (const raft::Message& message)) {
  RC_ASSERT((decode(encode_message(kClusterId, message)) == message));
}

TEST(MessageCodec, FormatIsWhatItWas) {
  std::set<std::size_t> kinds;
  for (const Example& example : examples()) {
    kinds.insert(example.body.index());
    expect_golden("message_codec", example.name,
                  encode_message(kClusterId, message_of(example.body)));
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<raft::MessageBody>);
}

TEST(MessageCodec, RefusesEachKindWhenCutShortOrWithAFlippedBit) {
  for (const Example& example : examples()) {
    const Bytes frame = encode_message(kClusterId, message_of(example.body));
    EXPECT_TRUE(refuses_all_damage(frame, decode)) << example.name;
  }
}

// The checksum is no proof of a correct sender.
TEST(MessageCodec, DamageUnderAMatchingChecksumIsRefusedOrAnotherMessage) {
  for (const Example& example : examples()) {
    const Bytes frame = encode_message(kClusterId, message_of(example.body));
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      const auto message = decode(fuzz::mend_frame(with_flipped_bit(frame, bit).view()));
      if (!message) continue;
      EXPECT_EQ(decode(encode_message(kClusterId, *message)), message) << bit;
    }
  }
}

TEST(MessageCodec, RefusesAMessageOfAnotherCluster) {
  const Bytes frame = encode_message(raft::ClusterId(8), message_of(raft::VoteReply{}));
  const auto refused = decode(frame);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the message is of another cluster");
}

TEST(MessageCodec, CommandsAreSlicesOfTheFrame) {
  const Bytes frame = encode_message(kClusterId, message_of(three_entries()));
  const auto message = decode(frame);
  ASSERT_TRUE(message) << message.error().message;
  const auto& append = std::get<raft::AppendEntries>(message->body);
  EXPECT_TRUE(is_slice_of(std::get<raft::Command>(append.entries.at(1).payload).payload, frame));
}

TEST(MessageCodec, ForwardedCommandsAndResultsAreSlicesOfTheFrame) {
  const raft::Command command{Bytes::copy_of("a command")};
  const Bytes request_frame = encode_message(kClusterId, message_of(forwarded(command)));
  const Bytes reply_frame =
      encode_message(kClusterId, message_of(answered(Bytes::copy_of("a result"))));
  const auto request_message = decode(request_frame);
  const auto reply_message = decode(reply_frame);
  ASSERT_TRUE(request_message && reply_message);
  const auto& request = std::get<raft::ForwardRequest>(request_message->body);
  const auto& reply = std::get<raft::ForwardReply>(reply_message->body);
  EXPECT_TRUE(is_slice_of(std::get<raft::Command>(request.proposal).payload, request_frame));
  EXPECT_TRUE(is_slice_of(std::get<Bytes>(reply.result), reply_frame));
}

TEST(MessageCodec, DecodesAtAnyAddress) {
  const raft::Message message = message_of(three_entries());
  EXPECT_EQ(decode(misaligned(encode_message(kClusterId, message))), message);
}

TEST(MessageCodec, CarriesLargeEntries) {
  raft::AppendEntries append;
  for (std::uint64_t index = 1; index <= 5; ++index) {
    const Bytes command = Bytes::copy_of(std::string(index * 300'000, static_cast<char>(index)));
    append.entries.push_back(entry_of(index, raft::Command{command}));
  }
  const raft::Message message = message_of(std::move(append));
  EXPECT_EQ(decode(encode_message(kClusterId, message)), message);
}

TEST(MessageCodec, RefusesServersWithoutAName) {
  raft::Message message = message_of(raft::VoteReply{});
  message.from.id = raft::ServerId();
  EXPECT_FALSE(decode(encode_message(kClusterId, message)));
  message = message_of(raft::VoteReply{});
  message.to.id = raft::ServerId();
  EXPECT_FALSE(decode(encode_message(kClusterId, message)));
}

TEST(MessageCodec, RefusesNamesOfMoreThan255Bytes) {
  raft::Message message = message_of(raft::VoteReply{});
  message.from.id = raft::ServerId(std::string(255, 'n'));
  EXPECT_EQ(decode(encode_message(kClusterId, message)), message);
  message.from.id = raft::ServerId(std::string(256, 'n'));
  EXPECT_FALSE(decode(encode_message(kClusterId, message)));
}

TEST(MessageCodec, RefusesAdministratorsRequestsThatNameNobody) {
  using raft::AdminRequest;
  const raft::ServerId nobody;
  for (const AdminRequest& request :
       {AdminRequest(raft::AddServer{.id = nobody, .address = {}, .http_address = {}}),
        AdminRequest(raft::MoveServer{.member = {nobody, {}}, .address = {}, .http_address = {}}),
        AdminRequest(raft::RemoveServer{nobody}), AdminRequest(raft::PromoteServer{nobody})}) {
    EXPECT_FALSE(decode(encode_message(kClusterId, message_of(forwarded(request)))));
  }
}

// They would be part of every snapshot.
TEST(MessageCodec, RefusesAddressesThatAreNone) {
  const std::string most(320, 'a');
  const std::string more(321, 'a');
  const auto taken = [](const raft::AdminRequest& request) {
    return decode(encode_message(kClusterId, message_of(forwarded(request)))).has_value();
  };
  const raft::ServerId n3("n3");
  EXPECT_TRUE(taken(raft::AddServer{.id = n3, .address = most, .http_address = most}));
  EXPECT_FALSE(taken(raft::AddServer{.id = n3, .address = more, .http_address = most}));
  EXPECT_FALSE(taken(raft::MoveServer{.member = {n3, {}}, .address = most, .http_address = more}));
}

TEST(MessageCodec, RefusesAConfigurationThatContradictsItself) {
  raft::AppendEntries append = three_entries();
  raft::Configuration broken = *std::get<raft::SharedConfiguration>(append.entries.back().payload);
  broken.learners.clear();  // n3 is a member without a part
  append.entries.back().payload = std::make_shared<const raft::Configuration>(std::move(broken));
  EXPECT_FALSE(decode(encode_message(kClusterId, message_of(std::move(append)))));
}

}  // namespace
}  // namespace anchor::codec
