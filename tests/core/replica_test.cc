#include "core/replica.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/replicas.h"

namespace anchor {
namespace {

constexpr Replica::Options kDefaults{};

TEST(ReplicaWrites, AreAnsweredOnceAQuorumHasThem) {
  Servers servers = with_leader();
  const RequestId id = servers[1].write("a");
  servers[1].complete_writes();
  EXPECT_FALSE(servers[1].answered(id));
  servers.settle();
  ASSERT_TRUE(servers[1].answer<WriteApplied>(id));
  EXPECT_EQ(servers[1].answer<WriteApplied>(id)->result,
            kv::CommandResult(kv::PutDone{kv::Revision(2)}));
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

TEST(ReplicaWrites, GoFromAFollowerToTheLeaderAndBack) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers.settle();
  ASSERT_TRUE(servers[2].answer<WriteApplied>(id));
  EXPECT_EQ(servers[2].answer<WriteApplied>(id)->result,
            kv::CommandResult(kv::PutDone{kv::Revision(2)}));
}

TEST(ReplicaWrites, OfOneTurnAreOneBatchForTheDiskAndForEachFollower) {
  Servers servers = with_leader();
  std::vector<Input> requests;
  for (int i = 0; i < 10; ++i) {
    requests.push_back(ClientRequest{.id = servers[1].next_request(),
                                     .deadline = servers[1].now() + 10s,
                                     .body = kv::Command(kv::Put{"a", {}, kv::Always{}})});
  }
  servers[1].step(requests);
  const auto appends = servers[1].sent<raft::AppendEntries>();
  ASSERT_EQ(appends.size(), 2u);
  EXPECT_EQ(appends[0].entries.size(), 10u);
}

TEST(ReplicaWrites, WaitForALeaderToBeElected) {
  Servers servers(3);
  const RequestId id = servers[1].write("a");
  servers.elect(1);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(id));
}

TEST(ReplicaWrites, AreRefusedWhenNoLeaderIsKnownForTooLong) {
  Servers servers(3);
  const RequestId id = servers[1].write("a");
  servers[1].wait(kDefaults.leader_wait - 1us);
  EXPECT_FALSE(servers[1].answered(id));
  servers[1].wait(1us);
  EXPECT_TRUE(servers[1].refused(id, Refusal::kNoLeader));
}

TEST(ReplicaWrites, AreRefusedAtTheirDeadlineIfThatIsSooner) {
  Servers servers(3);
  const RequestId id = servers[1].write("a", "1", 10ms);
  EXPECT_EQ(servers[1].replica().deadline(), servers[1].now() + 10ms);
  servers[1].wait(10ms);
  EXPECT_TRUE(servers[1].refused(id, Refusal::kNoLeader));
}

TEST(ReplicaWrites, InTheLogOfALeaderThatCannotCommitThemAreUnknownAtTheirDeadline) {
  Servers servers = with_leader();
  const RequestId id = servers[1].write("a", "1", 100ms);
  servers[1].wait(99ms);
  EXPECT_FALSE(servers[1].answered(id));
  servers[1].wait(1ms);
  EXPECT_TRUE(servers[1].answer<OutcomeUnknown>(id));
}

TEST(ReplicaWrites, ForwardedAndNeverAnsweredAreUnknownAtTheirDeadline) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[2].write("a", "1", 100ms);
  servers[2].wait(100ms);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(id));
}

TEST(ReplicaWrites, ForwardedToALeaderThatCannotBeReachedAreGivenUpSooner) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a", "1", 60s);
  servers[2].step({PeerUnreachable{id_of(1)}});
  servers[2].wait(kDefaults.leader_wait);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(id));
}

TEST(ReplicaWrites, ForwardedBeforeTheLeaderChangedAreGivenUpSooner) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[2].write("a", "1", 60s);
  servers.elect(3);
  servers[2].wait(kDefaults.leader_wait);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(id));
}

TEST(ReplicaWrites, OfALeaderWhoseEntryWasReplacedGoToTheNextOneAndAreAppliedOnce) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[1].write("a");
  servers[1].complete_writes();
  servers.elect(2);
  servers.reconnect(1);
  EXPECT_FALSE(servers[1].answered(id));
  servers.heartbeat(2);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[2], "a"), 1u);
}

TEST(ReplicaWrites, OfALeaderThatWasDeposedAreAnsweredWhenTheNextOneCommitsThem) {
  Servers servers = with_leader();
  const RequestId id = servers[1].write("a");
  servers[1].complete_writes();
  // n2 has the entry when n1 is cut off, and its answer is lost.
  for (raft::Message& message : servers[1].take_sent()) {
    if (message.to.id == id_of(2)) servers.carry(std::move(message));
  }
  servers.cut_off(1);
  servers.elect(2);
  EXPECT_FALSE(servers[1].answered(id));
  servers.reconnect(1);
  servers.heartbeat(2);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

TEST(ReplicaWrites, AboveTheLimitOfWaitingRequestsAreRefused) {
  Servers servers(3, {.waiting_requests = 2});
  servers[1].write("a");
  servers[1].read("a");
  const RequestId write = servers[1].write("a");
  const RequestId read = servers[1].read("a");
  EXPECT_TRUE(servers[1].refused(write, Refusal::kOverloaded));
  EXPECT_TRUE(servers[1].refused(read, Refusal::kOverloaded));
}

TEST(ReplicaWrites, AboveTheLimitOfWaitingBytesAreRefused) {
  Servers servers(3, {.waiting_bytes = 1000});
  const RequestId first = servers[1].write("a", std::string(1000, 'v'));
  EXPECT_FALSE(servers[1].answered(first));
  EXPECT_TRUE(servers[1].refused(servers[1].write("a"), Refusal::kOverloaded));
  servers.elect(1);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(first));
  EXPECT_FALSE(servers[1].answered(servers[1].write("a")));
}

TEST(ReplicaWrites, WhatMayPutThingsRightHasRoomBeyondTheLimits) {
  Servers servers(3, {.waiting_requests = 2});
  servers[1].read("a");
  servers[1].read("a");
  const auto erase = [&] {
    return servers[1].ask(kv::Command(kv::DeleteRange{kv::KeyRange::of_prefix("a")}), 10s);
  };
  EXPECT_TRUE(servers[1].refused(servers[1].read("a"), Refusal::kOverloaded));
  const RequestId first = erase();
  EXPECT_FALSE(servers[1].answered(first));
  EXPECT_TRUE(servers[1].refused(erase(), Refusal::kOverloaded));

  Servers others(3, {.waiting_requests = 2});
  others[1].read("a");
  others[1].read("a");
  EXPECT_FALSE(others[1].answered(others[1].administer(raft::RemoveServer{id_of(3), true})));
}

// The lists in which they wait are bounded by the requests that there are: an assertion of each
// step.
TEST(ReplicaWrites, ThatAreRefusedLeaveNothingBehind) {
  Servers servers(3);
  for (int i = 0; i < 1000; ++i) {
    servers[1].write("a", "1", 1ms);
    servers[1].read("a", 1ms);
    servers[1].wait(1ms);
  }
  EXPECT_EQ(servers[1].replica().waiting_requests(), 0u);
}

// The first server, which leads, takes all of them in one step, and hears from the second that they
// are committed.
void commit_at_once(Servers& servers, const std::vector<kv::Command>& commands) {
  std::vector<Input> requests;
  for (const kv::Command& command : commands) {
    requests.push_back(ClientRequest{
        .id = servers[1].next_request(), .deadline = servers[1].now() + 10s, .body = command});
  }
  servers[1].step(requests);
  for (const int number : {1, 2}) {
    servers[number].complete_writes();
    for (raft::Message& message : servers[number].take_sent()) servers.carry(std::move(message));
  }
}

// A long log, as after a restart, is applied bit by bit, since a leader must not be silent for
// long.
TEST(ReplicaWrites, AreAppliedAFewAtATime) {
  Replica::Options options;
  options.apply_bytes = 100;
  Servers servers = with_leader(options);
  const kv::Put put{"a", Bytes::copy_of(std::string(100, 'v')), kv::Always{}};
  const std::vector<kv::Command> commands(10, kv::Command(put));
  commit_at_once(servers, commands);
  const Replica& leader = servers[1].replica();
  for (std::uint64_t applied = 1; applied <= 10; ++applied) {
    EXPECT_EQ(version_of(servers[1], "a"), applied);
    const bool all = leader.applied_index() == leader.raft().commit_index();
    EXPECT_EQ(all, applied == 10);
    EXPECT_EQ(leader.deadline() == servers[1].now(), !all);
    servers[1].step();
  }
}

// What they read or delete counts, however little they say.
TEST(ReplicaWrites, ThatReadMuchAreAppliedFewerAtATime) {
  Replica::Options options;
  options.apply_bytes = 5000;
  Servers servers = with_leader(options);
  servers[1].write("a", std::string(10'000, 'v'));
  servers.settle();
  const kv::Transaction reads{{}, {kv::GetOperation{.range = kv::KeyRange()}}, {}};
  const std::vector<kv::Command> commands(3, kv::Command(reads));
  commit_at_once(servers, commands);
  const Replica& leader = servers[1].replica();
  const raft::Index last = leader.raft().commit_index();
  EXPECT_EQ(last - leader.applied_index(), 2u);
  servers[1].step();
  EXPECT_EQ(last - leader.applied_index(), 1u);
}

TEST(ReplicaWrites, AboveTheLimitOfUncommittedBytesAreRefused) {
  Replica::Options options;
  options.raft.uncommitted_bytes = 1000;
  Servers servers = with_leader(options);
  const RequestId fits = servers[1].write("a", std::string(600, 'v'));
  const RequestId above = servers[1].write("a", std::string(600, 'v'));
  EXPECT_TRUE(servers[1].refused(above, Refusal::kOverloaded));
  const RequestId forwarded = servers[2].write("a", std::string(600, 'v'));
  for (raft::Message& message : servers[2].take_sent()) servers.carry(std::move(message));
  servers.settle();
  EXPECT_TRUE(servers[2].refused(forwarded, Refusal::kOverloaded));
  EXPECT_TRUE(servers[1].answer<WriteApplied>(fits));
}

}  // namespace
}  // namespace anchor
