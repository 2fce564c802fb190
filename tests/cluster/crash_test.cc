#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "tests/cluster/cluster.h"
#include "tests/cluster/load.h"

namespace anchor::cluster {
namespace {

void expect_what_was_told(const Cluster& cluster, const Load& load) {
  ASSERT_EQ(load.surprises(), std::vector<std::string>());
  for (const auto& node : cluster.nodes()) {
    ASSERT_NO_FATAL_FAILURE(expect_what_was_told(*node, load));
  }
  EXPECT_TRUE(cluster.wait_until_equal());
}

TEST(Crash, AcknowledgedWritesOutliveTheLeaderAndThenAllServers) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Load load(cluster);
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  Node& killed = cluster.leader();
  static_cast<void>(load.take_longest_pause());
  killed.kill();
  ASSERT_TRUE(load.wait_for_acknowledged(200)) << "writes do not go on without " << killed.id();
  // A figure to read, and nothing to expect: the machine may be busy.
  const Duration pause = load.take_longest_pause();
  std::cout << "without the leader no write was acknowledged for "
            << std::chrono::duration_cast<std::chrono::milliseconds>(pause).count() << " ms\n";
  killed.start();
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  for (const auto& node : cluster.nodes()) node->kill();
  load.stop();

  for (const auto& node : cluster.nodes()) node->start();
  ASSERT_TRUE(cluster.wait_until_ready());
  expect_what_was_told(cluster, load);
}

// Every server in turn.
void restart_all_under_load(void (*stop)(Node&)) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Load load(cluster);
  for (const auto& node : cluster.nodes()) {
    ASSERT_TRUE(load.wait_for_acknowledged(50));
    stop(*node);
    ASSERT_TRUE(load.wait_for_acknowledged(50));
    node->start();
    ASSERT_TRUE(cluster.wait_until_ready());
  }
  load.stop();
  expect_what_was_told(cluster, load);
}

TEST(Crash, KillingEveryServerInTurnLosesNothing) {
  restart_all_under_load([](Node& node) { node.kill(); });
}

TEST(Crash, RestartingEveryServerInTurnLosesNothing) {
  restart_all_under_load([](Node& node) { EXPECT_EQ(node.terminate(), Ended{.exit_code = 0}); });
}

}  // namespace
}  // namespace anchor::cluster
