#include "core/codec/record_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/raft/configuration.h"
#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"
#include "tests/core/generators.h"

namespace anchor::codec {
namespace {

// Those of fuzz/record_codec_fuzz.cc.
constexpr raft::ClusterId kClusterId{7};
constexpr raft::Index kIndex{3};

raft::Entry command_entry() {
  return {kIndex, raft::Term(2), raft::Command{Bytes::copy_of("a command")}};
}

raft::Entry configuration_entry() {
  return {kIndex, raft::Term(2),
          std::make_shared<const raft::Configuration>(raft::founding_configuration(
              {{raft::ServerId("n1"), raft::Incarnation(0), "a:1", "a:2"}}))};
}

StableState state_with_vote() {
  return {.cluster_id = kClusterId,
          .self = {raft::ServerId("n1"), raft::Incarnation(5)},
          .boot = raft::Boot(6),
          .hard_state = {.term = raft::Term(9),
                         .vote = raft::Peer{raft::ServerId("n2"), raft::Incarnation(8)}}};
}

Result<raft::Entry> decode(const Bytes& record) {
  return decode_log_record(kClusterId, kIndex, record);
}

RC_GTEST_PROP(LogRecord, DecodesWhatItEncoded,
              (const raft::Entry& entry, const raft::ClusterId& cluster_id)) {
  const Bytes record = encode_log_record(cluster_id, entry);
  RC_ASSERT((decode_log_record(cluster_id, entry.index, record) == entry));
}

TEST(LogRecord, FormatIsWhatItWas) {
  const raft::Entry no_op{kIndex, raft::Term(2), raft::NoOp{}};
  expect_golden("record_codec", "no_op", encode_log_record(kClusterId, no_op));
  expect_golden("record_codec", "command", encode_log_record(kClusterId, command_entry()));
  expect_golden("record_codec", "configuration",
                encode_log_record(kClusterId, configuration_entry()));
}

TEST(LogRecord, IsRefusedWhenCutShortOrWithAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(encode_log_record(kClusterId, command_entry()), decode));
  EXPECT_TRUE(refuses_all_damage(encode_log_record(kClusterId, configuration_entry()), decode));
}

TEST(LogRecord, IsRefusedInAnotherCluster) {
  const auto refused = decode(encode_log_record(raft::ClusterId(8), command_entry()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the record is of another cluster");
}

TEST(LogRecord, IsRefusedAtAnotherIndex) {
  const Bytes record = encode_log_record(kClusterId, command_entry());
  const auto refused = decode_log_record(kClusterId, kIndex.next(), record);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the record is of another index");
}

TEST(LogRecord, CommandIsASliceOfTheRecord) {
  const Bytes record = encode_log_record(kClusterId, command_entry());
  const auto entry = decode(record);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_TRUE(is_slice_of(std::get<raft::Command>(entry->payload).payload, record));
}

// As LMDB hands them out.
TEST(LogRecord, DecodesAtAnyAddress) {
  const Bytes record = misaligned(encode_log_record(kClusterId, command_entry()));
  EXPECT_EQ(decode(record), command_entry());
}

raft::Configuration members_told() {
  return raft::with_learner(
      raft::founding_configuration({{raft::ServerId("n1"), raft::Incarnation(0), "a:1", "a:2"}}),
      {.id = raft::ServerId("n2"),
       .incarnation = raft::Incarnation(8),
       .address = "b:1",
       .http_address = "b:2",
       .join_token = 99,
       .awaits_promotion = true});
}

Result<raft::SharedConfiguration> decode_members(const Bytes& record) {
  return decode_membership(kClusterId, record);
}

RC_GTEST_PROP(MembershipCodec, DecodesWhatItEncoded,
              (const raft::SharedConfiguration& members, const raft::ClusterId& cluster_id)) {
  const auto decoded = decode_membership(cluster_id, encode_membership(cluster_id, *members));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(**decoded == *members);
}

TEST(MembershipCodec, FormatIsWhatItWas) {
  expect_golden("record_codec", "membership", encode_membership(kClusterId, members_told()));
}

TEST(MembershipCodec, IsRefusedWhenCutShortOrWithAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(encode_membership(kClusterId, members_told()), decode_members));
}

TEST(MembershipCodec, IsRefusedInAnotherCluster) {
  const auto refused = decode_members(encode_membership(raft::ClusterId(8), members_told()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the record is of another cluster");
}

TEST(MembershipCodec, IsRefusedIfItContradictsItself) {
  raft::Configuration broken = members_told();
  broken.learners.clear();  // n2 is a member without a part
  EXPECT_FALSE(decode_members(encode_membership(kClusterId, broken)));
}

RC_GTEST_PROP(StableStateCodec, DecodesWhatItEncoded, (const StableState& state)) {
  RC_ASSERT((decode_stable_state(encode_stable_state(state)) == state));
}

TEST(StableStateCodec, FormatIsWhatItWas) {
  StableState state = state_with_vote();
  expect_golden("record_codec", "stable_state_with_vote", encode_stable_state(state));
  state.hard_state.vote.reset();
  expect_golden("record_codec", "stable_state", encode_stable_state(state));
}

TEST(StableStateCodec, IsRefusedWhenCutShortOrWithAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(encode_stable_state(state_with_vote()), decode_stable_state));
}

TEST(StableStateCodec, IsRefusedWithoutTheServersName) {
  StableState state = state_with_vote();
  state.self.id = raft::ServerId();
  EXPECT_FALSE(decode_stable_state(encode_stable_state(state)));
}

}  // namespace
}  // namespace anchor::codec
