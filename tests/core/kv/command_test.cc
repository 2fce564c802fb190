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
}

TEST(CommandCodec, FormatOfResultsIsWhatItWas) {
  expect_golden("command", "put_done", encode_result(PutDone{Revision(8), example_item()}));
  expect_golden("command", "put_done_without_previous", encode_result(PutDone{Revision(8)}));
  expect_golden("command", "delete_done",
                encode_result(DeleteDone{Revision(8), true, example_item()}));
  expect_golden("command", "condition_failed",
                encode_result(ConditionFailed{Revision(8), Revision(7)}));
  expect_golden("command", "invalid_command", encode_result(InvalidCommand{}));
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
