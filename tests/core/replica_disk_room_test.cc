#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/replica.h"
#include "tests/core/replicas.h"

// While no quorum has room on its disks, what may grow is refused at once, and nothing else is.
namespace anchor {
namespace {

// n1 leads, and the key "a" is there.
class DiskRoomOf : public testing::Test {
 protected:
  DiskRoomOf() {
    servers_.elect(1);
    EXPECT_TRUE(takes(2, put()));
  }

  static kv::Command put() { return kv::Put{"a", Bytes(), kv::Always{}}; }
  void set_short(int server, bool now = true) {
    servers_[server].step({DiskRoom{now}});
    servers_.heartbeat(1);
    servers_.heartbeat(1);
  }
  RequestId ask(int server, kv::Command command) {
    const RequestId id = servers_[server].ask(std::move(command), 10s);
    servers_.settle();
    servers_.heartbeat(1);
    return id;
  }
  bool takes(int server, kv::Command command) {
    return servers_[server].answer<WriteApplied>(ask(server, std::move(command))) != nullptr;
  }
  bool refuses(int server, kv::Command command) {
    return servers_[server].refused(ask(server, std::move(command)), Refusal::kShortOfDisk);
  }

  kv::SessionId open_session() {
    const RequestId opened = ask(1, kv::OpenSession{});
    const auto* session = servers_[1].answer<WriteApplied>(opened);
    EXPECT_NE(session, nullptr);
    return session == nullptr ? kv::SessionId() : std::get<kv::SessionOpened>(session->result).id;
  }

  static Replica::Options options() {
    Replica::Options options;
    options.snapshot_bytes = 90'000;
    return options;
  }

  Servers servers_{3, options()};
};

TEST_F(DiskRoomOf, OneOfThreeIsNotNeeded) {
  set_short(1);
  EXPECT_TRUE(takes(1, put()));
  set_short(1, false);
  set_short(3);
  EXPECT_TRUE(takes(3, put()));
}

TEST_F(DiskRoomOf, WhatGrowsIsRefusedForClientsOfEveryServer) {
  set_short(1);
  set_short(2);
  for (int server = 1; server <= 3; ++server) {
    EXPECT_TRUE(refuses(server, put()));
    EXPECT_TRUE(refuses(server, kv::OpenSession{}));
    EXPECT_TRUE(refuses(
        server, kv::Transaction{
                    .compare = {}, .success = {}, .failure = {kv::PutOperation{"b", Bytes()}}}));
  }
  EXPECT_EQ(version_of(servers_[1], "a"), 1U);
}

TEST_F(DiskRoomOf, WhatMakesRoomIsTaken) {
  const kv::SessionId id = open_session();
  set_short(2);
  set_short(3);
  EXPECT_TRUE(takes(2, kv::Transaction{.compare = {},
                                       .success = {kv::GetOperation{kv::KeyRange{"a", "b"}}},
                                       .failure = {kv::DeleteOperation{kv::KeyRange{"a", "b"}}}}));
  EXPECT_TRUE(takes(3, kv::Delete{"a", kv::Always{}}));
  EXPECT_TRUE(takes(1, kv::DeleteRange{kv::KeyRange{"a", "z"}}));
  EXPECT_TRUE(takes(2, kv::CloseSession{id}));
  EXPECT_TRUE(takes(2, kv::ChangeSettings{{{"history_revisions", 10}}}));
  EXPECT_FALSE(servers_[1].store().find("a"));
}

TEST_F(DiskRoomOf, ReadsAndChangesOfTheMembersGoOn) {
  set_short(1);
  set_short(2);
  const RequestId read = servers_[2].read("a");
  servers_.settle();
  servers_.heartbeat(1);
  EXPECT_NE(servers_[2].answer<ReadDone>(read), nullptr);
  const RequestId removal = servers_[1].administer(raft::RemoveServer{id_of(3), false});
  servers_.settle();
  servers_.heartbeat(1);
  EXPECT_NE(servers_[1].admin_answer<raft::ConfigurationChanged>(removal), nullptr);
}

TEST_F(DiskRoomOf, WritesGoOnOnceThereIsRoom) {
  set_short(2);
  set_short(3);
  ASSERT_TRUE(refuses(2, put()));
  set_short(3, false);
  EXPECT_TRUE(takes(2, put()));
}

// Who leads next finds out for itself.
TEST_F(DiskRoomOf, TheNextLeaderKnowsToo) {
  set_short(1);
  set_short(2);
  servers_.elect(3);
  servers_.heartbeat(3);
  const RequestId id = servers_[3].ask(put(), 10s);
  EXPECT_TRUE(servers_[3].refused(id, Refusal::kShortOfDisk));
}

// Before it has heard from anybody, if its own disk is full.
TEST_F(DiskRoomOf, TheNextLeaderTakesNothingFirst) {
  servers_[2].step({DiskRoom{true}});
  servers_.cut_off(1);
  servers_[2].wait(4 * Replica::Options{}.raft.election_timeout);
  const RequestId id = servers_[2].ask(put(), 10s);
  ASSERT_FALSE(servers_[2].answered(id));
  servers_.elect(2);
  EXPECT_TRUE(servers_[2].refused(id, Refusal::kShortOfDisk));
}

// It is the room of those that are there which the next commits need.
TEST_F(DiskRoomOf, WhoIsAwayHasNone) {
  servers_.cut_off(3);
  for (int i = 0; i < 20; ++i) servers_.heartbeat(1);
  EXPECT_TRUE(takes(1, put()));
  set_short(2);
  EXPECT_TRUE(refuses(1, put()));
  servers_.reconnect(3);
  servers_.heartbeat(1);
  servers_.heartbeat(1);
  EXPECT_TRUE(takes(1, put()));
}

TEST_F(DiskRoomOf, SessionsDoNotEndBecauseTheirWritesAreRefused) {
  ask(1, kv::ChangeSettings{{{"session_ttl_ms", 1000}}});
  const kv::SessionId id = open_session();
  set_short(1);
  set_short(2);
  for (int times = 0; times < 60; ++times) {
    ASSERT_TRUE(refuses(
        2, {kv::Put{"a", Bytes(), kv::Always{}}, kv::SessionWrite{.session = id, .sequence = 1}}));
  }
  EXPECT_TRUE(servers_[1].store().sessions().find(id));
  set_short(1, false);
  EXPECT_TRUE(takes(
      2, {kv::Put{"a", Bytes(), kv::Always{}}, kv::SessionWrite{.session = id, .sequence = 1}}));
}

// What fills the disk then are the snapshots of before: two are kept, so two more are taken.
TEST_F(DiskRoomOf, SnapshotsAreTakenOnceMostWasDeleted) {
  ask(1, kv::ChangeSettings{{{"history_revisions", 1}}});
  const auto saved = [&](std::uint64_t size_bytes) {
    servers_[2].step(
        {SnapshotSaved{{.position = {servers_[2].replica().applied_index(), servers_[2].term()},
                        .size_bytes = size_bytes,
                        .checksum = 1}}});
  };
  const kv::Command large =
      kv::Put{"large", Bytes::copy_of(std::string(100'000, 'v')), kv::Always{}};
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(takes(1, large));
    ASSERT_TRUE(servers_[2].take_snapshot_save());
    saved(100'000);
  }
  set_short(2);
  EXPECT_FALSE(servers_[2].take_snapshot_save());
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(takes(1, kv::Delete{times == 0 ? "large" : "none", kv::Always{}}));
    ASSERT_TRUE(takes(1, put()));  // so that the history lets go of it
    const auto save = servers_[2].take_snapshot_save();
    ASSERT_TRUE(save) << times;
    EXPECT_FALSE(save->store.find("large"));
    saved(1000);
    servers_[2].take_snapshot_save();
  }
  ASSERT_TRUE(takes(1, put()));
  EXPECT_FALSE(servers_[2].take_snapshot_save());
}

}  // namespace
}  // namespace anchor
