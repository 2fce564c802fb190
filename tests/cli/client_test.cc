#include "cli/client.h"

#include <gtest/gtest.h>

#include "tests/cli/fake_node.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

io::HttpResponse put_done() {
  return response(200, "OK\n", {{"Anchor-Revision", "7"}});
}

CliResult put(const std::string& endpoints, const std::string& timeout = "10s") {
  return run_cli({"put", "a", "1", "--endpoints", endpoints, "--timeout", timeout});
}
CliResult get(const std::string& endpoints, const std::string& timeout = "10s") {
  return run_cli({"get", "a", "--endpoints", endpoints, "--timeout", timeout});
}

TEST(Client, ExitsSixIfNoEndpointIsThere) {
  const std::string dead = dead_endpoint();
  const CliResult result = put(dead);
  EXPECT_EQ(result.code, ExitCode::kUnreachable);
  EXPECT_TRUE(result.error.starts_with("anchorctl: " + dead + ": Connection refused\nhint: "));
  EXPECT_EQ(get(dead).code, ExitCode::kUnreachable);
}

TEST(Client, GoesOnToTheNextEndpointIfOneIsDown) {
  FakeNode node(put_done());
  const CliResult result = put(dead_endpoint() + "," + node.endpoint());
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(result.out, "7\n");
  EXPECT_TRUE(result.error.starts_with("note: "));
}

TEST(Client, RepeatsAWriteElsewhereThatWasCertainlyNotApplied) {
  FakeNode stopping(error_response(503, "not_ready"));
  FakeNode node(put_done());
  EXPECT_EQ(put(stopping.endpoint() + "," + node.endpoint()).code, ExitCode::kOk);
  EXPECT_EQ(node.requests().size(), 1U);
}

TEST(Client, AsksAgainUntilThereIsALeader) {
  std::atomic<int> asked = 0;
  FakeNode node([&](const io::HttpRequest&) {
    return ++asked < 3 ? error_response(503, "no_leader") : put_done();
  });
  EXPECT_EQ(put(node.endpoint()).code, ExitCode::kOk);
  EXPECT_EQ(asked, 3);
}

TEST(Client, ExitsFiveIfThereIsNoLeaderInTime) {
  FakeNode node(error_response(503, "no_leader"));
  for (const CliResult& result : {put(node.endpoint(), "200ms"), get(node.endpoint(), "200ms")}) {
    EXPECT_EQ(result.code, ExitCode::kNoLeader);
    EXPECT_TRUE(result.error.contains("because of no_leader"));
  }
}

TEST(Client, PrefersWhatANodeSaysToAnUnreachableOne) {
  FakeNode node(error_response(503, "no_leader"));
  EXPECT_EQ(put(node.endpoint() + "," + dead_endpoint(), "200ms").code, ExitCode::kNoLeader);
}

TEST(Client, NeverRepeatsAWriteWhoseOutcomeIsUnknown) {
  FakeNode second(put_done());
  const auto expect_unknown = [&](FakeNode& first, const std::string& timeout) {
    const CliResult result = put(first.endpoint() + "," + second.endpoint(), timeout);
    EXPECT_EQ(result.code, ExitCode::kUnknown) << result.error;
    EXPECT_TRUE(result.error.contains("outcome unknown: "));
    EXPECT_EQ(first.requests().size(), 1U);
  };
  FakeNode late(error_response(504, "unknown_outcome", "unknown"));
  expect_unknown(late, "10s");
  FakeNode gateway(response(500, "<html>sorry</html>"));
  expect_unknown(gateway, "10s");
  FakeNode proxy(response(503, "<html>try later</html>"));
  expect_unknown(proxy, "10s");
  FakeNode silent([](const io::HttpRequest&) { return std::nullopt; });
  expect_unknown(silent, "200ms");
  EXPECT_TRUE(second.requests().empty());
}

TEST(Client, ReadsElsewhereIfANodeIsSilent) {
  FakeNode silent([](const io::HttpRequest&) { return std::nullopt; });
  FakeNode node(response(200, "v"));
  const CliResult result = get(silent.endpoint() + "," + node.endpoint(), "400ms");
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(result.out, "v\n");
}

TEST(Client, ExitsOneOnWhateverElseIsWrong) {
  FakeNode node(error_response(400, "bad_key"));
  const CliResult result = put(node.endpoint());
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_EQ(result.error, "anchorctl: " + node.endpoint() + ": because of bad_key\n");
  FakeNode full(error_response(507, "no_space"));
  EXPECT_EQ(put(full.endpoint()).code, ExitCode::kFailed);
}

TEST(Client, TellsEveryRequestOnlyIfAsked) {
  FakeNode node(put_done());
  const CliResult result = run_cli({"put", "a", "1", "--debug", "--endpoints", node.endpoint()});
  EXPECT_TRUE(result.error.starts_with("debug: PUT http://" + node.endpoint() + "/kv/a: 200, "));
}

TEST(Client, IsQuietAboutWhatWentWellInTheEnd) {
  FakeNode node(put_done());
  const CliResult result =
      run_cli({"put", "a", "1", "-q", "--endpoints", dead_endpoint() + "," + node.endpoint()});
  EXPECT_EQ(result.error, "");
}

}  // namespace
}  // namespace anchor::cli
