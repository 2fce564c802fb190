#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cluster/membership.h"

namespace anchor::cluster {
namespace {

// Servers that cut their logs early.
class Compaction : public Membership {
 protected:
  void grow(std::size_t count) {
    cluster_[0].start(kOptions);
    ASSERT_TRUE(becomes_ready(cluster_[0]));
    for (std::size_t i = 1; i < count; ++i) add(i);
  }
  void add(std::size_t i) {
    std::vector<std::string> options = kOptions;
    options.insert(options.end(), {"--peers", cluster_[0].peer_address()});
    cluster_[i].start(options);
    ASSERT_TRUE(has_voters(cluster_[0], i + 1)) << cluster_[i].output();
    ASSERT_TRUE(becomes_ready(cluster_[i]));
  }
  // Of 1 KiB each, under a few keys.
  void write(int count) {
    const std::string value(1024, 'v');
    for (int i = 0; i < count; ++i) {
      const auto answer = cluster_[0].put("/kv/key" + std::to_string(i % 10), value);
      ASSERT_TRUE(answer && answer->status == 200);
    }
  }
  static std::size_t snapshot_count(const Node& node) {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(node.data_directory() + "/snapshots")) {
      count += entry.path().extension() == ".snap" ? 1 : 0;
    }
    return count;
  }

  // The index that its log begins after.
  static int log_base(const Node& node) {
    const std::string output = node.output();
    const std::string said = "the log begins after index ";
    const std::size_t at = output.rfind(said);
    return at == std::string::npos ? 0 : std::stoi(output.substr(at + said.size()));
  }

  static inline const std::vector<std::string> kOptions{"--snapshot-bytes", "64KiB"};
};

TEST_F(Compaction, LogAndSnapshotsStayBounded) {
  grow(3);
  write(2000);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([&] { return snapshot_count(cluster_[i]) == 2; }));
    // Two megabytes went through a log that is cut every 64 KiB.
    EXPECT_LT(std::filesystem::file_size(cluster_[i].database_path()), 1U << 20);
  }
}

TEST_F(Compaction, NewServerGetsASnapshotAndWhatFollowsIt) {
  grow(3);
  write(300);
  add(3);
  EXPECT_TRUE(cluster_[3].output().contains("installed the snapshot at index"));
  EXPECT_EQ(cluster_[3].get("/kv/key3")->body.size(), 1024U);
  EXPECT_TRUE(cluster_.wait_until_equal());
  // It goes on from its own.
  cluster_[3].kill();
  write(20);
  cluster_[3].start();
  ASSERT_TRUE(becomes_ready(cluster_[3]));
  EXPECT_TRUE(cluster_.wait_until_equal());
}

TEST_F(Compaction, ServerThatWasAwayForLongGetsASnapshot) {
  grow(3);
  const int base = log_base(cluster_[0]);
  cluster_[2].kill();
  write(300);
  // For a while the log is kept for it.
  ASSERT_TRUE(eventually([&] { return log_base(cluster_[0]) > base + 100; }));
  cluster_[2].start(kOptions);
  ASSERT_TRUE(becomes_ready(cluster_[2]));
  EXPECT_TRUE(cluster_[2].output().contains("installed the snapshot at index"));
}

TEST_F(Compaction, WholeClusterComesBackFromItsSnapshots) {
  grow(3);
  write(300);
  const auto before = cluster_[0].status();
  for (std::size_t i = 0; i < 3; ++i) cluster_[i].kill();
  for (std::size_t i = 0; i < 3; ++i) cluster_[i].start(kOptions);
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(becomes_ready(cluster_[i]));
  EXPECT_EQ(cluster_[1].status()->at("revision"), before->at("revision"));
  EXPECT_EQ(cluster_[1].get("/kv/key7")->body.size(), 1024U);
}

}  // namespace
}  // namespace anchor::cluster
