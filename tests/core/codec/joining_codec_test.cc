#include "core/codec/joining_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/raft/configuration.h"
#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"

namespace anchor::codec {
namespace {

using raft::ClusterId;
using raft::ServerId;

struct Request {
  std::string name;
  JoinRequest request;
};
std::vector<Request> requests() {
  return {
      {"request_add", {{}, raft::AddServer{ServerId("n4"), "d:1", "d:2", /*join_token=*/99, true}}},
      {"request_move",
       {ClusterId(7), raft::MoveServer{{ServerId("n4"), raft::Incarnation(12)}, "d:3", "d:4"}}}};
}

raft::SharedConfiguration configuration() {
  const raft::Member n1{
      .id = ServerId("n1"), .incarnation = {}, .address = "a:1", .http_address = "a:2"};
  raft::Member n4 = n1;
  n4.id = ServerId("n4");
  n4.incarnation = raft::Incarnation(12);
  n4.join_token = 99;
  return std::make_shared<const raft::Configuration>(
      raft::with_learner(raft::founding_configuration({n1}), n4));
}

struct Reply {
  std::string name;
  JoinReply reply;
};
std::vector<Reply> replies() {
  return {{"reply_changed",
           {ClusterId(7), raft::ConfigurationChanged{raft::Index(12), configuration()}}},
          {"reply_refused",
           {ClusterId(7), raft::AdminRefused{raft::AdminRefusal::kIdentityTaken, "taken"}}},
          {"reply_not_now", {ClusterId(7), NotNow{"no leader"}}}};
}

const JoinToken kToken{ServerId("n4"), 99};

TEST(JoiningCodec, DecodesWhatItEncoded) {
  for (const Request& example : requests()) {
    EXPECT_EQ(decode_join_request(encode_join_request(example.request)), example.request)
        << example.name;
  }
  for (const Reply& example : replies()) {
    EXPECT_EQ(decode_join_reply(encode_join_reply(example.reply)), example.reply) << example.name;
  }
  EXPECT_EQ(decode_join_token(encode_join_token(kToken)), kToken);
}

TEST(JoiningCodec, FormatIsWhatItWas) {
  for (const Request& example : requests()) {
    expect_golden("joining_codec", example.name, encode_join_request(example.request));
  }
  for (const Reply& example : replies()) {
    expect_golden("joining_codec", example.name, encode_join_reply(example.reply));
  }
  expect_golden("joining_codec", "token", encode_join_token(kToken));
}

TEST(JoiningCodec, RefusesWhatIsCutShortOrHasAFlippedBit) {
  for (const Request& example : requests()) {
    EXPECT_TRUE(refuses_all_damage(encode_join_request(example.request), decode_join_request))
        << example.name;
  }
  for (const Reply& example : replies()) {
    EXPECT_TRUE(refuses_all_damage(encode_join_reply(example.reply), decode_join_reply))
        << example.name;
  }
  EXPECT_TRUE(refuses_all_damage(encode_join_token(kToken), decode_join_token));
}

// Whoever is no member yet must not remove one.
TEST(JoiningCodec, RefusesAnyOtherRequest) {
  EXPECT_FALSE(decode_join_request(encode_join_request({{}, raft::RemoveServer{ServerId("n1")}})));
  EXPECT_FALSE(
      decode_join_request(encode_join_request({{}, raft::TransferLeadership{ServerId("n1")}})));
}

// An operator has none.
TEST(JoiningCodec, RefusesARequestWithoutAToken) {
  EXPECT_FALSE(decode_join_request(
      encode_join_request({{}, raft::AddServer{ServerId("n4"), "a:1", "a:2"}})));
}

TEST(JoiningCodec, RefusesServersWithoutANameAndTokensThatAreNone) {
  EXPECT_FALSE(decode_join_request(
      encode_join_request({{}, raft::AddServer{ServerId(), "a:1", "a:2", 99}})));
  EXPECT_FALSE(decode_join_token(encode_join_token({ServerId(), 99})));
  EXPECT_FALSE(decode_join_token(encode_join_token({ServerId("n4"), 0})));
}

}  // namespace
}  // namespace anchor::codec
