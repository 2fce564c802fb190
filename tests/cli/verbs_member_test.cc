#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/fake_node.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

constexpr const char* kSuccess = R"({"success":true,"leader_hint":"h:2","error":null,)"
                                 R"("leader":{"id":"n1","http_address":"h:2"}})";
constexpr const char* kMembers =
    R"({"cluster_id":"00000000000000ff","members":[)"
    R"({"id":"n1","address":"a:1","http_address":"a:2","learner":false,"leader":true},)"
    R"({"id":"n2","address":"b:1","http_address":"b:2","learner":false,"leader":false},)"
    R"({"id":"n4","address":"d:1","http_address":"","learner":true,"leader":false}],)"
    R"("change":{"kind":"promote","phase":"catching_up","id":"n4","progress":0.61}})";

// The verb, asked of a node; without a terminal.
CliResult ask(const FakeNode& node, std::vector<std::string> words) {
  words.insert(words.end(), {"--endpoints", node.endpoint(), "--timeout", "300ms"});
  return run_cli(words, "");
}

using Requests = std::vector<std::string>;

TEST(Member, ListShowsTheMembersAndWhatIsUnderWay) {
  FakeNode node(response(200, kMembers));
  const CliResult result = ask(node, {"member", "list"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(result.out,
            "ID  ADDRESS  HTTP ADDRESS  ROLE\n"
            "n1  a:1      a:2           Leader\n"
            "n2  b:1      b:2           Voter\n"
            "n4  d:1      -             Learner\n");
  EXPECT_EQ(result.error, "note: under way: promote n4, catching_up, 61%\n");
  EXPECT_EQ(ask(node, {"member", "list", "-o", "json"}).out, std::string(kMembers) + "\n");
  EXPECT_EQ(node.requests()[0], "GET /members");
}

TEST(Member, ListOfSomethingElseFails) {
  FakeNode node(response(200, "hello"));
  EXPECT_EQ(ask(node, {"member", "list"}).code, ExitCode::kFailed);
}

TEST(Member, ChangesAreAskedForAndConfirmed) {
  FakeNode node(response(200, kSuccess));
  EXPECT_EQ(ask(node, {"member", "add", "n4", "d:1"}).out, "added n4\n");
  EXPECT_EQ(ask(node, {"member", "add", "n4", "d:1", "--http-address", "d:2", "--learner"}).out,
            "added n4\n");
  EXPECT_EQ(ask(node, {"member", "remove", "n4"}).out, "removed n4\n");
  EXPECT_EQ(ask(node, {"member", "remove", "n4", "--force"}).out, "removed n4\n");
  EXPECT_EQ(ask(node, {"member", "promote", "n4"}).out, "promoted n4\n");
  EXPECT_EQ(ask(node, {"cluster", "transfer", "n1"}).out, "n1\n");
  EXPECT_EQ(ask(node, {"cluster", "transfer"}).out, "n1\n");
  EXPECT_EQ(
      node.requests(),
      (Requests{R"(POST /join [{"id":"n4","address":"d:1","learner":false}])",
                R"(POST /join [{"id":"n4","address":"d:1","http_address":"d:2",)"
                R"("learner":true}])",
                R"(POST /remove [{"id":"n4","force":false}])",
                R"(POST /remove [{"id":"n4","force":true}])", R"(POST /promote [{"id":"n4"}])",
                R"(POST /transfer [{"to":"n1"}])", R"(POST /transfer [{}])"}));
}

TEST(Member, JsonIsTheAnswerOfTheNode) {
  FakeNode node(response(200, kSuccess));
  EXPECT_EQ(ask(node, {"-o", "json", "member", "remove", "n4"}).out, std::string(kSuccess) + "\n");
}

TEST(Member, RemovingIsAskedAboutAtATerminal) {
  FakeNode node(response(200, kSuccess));
  const std::vector<std::string> words{"member", "remove", "n4", "--endpoints", node.endpoint()};
  const CliResult refused = run_cli(words);
  EXPECT_EQ(refused.code, ExitCode::kFailed);
  EXPECT_TRUE(refused.error.contains("remove n4 from the cluster")) << refused.error;
  EXPECT_TRUE(node.requests().empty());
  auto sure = words;
  sure.push_back("--yes");
  EXPECT_EQ(run_cli(sure).code, ExitCode::kOk);
}

TEST(Member, EveryRefusalHasItsExitCode) {
  const auto code = [](int status, const std::string& error, const std::string& outcome) {
    FakeNode node(error_response(status, error, outcome));
    return ask(node, {"member", "remove", "n4"}).code;
  };
  EXPECT_EQ(code(404, "not_found", "not_applied"), ExitCode::kNotFound);
  EXPECT_EQ(code(409, "change_in_progress", "not_applied"), ExitCode::kFailed);
  EXPECT_EQ(code(409, "quorum_at_risk", "not_applied"), ExitCode::kFailed);
  EXPECT_EQ(code(503, "no_leader", "not_applied"), ExitCode::kNoLeader);
  EXPECT_EQ(code(504, "unknown_outcome", "unknown"), ExitCode::kUnknown);
}

TEST(Member, SaysWhatToDo) {
  FakeNode risky(error_response(409, "quorum_at_risk"));
  EXPECT_TRUE(ask(risky, {"member", "remove", "n4"}).error.contains("hint: bring up those"));
  FakeNode lost(error_response(504, "unknown_outcome", "unknown"));
  EXPECT_TRUE(ask(lost, {"member", "remove", "n4"}).error.contains("'anchorctl member list'"));
}

}  // namespace
}  // namespace anchor::cli
