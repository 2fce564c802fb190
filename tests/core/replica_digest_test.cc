#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/replica.h"
#include "tests/core/replicas.h"

// What replicas do when their states differ.
namespace anchor {
namespace {

// n1 leads; all have the key "a".
class Digests : public testing::Test {
 protected:
  explicit Digests(int count = 3) : servers_(count, options()) {
    servers_.elect(1);
    write(1);
  }

  static Replica::Options options() {
    Replica::Options options;
    options.digest_interval = 1s;
    return options;
  }

  bool write(int server) {
    const RequestId id = servers_[server].write("a");
    servers_.settle();
    servers_.heartbeat(1);
    return servers_[server].answer<WriteApplied>(id) != nullptr;
  }
  bool reads(int server, Consistency consistency = Consistency::kLinearizable) {
    const RequestId id =
        servers_[server].ask(Read{.of = std::string("a"), .consistency = consistency}, 10s);
    servers_.settle();
    servers_.heartbeat(1);
    return servers_[server].answer<ReadDone>(id) != nullptr;
  }
  bool refuses(int server) {
    return servers_[server].refused(servers_[server].write("a"), Refusal::kStateDistrusted) &&
           servers_[server].refused(
               servers_[server].ask(
                   Read{.of = std::string("a"), .consistency = Consistency::kStale}, 10s),
               Refusal::kStateDistrusted);
  }
  // So that what is due is due at least once, with all that follows.
  void check(int leader = 1) {
    for (Duration waited{}; waited < 6s; waited += 50ms) servers_.heartbeat(leader);
  }
  // A snapshot of the leader's, of what it has now, reaches the server.
  void reinstall(int leader, int server) {
    const auto save = servers_[leader].take_snapshot_save();
    ASSERT_TRUE(save);
    const raft::SnapshotFile file{.position = save->position, .size_bytes = 1, .checksum = 1};
    servers_[leader].step({SnapshotSaved{file}});
    servers_.heartbeat(leader);
    servers_[server].step({SnapshotReceived{file, save->configuration, save->store}});
    servers_.heartbeat(leader);
  }

  Servers servers_;
};

class TwoDigests : public Digests {
 protected:
  TwoDigests() : Digests(2) {}
};

TEST_F(Digests, AreComparedAndAgree) {
  check();
  for (int server = 1; server <= 3; ++server) {
    EXPECT_GT(servers_[server].store().digest_check().number, 0u);
    EXPECT_TRUE(servers_[server].replica().serves());
    EXPECT_TRUE(reads(server));
  }
}

TEST_F(Digests, AreNotComparedAgainWhileNothingChanges) {
  check();
  const auto before = servers_[1].store().digest_check();
  check();
  EXPECT_EQ(servers_[1].store().digest_check(), before);
  write(2);
  check();
  EXPECT_NE(servers_[1].store().digest_check(), before);
}

TEST_F(Digests, WhoeverDiffersStopsServing) {
  servers_[3].damage();
  check();
  EXPECT_TRUE(refuses(3));
  EXPECT_TRUE(servers_[1].replica().serves());
  EXPECT_TRUE(servers_[2].replica().serves());
  EXPECT_TRUE(reads(2));
}

TEST_F(Digests, WhatWaitsThenIsRefused) {
  servers_[3].damage();
  servers_.cut_off(3);
  check();
  const RequestId id = servers_[3].read("a");
  servers_[3].take_sent();  // what it asks the leader is lost
  servers_.reconnect(3);
  servers_.heartbeat(1);
  servers_.heartbeat(1);
  EXPECT_TRUE(servers_[3].refused(id, Refusal::kStateDistrusted));
}

TEST_F(Digests, WhoeverDiffersVotesAndAcknowledgesAllTheSame) {
  servers_[3].damage();
  check();
  servers_.cut_off(2);
  EXPECT_TRUE(write(1));
}

TEST_F(Digests, WhoeverDiffersGoesOnFromAnothersSnapshot) {
  servers_[3].damage();
  check();
  reinstall(1, 3);
  EXPECT_TRUE(servers_[3].replica().serves());
  EXPECT_EQ(servers_[3].store().digest(), servers_[1].store().digest());
  EXPECT_TRUE(write(3));
  EXPECT_EQ(servers_[3].store().digest(), servers_[1].store().digest());
}

TEST_F(Digests, ASnapshotFromBeforeIsNotEnough) {
  const kv::Store before = servers_[1].store();
  const raft::LogPosition position{servers_[1].replica().applied_index(), servers_[1].term()};
  const auto configuration = servers_[1].replica().raft().log().configuration_at(position.index);
  servers_[3].damage();
  check();
  const raft::SnapshotFile file{.position = position, .size_bytes = 1, .checksum = 1};
  servers_[3].step({SnapshotReceived{file, configuration, before}});
  EXPECT_FALSE(servers_[3].replica().serves());
}

TEST_F(Digests, WhoeverDiffersSavesNoSnapshot) {
  servers_[3].damage();
  check();
  EXPECT_FALSE(servers_[3].take_snapshot_save());
}

// It finds out from its own entry in the log, and from nobody's word.
TEST_F(Digests, ALeaderThatDiffersHandsOver) {
  servers_[1].damage();
  check();
  EXPECT_FALSE(servers_[1].leads());
  EXPECT_TRUE(refuses(1));
  const int next = servers_[2].leads() ? 2 : 3;
  ASSERT_TRUE(servers_[next].leads());
  servers_.heartbeat(next);
  reinstall(next, 1);
  EXPECT_TRUE(servers_[1].replica().serves());
  EXPECT_EQ(servers_[1].store().digest(), servers_[next].store().digest());
}

TEST_F(Digests, WhoeverWasAwayIsJudgedWhenItIsBack) {
  servers_[3].damage();
  servers_.cut_off(3);
  check();
  EXPECT_TRUE(servers_[3].replica().serves());
  servers_.reconnect(3);
  servers_.heartbeat(1);
  servers_.heartbeat(1);
  EXPECT_TRUE(refuses(3));
}

TEST_F(Digests, KnowAfterARestartThatTheyDiffer) {
  servers_[3].damage();
  check();
  servers_[3].restart();
  EXPECT_TRUE(refuses(3));
  servers_.heartbeat(1);
  servers_.heartbeat(1);
  reinstall(1, 3);
  EXPECT_TRUE(servers_[3].replica().serves());
}

TEST_F(TwoDigests, WithoutAMajorityNobodyServesAndNobodyReinstalls) {
  servers_[2].damage();
  check();
  EXPECT_TRUE(refuses(1));
  EXPECT_TRUE(refuses(2));
  EXPECT_TRUE(servers_[1].leads());
  EXPECT_EQ(servers_[1].replica().raft().state().hard_state.distrusted, raft::Index());
  EXPECT_FALSE(servers_[1].take_snapshot_save());
}

// Members can be removed: the operator says whose state is wrong.
TEST_F(TwoDigests, WhoeverIsLeftServesAgain) {
  servers_[2].damage();
  check();
  const RequestId id = servers_[1].administer(raft::RemoveServer{id_of(2), true});
  servers_.settle();
  check();
  EXPECT_TRUE(servers_[1].answered(id));
  EXPECT_TRUE(servers_[1].replica().serves());
  EXPECT_TRUE(write(1));
}

// Nobody could use them meanwhile.
TEST_F(TwoDigests, SessionsLastTheirTimeAnewOnceServersServeAgain) {
  servers_[1].ask(kv::Command(kv::ChangeSettings{{{"session_ttl_ms", 10'000}}}), 10s);
  servers_[1].ask(kv::Command(kv::OpenSession{}), 10s);
  servers_.settle();
  const auto open = [&] { return servers_[1].store().sessions().table().tree().size(); };
  ASSERT_EQ(open(), 1U);
  servers_[2].damage();
  for (int times = 0; times < 3; ++times) check();
  ASSERT_TRUE(refuses(1));
  servers_[1].administer(raft::RemoveServer{id_of(2), true});
  servers_.settle();
  check();
  ASSERT_TRUE(servers_[1].replica().serves());
  EXPECT_EQ(open(), 1U);
  check();
  check();
  EXPECT_EQ(open(), 0U);
}

}  // namespace
}  // namespace anchor
