#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/cluster/cluster.h"
#include "tests/io/small_disk.h"

namespace anchor::cluster {
namespace {

constexpr Ended kStorage{.exit_code = 10};

// Writes by way of the other servers until this one has ended. How it ended.
std::optional<Ended> write_until_it_ends(const Cluster& cluster, Node& node) {
  const std::string value(64 << 10, 'v');
  const auto others = cluster.others(node);
  std::optional<Ended> ended;
  eventually([&] {
    // While a leader is being elected, a write may fail.
    static_cast<void>(others[0]->put("/kv/large", value));
    ended = node.process().wait(Duration(0));
    return ended.has_value();
  });
  if (ended) node.kill();
  return ended;
}

void expect_service(Cluster& cluster, const Node& without) {
  ASSERT_TRUE(cluster.wait_until_ready());
  for (const Node* node : cluster.others(without)) {
    EXPECT_EQ(node->put("/kv/after", "1")->status, 200);
    EXPECT_EQ(node->get("/kv/after")->body, "1");
  }
}

class FailedWrite : public testing::TestWithParam<const char*> {};

TEST_P(FailedWrite, EndsTheServerAndTheOthersServeOn) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node& node = GetParam() == std::string("leader") ? cluster.leader() : cluster.follower();
  node.process().limit_file_size(std::filesystem::file_size(node.database_path()));
  EXPECT_EQ(write_until_it_ends(cluster, node), kStorage);
  EXPECT_TRUE(node.output().contains(node.database_path())) << node.output();
  expect_service(cluster, node);

  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  EXPECT_EQ(node.get("/kv/after")->body, "1");
  EXPECT_TRUE(cluster.wait_until_equal());
}

INSTANTIATE_TEST_SUITE_P(OfThe, FailedWrite, testing::Values("leader", "follower"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(FullDisk, EndsTheServerWhichGoesOnOnceThereIsRoom) {
  Cluster cluster;
  io::SmallDisk disk(cluster[0].data_directory(), "1m");
  if (!disk.mounted()) GTEST_SKIP() << "a file system cannot be mounted here";
  ASSERT_TRUE(cluster.start());
  EXPECT_EQ(write_until_it_ends(cluster, cluster[0]), kStorage);
  const std::string full = cluster[0].database_path() + " (the disk is full)";
  EXPECT_TRUE(cluster[0].output().contains(full)) << cluster[0].output();
  expect_service(cluster, cluster[0]);

  ASSERT_TRUE(disk.resize("64m"));
  cluster[0].start();
  ASSERT_TRUE(cluster.wait_until_ready());
  EXPECT_EQ(cluster[0].get("/kv/after")->body, "1");
  EXPECT_TRUE(cluster.wait_until_equal());
  cluster[0].kill();
}

// Three servers whose disks fill up together, with a file system each. Skips where there can be
// none.
class FullDisks : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 3; ++i) {
      disks_.push_back(std::make_unique<io::SmallDisk>(cluster_[i].data_directory(), "24m"));
      if (!disks_.back()->mounted()) GTEST_SKIP() << "a file system cannot be mounted here";
    }
    for (std::size_t i = 0; i < 3; ++i) start(i);
    ASSERT_TRUE(cluster_.wait_until_ready());
  }
  void TearDown() override {
    for (std::size_t i = 0; i < 3; ++i) {
      if (cluster_[i].runs()) cluster_[i].kill();
    }
  }
  void start(std::size_t i) {
    std::vector<std::string> options = cluster_.founding_options();
    options.insert(options.end(), {"--disk-reserve", "8MiB"});
    cluster_[i].start(options);
  }
  // By way of each in turn, until the disks are full.
  ::testing::AssertionResult fill() {
    const std::string value(64 << 10, 'v');
    for (int i = 0; i < 1000; ++i) {
      const auto answer = cluster_[i % 3].put("/kv/large" + std::to_string(i), value);
      if (!answer) return ::testing::AssertionFailure() << "no answer";
      if (answer->status == 507) return ::testing::AssertionSuccess();
      if (answer->status != 200) return ::testing::AssertionFailure() << answer->body;
    }
    return ::testing::AssertionFailure() << "the disks do not fill up";
  }

  Cluster cluster_;
  std::vector<std::unique_ptr<io::SmallDisk>> disks_;
};

TEST_F(FullDisks, RefuseWhatGrowsAndTakeTheRest) {
  ASSERT_TRUE(fill());
  int short_of_disk = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto refused = cluster_[i].put("/kv/more", "1");
    EXPECT_EQ(refused->status, 507);
    EXPECT_TRUE(refused->body.starts_with("no_space: ")) << refused->body;
    EXPECT_EQ(cluster_[i].get("/kv/large0")->body.size(), 64U << 10);
    EXPECT_TRUE(cluster_[i].is_ready());
    short_of_disk += cluster_[i].status()->at("short_of_disk").get<bool>() ? 1 : 0;
  }
  EXPECT_GE(short_of_disk, 2);
  EXPECT_EQ(cluster_[0].get("/kv/more")->status, 404);
  // Each finds room in what was kept in reserve.
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(
        cluster_[i % 3].request(io::HttpMethod::kDelete, "/kv/large" + std::to_string(i))->status,
        200)
        << i;
  }
  EXPECT_EQ(post_json(cluster_[0].client(), "/transfer", nlohmann::json::object())->status, 200);
  EXPECT_TRUE(
      eventually([&] { return cluster_.leader().output().contains("refuses writes that grow"); }));
}

TEST_F(FullDisks, AreFullAfterARestartAndTakeEverythingOnceThereIsRoom) {
  ASSERT_TRUE(fill());
  for (std::size_t i = 0; i < 3; ++i) {
    cluster_[i].kill();
    start(i);
  }
  ASSERT_TRUE(cluster_.wait_until_ready());
  EXPECT_TRUE(eventually([&] { return cluster_[0].put("/kv/more", "1")->status == 507; }));
  for (const auto& disk : disks_) ASSERT_TRUE(disk->resize("128m"));
  EXPECT_TRUE(eventually([&] { return cluster_[1].put("/kv/more", "1")->status == 200; }));
  EXPECT_TRUE(eventually([&] { return !cluster_[2].status()->at("short_of_disk"); }));
  EXPECT_TRUE(cluster_.wait_until_equal());
}

}  // namespace
}  // namespace anchor::cluster
