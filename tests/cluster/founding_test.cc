#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

TEST(FoundingOfACluster, ThreeEmptyServersFoundOneAndAgreeOnIt) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  std::set<std::string> cluster_ids;
  std::set<std::string> leaders;
  for (const auto& node : cluster.nodes()) {
    const auto status = node->status();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->at("node_id"), node->id());
    EXPECT_EQ(status->at("peers").size(), 3u);
    cluster_ids.insert(status->at("cluster_id").get<std::string>());
    if (status->at("role") == "Leader") leaders.insert(node->id());
  }
  EXPECT_EQ(cluster_ids.size(), 1u);
  EXPECT_EQ(leaders, std::set{cluster.leader().id()});
}

TEST(FoundingOfACluster, ServerAloneFoundsOneOfItsOwn) {
  Cluster cluster(1);
  cluster[0].start();
  ASSERT_TRUE(cluster.wait_until_ready());
  EXPECT_EQ(cluster[0].put("/kv/a", "1")->status, 200);
  EXPECT_EQ(cluster[0].get("/kv/a")->body, "1");
}

TEST(FoundingOfACluster, ServerThatWaitsForOthersLivesAndIsNotReady) {
  Cluster cluster;
  Node& node = cluster[0];
  node.start(cluster.founding_options());
  ASSERT_TRUE(eventually([&] { return node.get("/livez").has_value(); }));
  EXPECT_EQ(node.get("/livez")->status, 200);
  EXPECT_EQ(node.get("/readyz")->status, 503);
  EXPECT_TRUE(node.get("/readyz")->body.contains("[-]member waiting to found a cluster"));
  const auto refused = node.put("/kv/a", "1");
  EXPECT_EQ(refused->status, 503);
  EXPECT_TRUE(refused->body.starts_with("not_ready: ")) << refused->body;
  EXPECT_EQ(node.terminate(), Ended{.exit_code = 0});
}

TEST(FoundingOfACluster, PeerThatDoesNotAnswerIsNamedOnce) {
  Cluster cluster;
  Node& node = cluster[0];
  node.start(cluster.founding_options());
  const std::string& nobody = cluster[1].peer_address();
  const std::string warning = "no answer from " + nobody + ": cannot connect";
  ASSERT_TRUE(eventually([&] { return node.output().contains(warning); }));
  // Another one comes and goes: in the meantime it was asked again and again.
  cluster[2].start(cluster.founding_options());
  const std::string seen = "sees " + node.id() + ", " + cluster[2].id();
  ASSERT_TRUE(eventually([&] { return node.output().contains(seen); }));
  cluster[2].kill();
  ASSERT_TRUE(eventually([&] {
    const std::string output = node.output();
    return output.find("sees " + node.id() + "\"", output.find(seen)) != output.npos;
  }));
  const std::string output = node.output();
  EXPECT_EQ(output.find(warning), output.rfind(warning)) << output;
}

TEST(FoundingOfACluster, EveryOneMayBeKilledInItsMidst) {
  Cluster cluster;
  for (const auto& node : cluster.nodes()) {
    node->start(cluster.founding_options());
    ASSERT_TRUE(eventually([&] { return node->get("/livez").has_value(); }));
    node->kill();
    node->start(cluster.founding_options());
  }
  EXPECT_TRUE(cluster.wait_until_ready());
}

}  // namespace
}  // namespace anchor::cluster
