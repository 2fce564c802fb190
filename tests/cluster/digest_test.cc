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
  void write_of_every_kind(int round) {
    const std::string number = std::to_string(round);
    const auto ask = [&](io::HttpMethod method, const std::string& target, std::string body,
                         std::string headers = {}) {
      const auto answer = cluster_[0].request(
          method, target, {.header_lines = std::move(headers), .body = std::move(body)});
      ASSERT_TRUE(answer && answer->status == 200) << target << ": " << answer->body;
    };
    const auto opened = cluster_[0].request(io::HttpMethod::kPost, "/session");
    ASSERT_TRUE(opened && opened->status == 200);
    const auto session = nlohmann::json::parse(opened->body).at("id").dump();
    ask(io::HttpMethod::kPost, "/txn",
        R"({"success":[{"op":"put","key":"t/)" + number +
            R"(","value":"1"},{"op":"get","prefix":"t/"},)"
            R"({"op":"delete","key":"key3","prev":true}]})",
        "Anchor-Session: " + session + "\r\nAnchor-Sequence: 1\r\n");
    ask(io::HttpMethod::kDelete, "/kv/?prefix=t%2F1", "");
    ask(io::HttpMethod::kPut, "/settings",
        R"({"history_revisions":)" + std::to_string(100 + round) + "}");
    if (round % 2 == 0) ask(io::HttpMethod::kDelete, "/session/" + session, "");
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

// Whoever has taken one at the same entry; whatever there is of keys, history, sessions and
// settings, and though one of them was killed and has its state from a snapshot and its log.
TEST_F(Digests, SnapshotsOfTheSameStateHaveTheSameBytes) {
  std::set<std::string> common;
  for (int round = 0; common.size() < 2 && round < 40; ++round) {
    write_of_every_kind(round);
    write(50);
    if (round == 3) {
      cluster_[2].kill();
      start(2);
      ASSERT_TRUE(cluster_.wait_until_ready());
    }
    const auto first = snapshots_of(cluster_[0]);
    const auto second = snapshots_of(cluster_[1]);
    const auto third = snapshots_of(cluster_[2]);
    for (const auto& [name, bytes] : first) {
      if (round < 4 || !second.contains(name) || !third.contains(name)) continue;
      common.insert(name);
      EXPECT_EQ(bytes, second.at(name));
      EXPECT_EQ(bytes, third.at(name));
    }
  }
  EXPECT_GE(common.size(), 2u);
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
