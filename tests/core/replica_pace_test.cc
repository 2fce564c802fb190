#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/replica.h"
#include "tests/core/replicas.h"

// A leader whose log comes near its bound slows writes down, and refuses them at the bound.
namespace anchor {
namespace {

const std::string kValue(1000, 'v');

// There is room for some 40 writes in the log, and no snapshot is ever taken.
Replica::Options narrow() {
  Replica::Options options;
  options.raft.log_bytes = 40 << 10;
  return options;
}

RequestId write(Servers& servers, int number, Duration patience = 10s) {
  const RequestId id = servers[number].write("a", kValue, patience);
  servers.settle();
  return id;
}

bool applied(Servers& servers, int number, RequestId id) {
  return servers[number].answer<WriteApplied>(id) != nullptr;
}

// n1 leads, with a log of somewhat more than half of its bound, and has just taken a write: the
// next must wait.
Servers with_long_log() {
  Servers servers = with_leader(narrow());
  while (applied(servers, 1, write(servers, 1))) {
  }
  return servers;
}

void let_pass(Servers& servers, Duration duration) {
  const Instant end = servers[1].now() + duration;
  while (servers[1].now() < end) servers.heartbeat(1);
}

TEST(ReplicaPace, IsFullWhileTheLogIsShort) {
  Servers servers = with_leader(narrow());
  for (int i = 0; i < 15; ++i) EXPECT_TRUE(applied(servers, 1, write(servers, 1)));
}

TEST(ReplicaPace, LetsEachWriteWaitForItsTurn) {
  Servers servers = with_long_log();
  const RequestId next = write(servers, 1);
  EXPECT_FALSE(servers[1].answered(next));
  ASSERT_TRUE(servers[1].replica().deadline());
  let_pass(servers, 2s);
  EXPECT_TRUE(applied(servers, 1, next));
}

TEST(ReplicaPace, HoldsForwardedWritesToo) {
  Servers servers = with_long_log();
  const RequestId next = write(servers, 2);
  EXPECT_FALSE(servers[2].answered(next));
  let_pass(servers, 2s);
  EXPECT_TRUE(applied(servers, 2, next));
}

TEST(ReplicaPace, RefusesForwardedWritesThatWouldWaitForLong) {
  Servers servers = with_long_log();
  std::vector<RequestId> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(write(servers, 2));
  let_pass(servers, 3s);
  EXPECT_TRUE(applied(servers, 2, ids.front()));
  EXPECT_TRUE(servers[2].refused(ids.back(), Refusal::kOverloaded));
}

TEST(ReplicaPace, IsSharedByTheLeadersOwnClientsAndOthers) {
  Servers servers = with_long_log();
  let_pass(servers, 1s);
  std::vector<RequestId> here, there;
  for (int i = 0; i < 4; ++i) {
    here.push_back(write(servers, 1));
    there.push_back(write(servers, 2));
  }
  let_pass(servers, 1150ms);
  const auto served = [&](int number, const std::vector<RequestId>& ids) {
    return std::ranges::count_if(ids, [&](RequestId id) { return applied(servers, number, id); });
  };
  EXPECT_GE(served(1, here), 1);
  EXPECT_GE(served(2, there), 1);
  EXPECT_LE(served(1, here) + served(2, there), 4);
}

// However many wait, there is room for what need not.
TEST(ReplicaPace, LeavesRoomForReadsAndAdministrators) {
  Replica::Options options = narrow();
  options.waiting_requests = 8;
  Servers servers = with_leader(options);
  while (applied(servers, 1, write(servers, 1))) {
  }
  for (int i = 0; i < 8; ++i) write(servers, 1);
  EXPECT_TRUE(servers[1].refused(write(servers, 1), Refusal::kOverloaded));
  const RequestId read = servers[1].read("a");
  servers.heartbeat(1);
  EXPECT_TRUE(servers[1].answer<ReadDone>(read));
}

TEST(ReplicaPace, RefusesWritesThatCannotWaitSoLong) {
  Servers servers = with_long_log();
  const RequestId next = write(servers, 1, 1ms);
  servers[1].wait(1ms);
  EXPECT_TRUE(servers[1].refused(next, Refusal::kOverloaded));
}

TEST(ReplicaPace, IsNoneOfReads) {
  Servers servers = with_long_log();
  const RequestId id = servers[1].read("a");
  servers.heartbeat(1);
  EXPECT_TRUE(servers[1].answer<ReadDone>(id));
}

// They may be what makes room.
TEST(ReplicaPace, IsNoneOfChangesOfTheMembers) {
  Servers servers = with_long_log();
  const RequestId write_waits = write(servers, 1);
  const RequestId here = servers[1].administer(raft::AddServer{.id = id_of(4),
                                                               .address = "n4:9001",
                                                               .http_address = "n4:8001",
                                                               .join_token = 1,
                                                               .learner = true});
  servers.settle();
  EXPECT_TRUE(servers[1].admin_answer<raft::ConfigurationChanged>(here));
  const RequestId forwarded = servers[2].administer(raft::RemoveServer{.id = id_of(4)});
  servers.settle();
  EXPECT_TRUE(servers[2].admin_answer<raft::ConfigurationChanged>(forwarded));
  EXPECT_FALSE(servers[1].answered(write_waits));
}

TEST(ReplicaPace, EndsAtTheBound) {
  Servers servers = with_long_log();
  bool refused = false;
  for (int i = 0; i < 40 && !refused; ++i) {
    const RequestId id = write(servers, 1);
    refused = servers[1].refused(id, Refusal::kOverloaded);
    let_pass(servers, 2200ms);
    EXPECT_TRUE(servers[1].answered(id));
  }
  EXPECT_TRUE(refused);
  EXPECT_LE(servers[1].replica().raft().log().bytes(), (40U << 10) + 2 * kValue.size());
}

TEST(ReplicaPace, OfADeposedLeaderHoldsNothingBack) {
  Servers servers = with_long_log();
  const RequestId next = write(servers, 2);
  servers.cut_off(1);
  servers[2].step({PeerUnreachable{id_of(1)}});
  servers.elect(3);
  servers.reconnect(1);
  servers.heartbeat(3);
  EXPECT_FALSE(servers[1].leads());
  EXPECT_FALSE(servers[2].refused(next, Refusal::kOverloaded));
}

}  // namespace
}  // namespace anchor
