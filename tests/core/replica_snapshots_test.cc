#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/replica.h"
#include "tests/core/replicas.h"

// When a replica has a snapshot written, and what becomes of it when it is given one.
namespace anchor {
namespace {

const std::string kValue(1000, 'v');

Servers with_snapshots_after(std::uint64_t bytes) {
  Replica::Options options;
  options.snapshot_bytes = bytes;
  return with_leader(options);
}

void write(Servers& servers, std::string key) {
  const RequestId id = servers[1].write(std::move(key), kValue);
  servers.settle();
  ASSERT_TRUE(servers[1].answer<WriteApplied>(id));
}

raft::SnapshotFile file_of(const SnapshotSave& save) {
  return {.position = save.position, .size_bytes = 1, .checksum = 1};
}

TEST(ReplicaSnapshots, AreTakenAfterSoManyBytesOfTheStateAsItIsThen) {
  Servers servers = with_snapshots_after(2 * kValue.size());
  write(servers, "a");
  EXPECT_FALSE(servers[1].take_snapshot_save());
  write(servers, "b");
  const auto save = servers[1].take_snapshot_save();
  ASSERT_TRUE(save);
  EXPECT_EQ(save->position.index, servers[1].replica().applied_index());
  write(servers, "c");
  EXPECT_TRUE(save->store.find("b"));
  EXPECT_FALSE(save->store.find("c"));
}

TEST(ReplicaSnapshots, AreTakenOneAtATime) {
  Servers servers = with_snapshots_after(kValue.size());
  write(servers, "a");
  const auto save = servers[1].take_snapshot_save();
  ASSERT_TRUE(save);
  for (int i = 0; i < 5; ++i) write(servers, "b");
  EXPECT_FALSE(servers[1].take_snapshot_save());
  servers[1].step({SnapshotSaved{file_of(*save)}});
  EXPECT_TRUE(servers[1].take_snapshot_save());
}

// n3 lacks all that the others have.
class ReceivedSnapshot : public testing::Test {
 protected:
  ReceivedSnapshot() : servers_(with_snapshots_after(2 * kValue.size())) {
    servers_.cut_off(3);
    write(servers_, "a");
    write(servers_, "b");
    save_ = servers_[1].take_snapshot_save();
  }
  void give_snapshot(Server& server) {
    server.step({SnapshotReceived{file_of(*save_), save_->configuration, save_->store}});
  }

  Servers servers_;
  std::optional<SnapshotSave> save_;
};

TEST_F(ReceivedSnapshot, IsWhatAReplicaGoesOnFrom) {
  ASSERT_TRUE(save_);
  give_snapshot(servers_[3]);
  EXPECT_EQ(servers_[3].replica().applied_index(), save_->position.index);
  EXPECT_EQ(version_of(servers_[3], "b"), 1u);
  servers_.reconnect(3);
  servers_.heartbeat(1);
  write(servers_, "c");
  servers_.heartbeat(1);
  EXPECT_EQ(version_of(servers_[3], "c"), 1u);
  EXPECT_EQ(servers_[3].store().digest(), servers_[1].store().digest());
}

TEST_F(ReceivedSnapshot, TakesNobodyBack) {
  ASSERT_TRUE(save_);
  write(servers_, "c");
  const raft::Index applied = servers_[1].replica().applied_index();
  give_snapshot(servers_[1]);
  EXPECT_EQ(servers_[1].replica().applied_index(), applied);
  EXPECT_EQ(version_of(servers_[1], "c"), 1u);
}

}  // namespace
}  // namespace anchor
