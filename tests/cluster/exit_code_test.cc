#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

constexpr Ended kFailed{.exit_code = 1};
constexpr Ended kUsage{.exit_code = 2};
constexpr Ended kStorage{.exit_code = 10};
constexpr Ended kIdentity{.exit_code = 11};

bool writes_and_reads(const std::vector<Node*>& nodes) {
  for (Node* node : nodes) {
    const auto put = node->put("/kv/still", "there");
    const auto got = node->get("/kv/still");
    if (!put || put->status != 200 || !got || got->body != "there") return false;
  }
  return true;
}

TEST(ExitCode, PortInUseIsAFailureThatNamesIt) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.peer_port().listen();
  node.start();
  EXPECT_EQ(node.wait(), kFailed);
  EXPECT_TRUE(node.output().contains("--port: cannot listen on " + node.peer_address()))
      << node.output();
}

TEST(ExitCode, HttpPortInUseIsAFailureThatNamesIt) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.http_port().listen();
  node.start();
  EXPECT_EQ(node.wait(), kFailed);
  EXPECT_TRUE(node.output().contains("--http-port: cannot listen on " + node.http_address()))
      << node.output();
}

TEST(ExitCode, DirectoryInUseIsAFailureThatNamesIt) {
  Cluster cluster(2);
  cluster[0].start();
  ASSERT_TRUE(cluster.wait_until_ready());
  auto arguments = cluster[1].arguments();
  arguments[3] = cluster[0].data_directory();
  cluster[1].start_with(arguments);
  EXPECT_EQ(cluster[1].wait(), kFailed);
  EXPECT_TRUE(cluster[1].output().contains(cluster[0].data_directory() + " is in use"))
      << cluster[1].output();
  EXPECT_TRUE(writes_and_reads({&cluster[0]}));
}

TEST(ExitCode, WrongOptionIsAUsageErrorThatNamesIt) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.start({"--election-timeout", "soon"});
  EXPECT_EQ(node.wait(), kUsage);
  EXPECT_TRUE(node.output().contains("--election-timeout: 'soon' is no duration"));
}

TEST(ExitCode, DirectoryOfAnotherIdIsRefused) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  ASSERT_EQ(node.terminate(), Ended{.exit_code = 0});
  auto arguments = node.arguments();
  arguments[1] = "somebody-else";
  node.start_with(arguments);
  EXPECT_EQ(node.wait(), kIdentity);
  EXPECT_TRUE(node.output().contains("is the directory of n1, not of somebody-else"))
      << node.output();
}

TEST(ExitCode, WipedMemberIsNoFounder) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node& wiped = cluster.follower();
  wiped.kill();
  wiped.wipe();
  wiped.start(cluster.founding_options());
  EXPECT_EQ(wiped.wait(), kIdentity);
  EXPECT_TRUE(wiped.output().contains("has a member " + wiped.id())) << wiped.output();
  EXPECT_TRUE(writes_and_reads(cluster.others(wiped)));
}

// Nobody told it that its cluster is elsewhere.
TEST(ExitCode, WipedMemberThatFoundsAloneIsFoundOut) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node& wiped = cluster.follower();
  wiped.kill();
  wiped.wipe();
  wiped.start();
  EXPECT_EQ(wiped.wait(), kIdentity);
  EXPECT_TRUE(
      wiped.output().contains("belongs to another cluster, which has a member " + wiped.id()))
      << wiped.output();
  EXPECT_TRUE(writes_and_reads(cluster.others(wiped)));
}

TEST(ExitCode, StrangerIsToldToJoin) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node stranger("stranger", cluster.path_of("stranger"));
  stranger.start(cluster.founding_options());
  EXPECT_EQ(stranger.wait(), kIdentity);
  EXPECT_TRUE(stranger.output().contains("to join it, start with --peers")) << stranger.output();
}

// One bit in every few hundred bytes, from the second page to the end.
void damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  for (std::streamoff at = 4096; at < size; at += 333) {
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
  }
}

TEST(ExitCode, DamagedLogIsNeverServed) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  ASSERT_TRUE(writes_and_reads(cluster.others(cluster[0])));
  Node& damaged = cluster.leader();
  ASSERT_EQ(damaged.terminate(), Ended{.exit_code = 0});
  damage(damaged.database_path());
  damaged.start();
  EXPECT_EQ(damaged.wait(), kStorage);
  EXPECT_TRUE(damaged.output().contains("raft.db is damaged")) << damaged.output();
  ASSERT_TRUE(cluster.wait_until_ready());
  EXPECT_TRUE(writes_and_reads(cluster.others(damaged)));
}

}  // namespace
}  // namespace anchor::cluster
