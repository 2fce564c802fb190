#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_node.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

using Json = nlohmann::json;

// A node as its /status and /readyz show it.
FakeNode::Answer node(const std::string& id, const Json& peers, bool ready = true) {
  const Json status{{"node_id", id},       {"role", id == "n1" ? "Leader" : "Follower"},
                    {"term", 4},           {"commit_index", 12},
                    {"applied_index", 11}, {"leader_id", "n1"},
                    {"peers", peers},      {"revision", 10},
                    {"version", "0.1.0"}};
  return [=](const io::HttpRequest& request) {
    if (request.target == "/status") return response(200, status.dump());
    return ready ? response(200, "[+]leader ok\n")
                 : response(503, "[+]loop ok\n[-]leader none is known\n");
  };
}

Json peer(const std::string& id, const std::string& http_address) {
  return {{"id", id}, {"address", "x"}, {"http_address", http_address}};
}

TEST(Status, FindsNodesThroughTheirPeers) {
  FakeNode second(node("n2", Json::array()));
  FakeNode first(node("n1", {peer("n1", ""), peer("n2", second.endpoint())}));
  const CliResult result = run_cli({"status", "--endpoints", first.endpoint()});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
  const auto width = first.endpoint().size();
  EXPECT_EQ(result.out, "NODE  ENDPOINT" + std::string(width - 8, ' ') +
                            "  ROLE      READY  TERM  COMMIT  APPLIED  REVISION  LEADER  VERSION\n"
                            "n1    " +
                            first.endpoint() +
                            "  Leader    yes       4      12       11        10  n1      0.1.0\n"
                            "n2    " +
                            second.endpoint() +
                            "  Follower  yes       4      12       11        10  n1      0.1.0\n");
}

TEST(Status, ShowsANodeOnceWhateverItIsCalled) {
  FakeNode first(node("n1", Json::array()));
  const std::string port = first.endpoint().substr(first.endpoint().find(':'));
  const auto result =
      run_cli({"status", "-o", "json", "--endpoints", first.endpoint() + ",127.1" + port});
  EXPECT_EQ(Json::parse(result.out).size(), 1U);
}

TEST(Status, ShowsUnreachableNodesAndExitsNine) {
  const std::string dead = dead_endpoint();
  FakeNode first(node("n1", {peer("n2", dead), peer("n3", "")}));
  const CliResult result =
      run_cli({"status", "-o", "json", "--endpoints", first.endpoint() + "," + dead});
  EXPECT_EQ(result.code, ExitCode::kUnhealthy);
  const Json nodes = Json::parse(result.out);
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0]["node_id"], "n1");
  EXPECT_EQ(nodes[0]["reachable"], true);
  EXPECT_EQ(nodes[0]["commit_index"], 12);
  EXPECT_EQ(nodes[1]["node_id"], "n2");
  EXPECT_EQ(nodes[1]["endpoint"], dead);
  EXPECT_EQ(nodes[1]["reachable"], false);
  EXPECT_EQ(nodes[2]["problem"], "its address is not known");
}

TEST(Status, ExitsNineIfANodeIsNotReady) {
  FakeNode first(node("n1", Json::array(), false));
  const CliResult result = run_cli({"status", "--endpoints", first.endpoint()});
  EXPECT_EQ(result.code, ExitCode::kUnhealthy);
  EXPECT_EQ(result.error, "anchorctl: n1: leader none is known\n");
}

TEST(Status, ExitsSixIfNoneAnswered) {
  FakeNode foreign(response(200, "hello"));
  EXPECT_EQ(run_cli({"status", "--endpoints", dead_endpoint()}).code, ExitCode::kUnreachable);
  EXPECT_EQ(run_cli({"status", "--endpoints", foreign.endpoint()}).code, ExitCode::kUnreachable);
}

}  // namespace
}  // namespace anchor::cli
