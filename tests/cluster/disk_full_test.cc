#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <optional>
#include <string>

#include "tests/cluster/cluster.h"

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

// A file system of its own, in memory; only root may have one.
class SmallDisk {
 public:
  SmallDisk(std::string path, const char* size) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = mount(size, 0);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool resize(const char* size) { return mount(size, MS_REMOUNT); }

 private:
  bool mount(const char* size, unsigned long flags) const {
    const std::string options = std::string("size=") + size;
    return ::mount("tmpfs", path_.c_str(), "tmpfs", flags, options.c_str()) == 0;
  }

  std::string path_;
  bool mounted_ = false;
};

TEST(FullDisk, EndsTheServerWhichGoesOnOnceThereIsRoom) {
  Cluster cluster;
  SmallDisk disk(cluster[0].data_directory(), "1m");
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

}  // namespace
}  // namespace anchor::cluster
