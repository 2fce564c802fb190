#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/codec/snapshot_directory.h"
#include "core/codec/snapshot_save.h"
#include "io/snapshot_files.h"
#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

class Digests : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 3; ++i) start(i);
    ASSERT_TRUE(cluster_.wait_until_ready());
  }
  void start(std::size_t i) {
    std::vector<std::string> options = cluster_.founding_options();
    options.insert(options.end(), {"--snapshot-bytes", "64KiB", "--digest-interval", "300ms"});
    cluster_[i].start(options);
  }
  // Of 1 KiB each.
  void write(int count) {
    const std::string value(1024, 'v');
    for (int i = 0; i < count; ++i) {
      const auto answer = cluster_[0].put("/kv/key" + std::to_string(i % 10), value);
      ASSERT_TRUE(answer && answer->status == 200);
    }
  }
  static std::map<std::string, std::string> snapshots_of(const Node& node) {
    std::map<std::string, std::string> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(node.data_directory() + "/snapshots")) {
      if (entry.path().extension() != ".snap") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return files;
  }
  // Its newest snapshot becomes another, whose checksums are right. Requires: it does not run.
  static void damage(const Node& node, raft::ClusterId cluster_id) {
    auto files = io::SnapshotFiles::open(node.data_directory());
    ASSERT_TRUE(files);
    auto found = codec::recover_snapshots(*files, cluster_id);
    ASSERT_TRUE(found && found->newest);
    codec::Snapshot snapshot = *std::move(found->newest);
    snapshot.store.apply(kv::Put{"key1", Bytes::copy_of("never written"), kv::Always{}});
    codec::SnapshotSave save(*files, snapshot.meta, snapshot.store);
    for (;;) {
      const auto done = save.step();
      ASSERT_TRUE(done) << done.error().message;
      if (*done) return;
    }
  }

  Cluster cluster_;
};

// Whoever has taken one at the same entry.
TEST_F(Digests, SnapshotsOfTheSameStateHaveTheSameBytes) {
  std::set<std::string> common;
  for (int round = 0; common.empty() && round < 20; ++round) {
    write(100);
    const auto first = snapshots_of(cluster_[0]);
    const auto second = snapshots_of(cluster_[1]);
    const auto third = snapshots_of(cluster_[2]);
    for (const auto& [name, bytes] : first) {
      if (!second.contains(name) || !third.contains(name)) continue;
      common.insert(name);
      EXPECT_EQ(bytes, second.at(name));
      EXPECT_EQ(bytes, third.at(name));
    }
  }
  EXPECT_FALSE(common.empty());
}

TEST_F(Digests, ServerWhoseStateDiffersFindsOutAndGetsTheMajoritys) {
  write(100);
  Node& node = cluster_.follower();
  const std::size_t i = &node == &cluster_[0] ? 0 : &node == &cluster_[1] ? 1 : 2;
  ASSERT_TRUE(eventually([&] { return !snapshots_of(node).empty(); }));
  const auto cluster_id =
      raft::ClusterId(std::stoull(node.status()->at("cluster_id").get<std::string>(), nullptr, 16));
  node.kill();
  damage(node, cluster_id);
  start(i);
  // Something must change, or there is nothing to compare.
  Node& other = *cluster_.others(node).front();
  const bool found = eventually([&] {
    other.put("/kv/other", "value");
    return node.output().contains("answers nothing: the state at index");
  });
  ASSERT_TRUE(found) << node.output();
  EXPECT_TRUE(eventually([&] { return node.output().contains("answers again"); })) << node.output();
  EXPECT_TRUE(eventually([&] { return node.is_ready(); }));
  EXPECT_EQ(node.get("/kv/key1?consistency=stale")->body, std::string(1024, 'v'));
  EXPECT_TRUE(cluster_.wait_until_equal());
  EXPECT_TRUE(node.status()->at("state_trusted"));
}

}  // namespace
}  // namespace anchor::cluster
