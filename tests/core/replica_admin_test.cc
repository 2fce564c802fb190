#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/replica.h"
#include "tests/core/replicas.h"

// What administrators ask of the cluster, through any server, and what clients notice of it.
namespace anchor {
namespace {

constexpr Replica::Options kDefaults{};
constexpr Duration kTimeout = kDefaults.raft.election_timeout;

raft::AddServer add(int number) {
  return {.id = id_of(number), .address = "host:1", .http_address = "host:2", .join_token = 7};
}
raft::RemoveServer remove(int number) {
  return {.id = id_of(number)};
}
raft::TransferLeadership transfer_to(int number) {
  return {id_of(number)};
}

const raft::Configuration& members(const Server& server) {
  return server.replica().raft().configuration();
}

// As long as a transfer may take.
void wait_for_transfer(Servers& servers, int leader) {
  for (Duration time{}; time < kTimeout; time += kDefaults.raft.heartbeat_interval) {
    servers.heartbeat(leader);
  }
}

// Its target does not hear that it should campaign, nor anything else, until the leader gives up.
void let_transfer_fail(Servers& servers, int leader) {
  wait_for_transfer(servers, leader);
  ASSERT_TRUE(servers[leader].leads());
  ASSERT_FALSE(servers[leader].replica().raft().transferring());
}

// --- Changes of the members ---------------------------------------------------------------------

TEST(ReplicaAdmin, AddingAServerIsAnsweredOnceItIsCommitted) {
  Servers servers = with_leader();
  const RequestId id = servers[1].administer(add(4));
  EXPECT_FALSE(servers[1].answered(id));
  servers.settle();
  const auto* changed = servers[1].admin_answer<raft::ConfigurationChanged>(id);
  ASSERT_TRUE(changed);
  EXPECT_TRUE(changed->configuration->is_learner(id_of(4)));
  EXPECT_EQ(changed->configuration->find(id_of(4))->incarnation.value(), changed->index.value());
}

TEST(ReplicaAdmin, RemovingAServerIsAnsweredOnceTheJointConfigurationIsLeft) {
  Servers servers = with_leader();
  const RequestId id = servers[1].administer(remove(3));
  servers.settle();
  const auto* changed = servers[1].admin_answer<raft::ConfigurationChanged>(id);
  ASSERT_TRUE(changed);
  EXPECT_FALSE(changed->configuration->joint());
  EXPECT_EQ(changed->configuration->voters, (std::vector{id_of(1), id_of(2)}));
}

TEST(ReplicaAdmin, AFollowerAsksItsLeader) {
  Servers servers = with_leader();
  const RequestId added = servers[2].administer(add(4));
  servers.settle();
  servers.heartbeat(1);
  const auto* changed = servers[2].admin_answer<raft::ConfigurationChanged>(added);
  ASSERT_TRUE(changed);
  EXPECT_EQ(*changed->configuration, members(servers[1]));
  const RequestId removed = servers[3].administer(remove(9));
  servers.settle();
  const auto* refused = servers[3].admin_answer<raft::AdminRefused>(removed);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, raft::AdminRefusal::kNotFound);
}

TEST(ReplicaAdmin, WhatIsSoAlreadyIsAnsweredAtOnce) {
  Servers servers = with_leader();
  servers[1].administer(add(4));
  servers.settle();
  const RequestId again = servers[1].administer(add(4));
  const auto* changed = servers[1].admin_answer<raft::ConfigurationChanged>(again);
  ASSERT_TRUE(changed);
  EXPECT_EQ(*changed->configuration, members(servers[1]));
}

TEST(ReplicaAdmin, ARepetitionIsAnsweredTogetherWithTheFirst) {
  Servers servers = with_leader();
  const RequestId first = servers[1].administer(add(4));
  const RequestId again = servers[1].administer(add(4));
  servers.settle();
  EXPECT_TRUE(servers[1].admin_answer<raft::ConfigurationChanged>(first));
  EXPECT_TRUE(servers[1].admin_answer<raft::ConfigurationChanged>(again));
}

TEST(ReplicaAdmin, AnAdmittedServerCatchesUpAndVotes) {
  Servers servers = with_leader();
  servers[1].write("a");
  servers[1].administer(add(4));
  servers.settle();
  servers.join(1);
  for (int i = 0; i < 4; ++i) servers.heartbeat(1);
  EXPECT_TRUE(members(servers[1]).is_voter(id_of(4)));
  EXPECT_FALSE(members(servers[1]).joint());
  EXPECT_EQ(version_of(servers[4], "a"), 1u);
  const RequestId id = servers[4].write("a");
  servers.settle();
  EXPECT_TRUE(servers[4].answer<WriteApplied>(id));
}

// A change that another leader's entries have replaced was not made: the next leader is asked.
TEST(ReplicaAdmin, AChangeThatWasCutOffIsTheNextLeaders) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[1].administer(remove(3));
  servers.settle();
  ASSERT_TRUE(members(servers[1]).joint());
  servers.elect(2);
  servers[1].wait(kTimeout);
  ASSERT_FALSE(servers[1].leads());
  servers.reconnect(1);
  for (int i = 0; i < 3; ++i) servers.heartbeat(2);
  EXPECT_TRUE(servers[1].admin_answer<raft::ConfigurationChanged>(id));
  EXPECT_EQ(members(servers[2]).voters, (std::vector{id_of(1), id_of(2)}));
}

TEST(ReplicaAdmin, WithoutALeaderNothingWasDone) {
  Servers servers(3);
  const RequestId id = servers[1].administer(add(4));
  servers[1].wait(kDefaults.leader_wait);
  EXPECT_TRUE(servers[1].refused(id, Refusal::kNoLeader));
}

TEST(ReplicaAdmin, TheOutcomeIsUnknownIfItIsNotCommittedInTime) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[1].administer(add(4), 100ms);
  servers[1].wait(100ms);
  EXPECT_TRUE(servers[1].answer<OutcomeUnknown>(id));
}

TEST(ReplicaAdmin, TooManyThatWaitAreRefused) {
  Servers servers = with_leader();
  servers.cut_off(1);
  RequestId last;
  for (int i = 0; i < 300; ++i) last = servers[1].administer(add(4));
  const auto* refused = servers[1].admin_answer<raft::AdminRefused>(last);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, raft::AdminRefusal::kNotReady);
}

// --- Transfers ----------------------------------------------------------------------------------

TEST(ReplicaTransfer, IsAnsweredOnceTheOtherLeads) {
  Servers servers = with_leader();
  const RequestId id = servers[1].administer(transfer_to(3));
  EXPECT_FALSE(servers[1].answered(id));
  servers.settle();
  EXPECT_TRUE(servers[3].leads());
  const auto* done = servers[1].admin_answer<raft::LeadershipTransferred>(id);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->leader, id_of(3));
}

TEST(ReplicaTransfer, MayBeAskedOfAFollower) {
  Servers servers = with_leader();
  const RequestId id = servers[2].administer(transfer_to(2));
  servers.settle();
  EXPECT_TRUE(servers[2].leads());
  EXPECT_TRUE(servers[2].admin_answer<raft::LeadershipTransferred>(id));
}

TEST(ReplicaTransfer, ToTheLeaderIsDone) {
  Servers servers = with_leader();
  const RequestId id = servers[1].administer(transfer_to(1));
  EXPECT_TRUE(servers[1].admin_answer<raft::LeadershipTransferred>(id));
}

TEST(ReplicaTransfer, ThatFailsIsRefused) {
  Servers servers = with_leader();
  servers.cut_off(2);
  const RequestId id = servers[1].administer(transfer_to(2));
  let_transfer_fail(servers, 1);
  const auto* refused = servers[1].admin_answer<raft::AdminRefused>(id);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->reason, raft::AdminRefusal::kNotReady);
  EXPECT_EQ(refused->message, "n2 did not take leadership over in time; n1 leads");
}

// Another may win the election that was to be the target's.
TEST(ReplicaTransfer, ThatMadeAnotherLeadIsRefused) {
  Servers servers = with_leader();
  servers.cut_off(2);
  const RequestId id = servers[1].administer(transfer_to(2));
  servers.cut_off(1);
  servers.reconnect(2);
  servers.elect(3);
  servers.reconnect(1);
  servers.heartbeat(3);
  const auto* refused = servers[1].admin_answer<raft::AdminRefused>(id);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->message, "n2 did not take leadership over in time; n3 leads");
}

// --- Writes meanwhile: they wait, and are not lost ----------------------------------------------

TEST(ReplicaTransfer, WritesAtTheLeaderWaitAndGoToTheNextOne) {
  Servers servers = with_leader();
  servers[1].administer(transfer_to(3));
  const RequestId id = servers[1].write("a");
  EXPECT_FALSE(servers[1].answered(id));
  EXPECT_FALSE(servers[1].disk_busy());
  servers.settle();
  servers.heartbeat(3);
  EXPECT_TRUE(servers[3].leads());
  EXPECT_TRUE(servers[1].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[3], "a"), 1u);
}

TEST(ReplicaTransfer, WritesAtTheLeaderGoOnIfItFails) {
  Servers servers = with_leader();
  servers.cut_off(2);
  servers[1].administer(transfer_to(2));
  const RequestId id = servers[1].write("a");
  servers.settle();
  EXPECT_FALSE(servers[1].answered(id));
  let_transfer_fail(servers, 1);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(id));
}

TEST(ReplicaTransfer, WritesBehindTheRequestInOneStepWait) {
  Servers servers = with_leader();
  const RequestId transfer = servers[1].next_request();
  const RequestId write = servers[1].next_request();
  const Instant deadline = servers[1].now() + 10s;
  servers[1].step({ClientRequest{transfer, deadline, raft::AdminRequest(transfer_to(3))},
                   ClientRequest{write, deadline, kv::Command(kv::Put{"a", {}, kv::Always{}})}});
  EXPECT_FALSE(servers[1].disk_busy());
  servers.settle();
  servers.heartbeat(3);
  EXPECT_TRUE(servers[1].answer<WriteApplied>(write));
}

// It stands at the leader when leadership moves: refused there, it goes to the next leader.
TEST(ReplicaTransfer, ForwardedWritesAreRefusedByTheOldLeaderAndGoToTheNext) {
  Servers servers = with_leader();
  servers[1].administer(transfer_to(3));
  const RequestId id = servers[2].write("a");
  for (raft::Message& message : servers[2].take_sent()) servers.carry(std::move(message));
  EXPECT_FALSE(servers[1].disk_busy());
  EXPECT_TRUE(servers[1].sent<raft::ForwardReply>().empty());
  servers.settle();
  servers.heartbeat(3);
  ASSERT_TRUE(servers[3].leads());
  EXPECT_TRUE(servers[2].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[3], "a"), 1u);
}

TEST(ReplicaTransfer, ForwardedWritesAreProposedIfItFails) {
  Servers servers = with_leader();
  servers.cut_off(3);
  servers[1].administer(transfer_to(3));
  const RequestId id = servers[2].write("a");
  servers.settle();
  EXPECT_FALSE(servers[2].answered(id));
  let_transfer_fail(servers, 1);
  EXPECT_TRUE(servers[2].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

TEST(ReplicaTransfer, ForwardedWritesAreTakenOnceAlsoIfTheyWait) {
  Servers servers = with_leader();
  servers.cut_off(3);
  servers[1].administer(transfer_to(3));
  const RequestId id = servers[2].write("a");
  const std::vector<raft::Message> forwarded = servers[2].take_sent();
  for (int i = 0; i < 3; ++i) {
    for (const raft::Message& message : forwarded) servers.carry(message);
  }
  let_transfer_fail(servers, 1);
  EXPECT_TRUE(servers[2].answer<WriteApplied>(id));
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

// The first of them moves leadership again, and the second waits for that.
TEST(ReplicaTransfer, ForwardedRequestsToTransferWaitAsWell) {
  Servers servers = with_leader();
  servers.cut_off(3);
  servers[1].administer(transfer_to(3));
  const RequestId transfer = servers[2].administer(transfer_to(2));
  const RequestId write = servers[2].write("a");
  servers.settle();
  wait_for_transfer(servers, 1);
  servers.heartbeat(2);
  EXPECT_TRUE(servers[2].leads());
  EXPECT_TRUE(servers[2].admin_answer<raft::LeadershipTransferred>(transfer));
  EXPECT_TRUE(servers[2].answer<WriteApplied>(write));
  EXPECT_EQ(version_of(servers[2], "a"), 1u);
}

TEST(ReplicaTransfer, ReadsGoOn) {
  Servers servers = with_leader();
  servers.cut_off(3);
  servers[1].administer(transfer_to(3));
  const RequestId id = servers[2].read("a");
  servers.settle();
  EXPECT_TRUE(servers[2].answer<ReadDone>(id));
}

}  // namespace
}  // namespace anchor
