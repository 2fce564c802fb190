#include "core/kv/command.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"
#include "tests/core/generators.h"

namespace anchor::kv {
namespace {

using codec::expect_golden;

Put example_put(Condition condition = Always{}) {
  return {.key = "config/x",
          .value = Bytes::copy_of("a value"),
          .condition = condition,
          .want_previous = true};
}

ItemRef example_item() {
  return Item::create("config/x", as_bytes("a value"),
                      {.create_revision = Revision(2),
                       .mod_revision = Revision(7),
                       .version = 3,
                       .lease = LeaseId(4)});
}

RC_GTEST_PROP(CommandCodec, DecodesTheCommandThatItEncoded, (const Command& command)) {
  RC_ASSERT((decode_command(encode_command(command)) == command));
}

RC_GTEST_PROP(CommandCodec, DecodesTheResultThatItEncoded, (const CommandResult& result)) {
  RC_ASSERT((decode_result(encode_result(result)) == result));
}

RC_GTEST_PROP(CommandCodec, AnswersGarbageWithAnErrorOrACommand, (const Bytes& garbage)) {
  const auto command = decode_command(garbage);
  RC_ASSERT((!command || decode_command(encode_command(*command)) == command));
  const auto result = decode_result(garbage);
  RC_ASSERT((!result || decode_result(encode_result(*result)) == result));
}

TEST(CommandCodec, FormatOfCommandsIsWhatItWas) {
  expect_golden("command", "put", encode_command(example_put()));
  expect_golden("command", "put_if_absent", encode_command(example_put(IfAbsent{})));
  expect_golden("command", "put_if_present", encode_command(example_put(IfPresent{})));
  expect_golden("command", "put_if_mod_revision",
                encode_command(example_put(IfModRevision{Revision(7)})));
  expect_golden("command", "delete",
                encode_command(Delete{"config/x", IfModRevision{Revision(7)}, true}));
  Put leased = example_put();
  leased.lease = LeaseId(4);
  expect_golden("command", "put_with_lease", encode_command(leased));
  leased = example_put();
  leased.ttl = 30s;
  expect_golden("command", "put_with_ttl", encode_command(leased));
  expect_golden("command", "grant_lease", encode_command(GrantLease{30s}));
  expect_golden("command", "revoke_lease", encode_command(RevokeLease{LeaseId(4)}));
  expect_golden("command", "expire_leases",
                encode_command(ExpireLeases{.term = 9, .leases = {LeaseId(4), LeaseId(5)}}));
}

TEST(CommandCodec, OnlyALeaderProposesWhatItsTimersEnd) {
  EXPECT_TRUE(only_leaders_propose(encode_command(ExpireLeases{.term = 9, .leases = {}})));
  EXPECT_TRUE(only_leaders_propose(encode_command(ExpireSessions{})));
  EXPECT_TRUE(only_leaders_propose(encode_command(CheckDigest{7})));
  EXPECT_TRUE(only_leaders_propose(encode_command(JudgeDigest{7, 8})));
  EXPECT_FALSE(only_leaders_propose(encode_command(RevokeLease{LeaseId(4)})));
  EXPECT_FALSE(only_leaders_propose(encode_command(example_put())));
  EXPECT_FALSE(only_leaders_propose(Bytes::copy_of("no command")));
}

RC_GTEST_PROP(CommandCodec, KnowsFromTheBytesWhatOnlyALeaderProposes, (const Command& command)) {
  RC_ASSERT(only_leaders_propose(encode_command(command)) == only_leaders_propose(command.body));
}

RC_GTEST_PROP(LeaseQuery, IsDecodedAsItWasEncoded, (std::uint64_t id, bool keep_alive)) {
  const LeaseQuery query{LeaseId(id), keep_alive};
  RC_ASSERT((decode_lease_query(encode_lease_query(query)) == query));
}

RC_GTEST_PROP(LeaseQuery, ItsAnswerIsDecodedAsItWasEncoded, (const LeaseStatus& status)) {
  RC_ASSERT((decode_lease_answer(encode_lease_answer(status)).value() == LeaseAnswer(status)));
  RC_ASSERT(!decode_lease_answer(encode_lease_answer(std::nullopt)).value());
}

RC_GTEST_PROP(LeaseQuery, GarbageIsAnErrorOrAnother, (const Bytes& garbage)) {
  const auto query = decode_lease_query(garbage);
  RC_ASSERT((!query || decode_lease_query(encode_lease_query(*query)) == query));
  const auto answer = decode_lease_answer(garbage);
  RC_ASSERT((!answer || decode_lease_answer(encode_lease_answer(*answer)) == answer));
}

TEST(CommandCodec, FormatOfResultsIsWhatItWas) {
  expect_golden("command", "put_done", encode_result(PutDone{Revision(8), example_item()}));
  expect_golden("command", "put_done_without_previous", encode_result(PutDone{Revision(8)}));
  expect_golden("command", "delete_done",
                encode_result(DeleteDone{Revision(8), true, example_item()}));
  expect_golden("command", "condition_failed",
                encode_result(ConditionFailed{Revision(8), Revision(7)}));
  expect_golden("command", "invalid_command", encode_result(InvalidCommand{}));
  expect_golden("command", "lease_granted", encode_result(LeaseGranted{LeaseId(4), 30s}));
  expect_golden("command", "lease_revoked", encode_result(LeaseRevoked{Revision(8), 2}));
  expect_golden("command", "leases_expired", encode_result(LeasesExpired{Revision(8), 3, 4}));
  expect_golden("command", "lease_unknown", encode_result(LeaseUnknown{}));
  expect_golden("command", "leases_full", encode_result(LeasesFull{}));
}

// Its frame has the checksum: here it is only that damage does no harm.
TEST(CommandCodec, DamagedBytesAreAnErrorOrAnotherCommand) {
  const Bytes bytes = encode_command(example_put(IfModRevision{Revision(7)}));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto command = decode_command(codec::with_flipped_bit(bytes, bit));
    if (!command) continue;
    EXPECT_EQ(decode_command(encode_command(*command)), command) << bit;
  }
  EXPECT_FALSE(decode_command(Bytes()));
  EXPECT_FALSE(decode_command(bytes.slice(0, bytes.size() - 1)));
}

TEST(CommandCodec, ValueIsASliceOfTheEncodedCommand) {
  const Bytes bytes = encode_command(example_put());
  const auto command = decode_command(bytes);
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_TRUE(codec::is_slice_of(std::get<Put>(command->body).value, bytes));
}

TEST(CommandCodec, DecodesAtAnyAddress) {
  const Command command = example_put();
  EXPECT_EQ(decode_command(codec::misaligned(encode_command(command))), command);
}

TEST(CommandCodec, CarriesKeysWithNulBytesAndLargeValues) {
  const Put put{.key = std::string("a\0b\0", 4),
                .value = Bytes::copy_of(std::string(1 << 20, 'v')),
                .condition = Always{}};
  EXPECT_EQ(decode_command(encode_command(put)), Command(put));
}

TEST(CommandCodec, RefusesAConditionOnRevisionZero) {
  EXPECT_FALSE(decode_command(encode_command(example_put(IfModRevision{Revision(0)}))));
}

TEST(CommandResult, IsEqualToTheSameAnswerOnly) {
  const CommandResult done = PutDone{Revision(8), example_item()};
  EXPECT_EQ(done, CommandResult(PutDone{Revision(8), example_item()}));
  EXPECT_FALSE(done == CommandResult(PutDone{Revision(9), example_item()}));
  EXPECT_FALSE(done == CommandResult(PutDone{Revision(8)}));
  EXPECT_FALSE(done == CommandResult(DeleteDone{Revision(8), true, example_item()}));
  EXPECT_FALSE(CommandResult(DeleteDone{Revision(8), true}) ==
               CommandResult(DeleteDone{Revision(8), false}));
  EXPECT_FALSE(CommandResult(ConditionFailed{Revision(8), Revision(7)}) ==
               CommandResult(ConditionFailed{Revision(8), Revision(6)}));
}

}  // namespace
}  // namespace anchor::kv
