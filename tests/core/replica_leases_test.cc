#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "core/kv/lease_query.h"
#include "core/replica.h"
#include "tests/core/replicas.h"

namespace anchor {
namespace {

// A lease that the server's client is granted, in a cluster where all goes well.
kv::LeaseId grant(Servers& servers, int server, Duration ttl) {
  const RequestId id = servers[server].ask(kv::Command(kv::GrantLease{ttl}), 10s);
  servers.settle();
  const auto* applied = servers[server].answer<WriteApplied>(id);
  return std::get<kv::LeaseGranted>(applied->result).id;
}

void put_with(Servers& servers, std::string key, kv::LeaseId lease) {
  kv::Put put{.key = std::move(key), .value = {}, .condition = {}};
  put.lease = lease;
  servers[1].ask(kv::Command(std::move(put)), 10s);
  servers.settle();
}

RequestId keep_alive(Servers& servers, int server, kv::LeaseId lease) {
  return servers[server].ask(kv::LeaseQuery{.id = lease, .keep_alive = true}, 10s);
}

// Heartbeat by heartbeat, so that the leader leads on.
void pass(Servers& servers, Duration time, int leader = 1) {
  const Duration step = Replica::Options().raft.heartbeat_interval;
  for (Duration passed{}; passed < time; passed += step) {
    for (int server = 1; server <= 3; ++server) {
      if (server != leader) servers[server].wait(step);
    }
    servers.heartbeat(leader);
  }
}

bool has_lease(Servers& servers, int server, kv::LeaseId lease) {
  return servers[server].store().leases().find(lease).has_value();
}

TEST(ReplicaLeases, OneThatNobodyKeepsAliveEndsWithItsKeysEverywhere) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 2, 1s);
  put_with(servers, "a", lease);
  pass(servers, 900ms);
  EXPECT_TRUE(has_lease(servers, 1, lease));
  pass(servers, 300ms);
  for (int server = 1; server <= 3; ++server) {
    EXPECT_FALSE(has_lease(servers, server, lease)) << server;
    EXPECT_EQ(version_of(servers[server], "a"), 0U) << server;
  }
}

TEST(ReplicaLeases, OneThatIsKeptAliveFromAnywhereStays) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 1s);
  for (int server = 1; server <= 3; ++server) {
    pass(servers, 800ms);
    const RequestId kept = keep_alive(servers, server, lease);
    servers.settle();
    servers.heartbeat(1);
    const auto* told = servers[server].answer<LeaseTold>(kept);
    ASSERT_TRUE(told && told->answer) << server;
    EXPECT_EQ(told->answer->ttl, 1s);
  }
  EXPECT_TRUE(has_lease(servers, 1, lease));
}

// Else a leader that is one no more could promise what its successor does not know of.
TEST(ReplicaLeases, NobodyIsToldThatOneIsKeptAliveUntilTheLeaderKnowsThatItLeads) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 10s);
  servers.cut_off(1);
  const RequestId kept = keep_alive(servers, 1, lease);
  servers.settle();
  EXPECT_FALSE(servers[1].answered(kept));
  servers.elect(2);
  servers.reconnect(1);
  servers.heartbeat(2);
  servers.settle();
  servers.heartbeat(2);
  servers.settle();
  ASSERT_TRUE(servers[1].answer<LeaseTold>(kept)) << "the next leader has answered it";
  EXPECT_EQ(servers[1].store().revision(), servers[2].store().revision());
}

TEST(ReplicaLeases, ANewLeaderGivesEachAllOfItsTimeAnew) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 2s);
  pass(servers, 1500ms);
  servers.cut_off(1);
  servers.elect(2);
  pass(servers, 1500ms, 2);
  EXPECT_TRUE(has_lease(servers, 2, lease));
  pass(servers, 1s, 2);
  EXPECT_FALSE(has_lease(servers, 2, lease));
}

// etcd #15247: a deposed leader's timer must end nothing.
TEST(ReplicaLeases, ALeaderThatIsCutOffEndsNone) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 1s);
  servers.cut_off(1);
  servers[1].wait(2s);
  servers.elect(2);
  const RequestId kept = keep_alive(servers, 2, lease);
  servers.settle();
  servers.reconnect(1);
  servers.heartbeat(2);
  servers.settle();
  ASSERT_TRUE(servers[2].answer<LeaseTold>(kept));
  EXPECT_TRUE(servers[2].answer<LeaseTold>(kept)->answer);
  EXPECT_TRUE(has_lease(servers, 1, lease));
  EXPECT_TRUE(has_lease(servers, 2, lease));
}

// With its leader the end may be lost, and the lease live on.
TEST(ReplicaLeases, OneWhoseEndIsOnItsWayIsNotSaidToBeGoneBeforeItIs) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 1s);
  pass(servers, 1s);
  servers[1].wait(25ms);
  const RequestId kept = keep_alive(servers, 1, lease);
  // A round that confirms that it leads, without the entry being durable anywhere else.
  for (raft::Message& message : servers[1].take_sent()) {
    auto* append = std::get_if<raft::AppendEntries>(&message.body);
    if (append != nullptr) append->entries.clear();
    servers.carry(std::move(message));
  }
  for (int server = 2; server <= 3; ++server) {
    for (raft::Message& message : servers[server].take_sent()) servers.carry(std::move(message));
  }
  EXPECT_TRUE(has_lease(servers, 1, lease));
  EXPECT_FALSE(servers[1].answered(kept));
  servers.heartbeat(1);
  servers.heartbeat(1);
  ASSERT_TRUE(servers[1].answer<LeaseTold>(kept));
  EXPECT_FALSE(servers[1].answer<LeaseTold>(kept)->answer);
  EXPECT_FALSE(has_lease(servers, 1, lease));
}

TEST(ReplicaLeases, OneOfAnotherTermIsEndedByNobody) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 60s);
  const std::uint64_t term = servers[1].term().value();
  // By whoever asks on this server, of which clients' commands are not held to be its own.
  servers[1].ask(kv::Command(kv::ExpireLeases{.term = term - 1, .leases = {lease}}), 10s);
  servers.settle();
  EXPECT_TRUE(has_lease(servers, 1, lease));
}

TEST(ReplicaLeases, WhatOnlyALeaderProposesIsTakenFromNobodyElse) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 60s);
  const std::uint64_t term = servers[1].term().value();
  const RequestId forged =
      servers[2].ask(kv::Command(kv::ExpireLeases{.term = term, .leases = {lease}}), 10s);
  servers.settle();
  const auto* applied = servers[2].answer<WriteApplied>(forged);
  ASSERT_NE(applied, nullptr);
  EXPECT_TRUE(std::holds_alternative<kv::InvalidCommand>(applied->result));
  EXPECT_TRUE(has_lease(servers, 1, lease));
}

TEST(ReplicaLeases, AreLookedAtWithTheirKeys) {
  Servers servers = with_leader();
  const kv::LeaseId lease = grant(servers, 1, 60s);
  put_with(servers, "b", lease);
  put_with(servers, "a", lease);
  const RequestId asked = servers[3].ask(kv::LeaseQuery{.id = lease}, 10s);
  servers.settle();
  const auto* told = servers[3].answer<LeaseTold>(asked);
  ASSERT_TRUE(told && told->answer);
  EXPECT_EQ(told->answer->keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_GT(told->answer->remaining, 59s);
  EXPECT_LE(told->answer->remaining, 60s);
  EXPECT_FALSE(told->answer->more_keys);
}

TEST(ReplicaLeases, OfOneThatIsNotThereThatIsSaid) {
  Servers servers = with_leader();
  const RequestId asked = keep_alive(servers, 2, kv::LeaseId(77));
  servers.settle();
  const auto* told = servers[2].answer<LeaseTold>(asked);
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->answer);
}

TEST(ReplicaLeases, AreListed) {
  Servers servers = with_leader();
  grant(servers, 1, 60s);
  grant(servers, 2, 70s);
  const RequestId asked = servers[2].ask(Read{.of = AllLeases()}, 10s);
  servers.settle();
  servers.heartbeat(1);
  const auto* read = servers[2].answer<LeasesRead>(asked);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->leases.size(), 2U);
}

// The answer is the first write's, and says nothing of the command.
TEST(ReplicaLeases, ASessionsNumberThatIsUsedAgainForAnotherWriteDoesNoHarm) {
  Servers servers = with_leader();
  const kv::LeaseId shared = grant(servers, 1, 60s);
  servers[1].ask(kv::Command(kv::OpenSession{}), 10s);
  servers.settle();
  const auto write = [&](kv::CommandBody body, std::uint64_t number) {
    const kv::SessionWrite session{kv::SessionId(1), number};
    const RequestId id = servers[1].ask(kv::Command(std::move(body), session), 10s);
    servers.settle();
    return servers[1].answer<WriteApplied>(id);
  };
  kv::Put leased{.key = "a", .value = {}, .condition = {}};
  leased.lease = shared;
  ASSERT_TRUE(write(leased, 1));
  const auto* erased = write(kv::Delete{"a", kv::Always{}}, 1);
  ASSERT_TRUE(erased && std::holds_alternative<kv::PutDone>(erased->result));
  kv::Put brief{.key = "a", .value = {}, .condition = {}};
  brief.ttl = 1s;
  ASSERT_TRUE(write(brief, 1));
  servers.heartbeat(1);
  pass(servers, 2s);
  EXPECT_TRUE(has_lease(servers, 1, shared)) << "its time is its own";
  EXPECT_EQ(version_of(servers[2], "a"), 1U);
}

TEST(ReplicaLeases, ThatAreRevokedAreForgotten) {
  Servers servers = with_leader();
  for (int i = 0; i < 10; ++i) {
    const kv::LeaseId lease = grant(servers, 1, std::chrono::hours(1));
    servers[1].ask(kv::Command(kv::RevokeLease{lease}), 10s);
    servers.settle();
  }
  const auto deadline = servers[1].replica().deadline();
  EXPECT_LT(*deadline - servers[1].now(), std::chrono::hours(1));
  pass(servers, 200ms);
  EXPECT_EQ(servers[1].store().leases().size(), 0U);
}

// --- Locks, whose rules are in locks_test.cc ----------------------------------------------------

RequestId acquire(Servers& servers, int server, Duration wait = {}) {
  return servers[server].ask(AcquireLock{"lock", 10s, wait}, wait + 10s);
}

const LockAcquired* acquired(Servers& servers, int server, RequestId id) {
  const auto* answer = servers[server].answer<LockAnswer>(id);
  return answer == nullptr ? nullptr : std::get_if<LockAcquired>(answer);
}

TEST(ReplicaLocks, GoFromServerToServer) {
  Servers servers = with_leader();
  const RequestId first = acquire(servers, 1);
  servers.settle();
  ASSERT_TRUE(acquired(servers, 1, first));
  const RequestId second = acquire(servers, 2, 20s);
  servers.settle();
  const RequestId third = acquire(servers, 3);
  servers.settle();
  servers.heartbeat(1);
  servers.settle();
  ASSERT_TRUE(servers[3].answer<LockAnswer>(third));
  EXPECT_TRUE(std::holds_alternative<LockHeld>(*servers[3].answer<LockAnswer>(third)));
  EXPECT_FALSE(servers[2].answered(second));
  const RequestId released =
      servers[3].ask(ReleaseLock{"lock", acquired(servers, 1, first)->token}, 10s);
  servers.settle();
  servers.heartbeat(1);
  servers.settle();
  EXPECT_TRUE(servers[3].answer<LockAnswer>(released));
  ASSERT_TRUE(acquired(servers, 2, second));
  EXPECT_GT(acquired(servers, 2, second)->token, acquired(servers, 1, first)->token);
}

TEST(ReplicaLocks, AreTakenInAClusterOfOne) {
  Servers servers(1);
  servers.elect(1);
  const RequestId first = acquire(servers, 1);
  servers.settle();
  ASSERT_TRUE(acquired(servers, 1, first));
  EXPECT_EQ(servers[1].replica().waiting_requests(), 0U);
}

TEST(ReplicaLocks, WhoIsGoneWaitsNoMore) {
  Servers servers = with_leader();
  acquire(servers, 1);
  servers.settle();
  const RequestId gone = acquire(servers, 2, 20s);
  servers.settle();
  servers.heartbeat(1);
  servers[2].step({ClientGone{gone}});
  servers.settle();
  servers.heartbeat(1);
  EXPECT_TRUE(servers[2].answer<LockAnswer>(gone));
  EXPECT_EQ(servers[1].store().leases().size(), 1U);
}

TEST(ReplicaLocks, WithoutALeaderNoneIsTaken) {
  Servers servers(3);
  const RequestId lock = acquire(servers, 1, 20s);
  servers[1].wait(2s);
  EXPECT_TRUE(servers[1].refused(lock, Refusal::kNoLeader));
}

TEST(ReplicaLocks, OnlySoManyAreWaitedFor) {
  Servers servers = with_leader({.waiting_requests = 8});
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(servers[2].answered(acquire(servers, 2, 20s))) << i;
    servers.settle();
  }
  EXPECT_EQ(servers[2].replica().waiting_requests(), 8U);
  EXPECT_TRUE(servers[2].refused(acquire(servers, 2, 20s), Refusal::kOverloaded));
}

}  // namespace
}  // namespace anchor
