#include "cli/options.h"

#include <gtest/gtest.h>

namespace anchor::cli {
namespace {

using Words = std::vector<std::string>;

Invocation parsed(const Words& words, const Environment& environment = {}) {
  auto invocation = parse_command_line(words, environment);
  if (invocation) return std::move(*invocation);
  ADD_FAILURE() << invocation.error().text;
  return {};
}

template <typename Verb>
Verb verb(const Words& words) {
  return std::get<Verb>(parsed(words).command);
}

// The first line of the complaint; empty if there is none.
std::string complaint(const Words& words, const Environment& environment = {}) {
  const auto invocation = parse_command_line(words, environment);
  if (invocation) return "";
  EXPECT_EQ(invocation.error().code, ExitCode::kUsage);
  return invocation.error().text.substr(0, invocation.error().text.find('\n'));
}

TEST(CommandLine, HasDefaults) {
  const Invocation get = parsed({"get", "a"});
  EXPECT_EQ(get.global.endpoints, Words{"127.0.0.1:8001"});
  EXPECT_EQ(get.global.format, OutputFormat::kTable);
  EXPECT_EQ(get.global.timeout, 5s);
  EXPECT_EQ(std::get<GetCommand>(get.command).key, "a");
  EXPECT_EQ(std::get<GetCommand>(get.command).consistency, "linearizable");
}

TEST(CommandLine, TakesFlagsBeforeAndAfterTheVerb) {
  for (const Words& words :
       {Words{"-o", "json", "--timeout", "1s", "--endpoints", "h:1", "-q", "get", "a"},
        Words{"get", "-o", "json", "--timeout=1s", "a", "--endpoints=h:1", "-q"}}) {
    const Invocation get = parsed(words);
    EXPECT_EQ(get.global.format, OutputFormat::kJson);
    EXPECT_EQ(get.global.timeout, 1s);
    EXPECT_EQ(get.global.endpoints, Words{"h:1"});
    EXPECT_TRUE(get.global.quiet);
    EXPECT_EQ(std::get<GetCommand>(get.command).key, "a");
  }
}

TEST(CommandLine, PrefersTheFlagToTheEnvironment) {
  const Environment environment{{"ANCHOR_ENDPOINTS", "b:2,c:3"}};
  EXPECT_EQ(parsed({"status"}, environment).global.endpoints, (Words{"b:2", "c:3"}));
  EXPECT_EQ(parsed({"status", "--endpoints", "a:1"}, environment).global.endpoints, Words{"a:1"});
  EXPECT_TRUE(complaint({"status"}, {{"ANCHOR_ENDPOINTS", "b"}}).contains("ANCHOR_ENDPOINTS"));
}

TEST(CommandLine, TakesKeysThatLookLikeSomethingElse) {
  EXPECT_EQ(verb<GetCommand>({"get", "put"}).key, "put");
  EXPECT_EQ(verb<GetCommand>({"get", "get"}).key, "get");
  EXPECT_EQ(verb<GetCommand>({"get", "--", "-x"}).key, "-x");
  EXPECT_EQ(verb<GetCommand>({"get", "[a,b]"}).key, "[a,b]");
  const auto put = verb<PutCommand>({"put", "status", "version"});
  EXPECT_EQ(put.key, "status");
  EXPECT_EQ(put.value, "version");
}

TEST(CommandLine, TellsAnEmptyValueFromNone) {
  EXPECT_EQ(verb<PutCommand>({"put", "a"}).value, std::nullopt);
  EXPECT_EQ(verb<PutCommand>({"put", "a", ""}).value, "");
  EXPECT_EQ(verb<PutCommand>({"put", "a", "-"}).value, "-");
  EXPECT_EQ(verb<PutCommand>({"put", "a", "--", "-5"}).value, "-5");
}

TEST(CommandLine, TakesConditionsOfWrites) {
  const auto put = verb<PutCommand>({"put", "a", "1", "--if-rev", "010", "--prev"});
  EXPECT_EQ(put.condition.if_revision, 10U);
  EXPECT_TRUE(put.previous);
  EXPECT_TRUE(verb<PutCommand>({"put", "a", "1", "--if-absent"}).condition.if_absent);
  EXPECT_EQ(verb<DeleteCommand>({"del", "a", "--if-rev", "3"}).condition.if_revision, 3U);
}

TEST(CommandLine, TakesTheBenchsPlan) {
  const auto bench = verb<BenchCommand>({"bench", "mixed", "--clients", "8", "--connections", "2",
                                         "--value-bytes", "16", "--keys", "100", "--duration", "1s",
                                         "--warmup", "0s", "--ratio", "0.95"});
  EXPECT_EQ(bench.mode, BenchCommand::Mode::kMixed);
  EXPECT_EQ(bench.clients, 8U);
  EXPECT_EQ(bench.connections, 2U);
  EXPECT_EQ(bench.value_bytes, 16U);
  EXPECT_EQ(bench.keys, 100U);
  EXPECT_EQ(bench.duration, 1s);
  EXPECT_EQ(bench.warmup, 0s);
  EXPECT_EQ(bench.read_ppm, 950'000U);
  EXPECT_EQ(verb<BenchCommand>({"bench", "put", "--clients", "8"}).connections, 8U);
  EXPECT_FALSE(bench.rate);
  EXPECT_EQ(verb<BenchCommand>({"bench", "put", "--rate", "5000"}).rate, 5000U);
}

TEST(CommandLine, TakesChangesOfMembers) {
  const auto add = verb<ChangeCommand>({"member", "add", "n4", "h:1", "--learner", "-q"});
  EXPECT_EQ(add.kind, ChangeCommand::Kind::kAdd);
  EXPECT_EQ(add.id, "n4");
  EXPECT_EQ(add.address, "h:1");
  EXPECT_TRUE(add.learner);
  EXPECT_EQ(
      verb<ChangeCommand>({"member", "add", "n4", "h:1", "--http-address", "h:2"}).http_address,
      "h:2");
  const auto remove = verb<ChangeCommand>({"-o", "json", "member", "remove", "n4", "--force"});
  EXPECT_EQ(remove.kind, ChangeCommand::Kind::kRemove);
  EXPECT_TRUE(remove.force);
  EXPECT_TRUE(verb<ChangeCommand>({"member", "remove", "n4", "--yes"}).confirmed);
  EXPECT_EQ(verb<ChangeCommand>({"member", "promote", "n4"}).kind, ChangeCommand::Kind::kPromote);
  EXPECT_EQ(verb<ChangeCommand>({"cluster", "transfer", "n2"}).id, "n2");
  const auto anybody = verb<ChangeCommand>({"cluster", "transfer"});
  EXPECT_EQ(anybody.kind, ChangeCommand::Kind::kTransfer);
  EXPECT_EQ(anybody.id, "");
  verb<MembersCommand>({"member", "list", "-o", "json"});
  verb<StatusCommand>({"cluster", "status"});
}

TEST(CommandLine, RefusesWhatMakesNoSense) {
  for (const Words& words : std::vector<Words>{
           {},
           {"fetch", "a"},
           {"get"},
           {"get", ""},
           {"get", "a", "b"},
           {"get", "a", "--file", "x"},
           {"get", "a", "--consistency", "linear"},
           {"get", "a", "--max-staleness", "1s"},
           {"get", "a", "--consistency", "stale", "--max-staleness", "1"},
           {"get", "a", "--min-revision", "x"},
           {"get", "a", "-o", "yaml"},
           {"get", "a", "--timeout", "5"},
           {"get", "a", "--timeout", "0s"},
           {"get", "a", "--timeout", "1s", "--timeout", "2s"},
           {"get", "a", "--endpoints", "a"},
           {"put", "a", "1", "--if-rev", "0"},
           {"put", "a", "1", "--if-rev", "x"},
           {"put", "a", "1", "--if-rev", "9007199254740992"},
           {"put", "a", "1", "--if-rev", "1", "--if-absent"},
           {"put", "a", "1", "--file", "f"},
           {"del", "a", "--if-absent"},
           {"status", "a"},
           {"bench"},
           {"bench", "delete"},
           {"bench", "put", "--clients", "0"},
           {"bench", "put", "--clients", "2", "--connections", "3"},
           {"bench", "put", "--value-bytes", "1048577"},
           {"bench", "put", "--rate", "0"},
           {"bench", "put", "--ratio", "0.5"},
           {"bench", "mixed", "--ratio", "1.1"},
           {"bench", "mixed", "--ratio", "nan"},
           {"bench", "put", "-o", "raw"},
       }) {
    EXPECT_TRUE(complaint(words).starts_with("anchorctl: "))
        << testing::PrintToString(words) << ": " << complaint(words);
  }
}

TEST(CommandLine, NamesTheFlagThatIsWrong) {
  EXPECT_EQ(complaint({"put", "a", "1", "--if-rev", "x"}),
            "anchorctl: --if-rev: 'x' is not a number from 1 to 9007199254740991");
  EXPECT_EQ(complaint({"get", "a", "--timeout", "5"}),
            "anchorctl: --timeout: '5' is no duration such as 300ms, 5s or 1m");
}

TEST(CommandLine, NamesTheVerbThatThereIsNot) {
  EXPECT_EQ(complaint({"fetch", "a"}), "anchorctl: unknown verb 'fetch'");
  EXPECT_EQ(complaint({"-o", "json", "fetch"}), "anchorctl: unknown verb 'fetch'");
  EXPECT_EQ(complaint({}), "anchorctl: A subcommand is required");
}

TEST(CommandLine, HelpsOnRequest) {
  for (const Words& words : {Words{"--help"}, Words{"get", "-h"}}) {
    const auto invocation = parse_command_line(words, {});
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().code, ExitCode::kOk);
    EXPECT_TRUE(invocation.error().text.contains("--endpoints") || words.size() == 2);
    EXPECT_TRUE(invocation.error().text.contains("get"));
  }
}

}  // namespace
}  // namespace anchor::cli
