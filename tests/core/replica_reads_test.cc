#include "core/replica.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/core/replicas.h"

namespace anchor {
namespace {

constexpr Replica::Options kDefaults{};

TEST(ReplicaReads, WaitUntilTheLeaderKnowsThatItStillLeads) {
  Servers servers = with_leader();
  const RequestId id = servers[1].read("a");
  EXPECT_FALSE(servers[1].answered(id));
  servers.settle();
  EXPECT_TRUE(servers[1].answer<ReadDone>(id));
}

TEST(ReplicaReads, SeeWhatWasWrittenBefore) {
  Servers servers = with_leader();
  servers[2].write("a", "1");
  servers.settle();
  for (int server = 1; server <= 3; ++server) {
    const RequestId present = servers[server].read("a");
    const RequestId absent = servers[server].read("b");
    servers.settle();
    servers.heartbeat(1);
    const auto* found = servers[server].answer<ReadDone>(present);
    ASSERT_TRUE(found && found->item) << server;
    EXPECT_EQ(as_text(found->item->value()), "1");
    EXPECT_EQ(found->revision, kv::Revision(2));
    ASSERT_TRUE(servers[server].answer<ReadDone>(absent));
    EXPECT_FALSE(servers[server].answer<ReadDone>(absent)->item);
  }
}

TEST(ReplicaReads, OfOneTurnAreOneQuestionToTheLeader) {
  Servers servers = with_leader();
  std::vector<Input> requests;
  for (int i = 0; i < 5; ++i) {
    requests.push_back(ClientRequest{
        .id = servers[2].next_request(), .deadline = servers[2].now() + 10s, .body = Read{"a"}});
  }
  servers[2].step(requests);
  EXPECT_EQ(servers[2].sent<raft::ReadIndexRequest>().size(), 1u);
  servers.settle();
  for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_TRUE(servers[2].answer<ReadDone>(RequestId(id)));
}

// The answer to a question that was asked before them says nothing about now.
TEST(ReplicaReads, ThatComeWhileAQuestionIsOutWaitForTheNextOne) {
  Servers servers = with_leader();
  const RequestId first = servers[2].read("a");
  std::vector<raft::Message> question = servers[2].take_sent();
  const RequestId second = servers[2].read("a");
  const RequestId third = servers[2].read("a");
  EXPECT_TRUE(servers[2].take_sent().empty());
  servers[2].hear(1,
                  raft::ReadIndexReply{
                      .context = 1, .requester_boot = raft::Boot(1), .read_index = raft::Index(2)});
  EXPECT_TRUE(servers[2].answer<ReadDone>(first));
  EXPECT_FALSE(servers[2].answered(second));
  const auto next = servers[2].sent<raft::ReadIndexRequest>();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].context, 2u);
  servers.settle();
  EXPECT_TRUE(servers[2].answer<ReadDone>(second));
  EXPECT_TRUE(servers[2].answer<ReadDone>(third));
}

// The answer makes room for the next question, but there is nobody to ask any more.
TEST(ReplicaReads, AnsweredInTheStepThatLosesTheLeaderAreServed) {
  Servers servers = with_leader();
  const Instant patience_ends = *servers[2].replica().raft().deadline();
  servers[2].wait(patience_ends - servers[2].now() - 1ms);
  const RequestId first = servers[2].read("a");
  const RequestId second = servers[2].read("a");
  const raft::Message reply{
      .from = {id_of(1), raft::Incarnation(0)},
      .from_boot = raft::Boot(1),
      .to = {id_of(2), raft::Incarnation(0)},
      .term = servers[2].term(),
      .body = raft::ReadIndexReply{
          .context = 1, .requester_boot = raft::Boot(1), .read_index = raft::Index(2)}};
  servers[2].wait_and_step(1ms, {PeerMessage{reply}});
  ASSERT_FALSE(servers[2].replica().raft().leader());
  EXPECT_TRUE(servers[2].answer<ReadDone>(first));
  EXPECT_FALSE(servers[2].answered(second));
}

TEST(ReplicaReads, AskAgainUnderAnotherContextWhenNoAnswerComes) {
  Servers servers = with_leader();
  const RequestId id = servers[2].read("a");
  ASSERT_EQ(servers[2].sent<raft::ReadIndexRequest>().size(), 1u);
  servers[2].take_sent();
  servers[2].wait(2 * kDefaults.raft.heartbeat_interval);
  const auto again = servers[2].sent<raft::ReadIndexRequest>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].context, 2u);
  // The answer to the first question was only late: were it not taken, none would ever come in time
  // where messages take longer than that.
  servers[2].hear(1,
                  raft::ReadIndexReply{
                      .context = 1, .requester_boot = raft::Boot(1), .read_index = raft::Index(2)});
  EXPECT_TRUE(servers[2].answer<ReadDone>(id));
}

TEST(ReplicaReads, TakeNoAnswerThatWasForAnEarlierQuestion) {
  Servers servers = with_leader();
  const raft::ReadIndexReply reply{
      .context = 1, .requester_boot = raft::Boot(1), .read_index = raft::Index(2)};
  servers[2].read("a");
  servers[2].hear(1, reply);
  const RequestId id = servers[2].read("a");
  servers[2].hear(1, reply);
  EXPECT_FALSE(servers[2].answered(id));
}

// A lease is only as good as clocks are, and these were not to depend on them.
TEST(ReplicaReads, TakeNoAnswerThatALeaseGave) {
  Servers servers = with_leader();
  servers[2].wait(1ms);
  const RequestId id = servers[2].read("a");
  const auto age = servers[2].replica().data_age();
  raft::ReadIndexReply reply{.context = 1,
                             .requester_boot = raft::Boot(1),
                             .read_index = raft::Index(2),
                             .by_lease = true};
  servers[2].hear(1, reply);
  EXPECT_FALSE(servers[2].answered(id));
  EXPECT_EQ(servers[2].replica().data_age(), age);
  reply.by_lease = false;
  servers[2].hear(1, reply);
  EXPECT_TRUE(servers[2].answer<ReadDone>(id));
}

TEST(ReplicaReads, WaitForTheIndexToBeApplied) {
  Servers servers = with_leader();
  const raft::Index later = servers[2].replica().applied_index().next();
  const RequestId id = servers[2].read("a");
  servers[2].take_sent();
  servers[2].hear(
      1, raft::ReadIndexReply{.context = 1, .requester_boot = raft::Boot(1), .read_index = later});
  EXPECT_FALSE(servers[2].answered(id));
  servers[1].write("a", "1");
  servers.settle();
  servers.heartbeat(1);
  ASSERT_TRUE(servers[2].answer<ReadDone>(id));
  EXPECT_GE(servers[2].answer<ReadDone>(id)->applied_index, later);
}

TEST(ReplicaReads, GoToTheNextLeaderWhenOneIsGone) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[2].read("a");
  servers.settle();
  servers.elect(3);
  EXPECT_TRUE(servers[2].answer<ReadDone>(id));
}

// A read that was not served has done nothing: it is never unknown.
TEST(ReplicaReads, WithoutAnAnswerAreRefusedAtTheirDeadline) {
  Servers servers = with_leader();
  const RequestId id = servers[2].read("a", 120ms);
  servers[2].wait(120ms);
  EXPECT_TRUE(servers[2].refused(id, Refusal::kNoLeader));
}

TEST(ReplicaReads, OfALeaderThatIsCutOffAreNotServed) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId id = servers[1].read("a", 10s);
  servers.elect(2);
  servers[2].write("a");
  servers.settle();
  servers[1].wait(10s);
  EXPECT_TRUE(servers[1].refused(id, Refusal::kNoLeader));
}

// --- By lease -----------------------------------------------------------------------------------

RequestId ask(Server& server, Read read) {
  return server.ask(std::move(read), 10s);
}

TEST(ReplicaReads, ByLeaseAreAnsweredByTheLeaderAtOnce) {
  Servers servers = with_leader();
  servers[1].write("a", "1");
  servers.settle();
  servers.heartbeat(1);
  const RequestId id = ask(servers[1], {.of = "a", .consistency = Consistency::kLease});
  const auto* found = servers[1].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->item);
  EXPECT_EQ(as_text(found->item->value()), "1");
  EXPECT_EQ(found->age, std::nullopt);
}

TEST(ReplicaReads, ByLeaseNeedNoQuorumToAnswerAFollower) {
  Servers servers = with_leader();
  servers[1].write("a", "1");
  servers.settle();
  servers.heartbeat(1);
  servers.cut_off(3);
  const RequestId id = ask(servers[2], {.of = "a", .consistency = Consistency::kLease});
  for (raft::Message& message : servers[2].take_sent()) servers.carry(std::move(message));
  for (raft::Message& message : servers[1].take_sent()) servers.carry(std::move(message));
  const auto* found = servers[2].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->item);
  EXPECT_EQ(as_text(found->item->value()), "1");
}

// A question to a quorum is out, and does not hold up those that need none.
TEST(ReplicaReads, ByLeaseDoNotWaitForOthers) {
  Servers servers = with_leader();
  const RequestId slow = servers[2].read("a");
  servers[2].take_sent();
  const RequestId quick = ask(servers[2], {.of = "a", .consistency = Consistency::kLease});
  EXPECT_EQ(servers[2].sent<raft::ReadIndexRequest>().size(), 1U);
  servers.settle();
  EXPECT_TRUE(servers[2].answer<ReadDone>(quick));
  EXPECT_FALSE(servers[2].answered(slow));
}

// --- Stale --------------------------------------------------------------------------------------

TEST(ReplicaReads, StaleAreAnsweredAtOnceWithTheAgeOfTheData) {
  Servers servers = with_leader();
  servers[1].write("a", "1");
  servers.settle();
  // What a heartbeat's answer said, the next heartbeat echoes.
  servers.heartbeat(1);
  servers.heartbeat(1);
  servers[2].wait(7ms);
  const RequestId id = ask(servers[2], {.of = "a", .consistency = Consistency::kStale});
  const auto* found = servers[2].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->item);
  EXPECT_EQ(as_text(found->item->value()), "1");
  ASSERT_TRUE(found->age);
  EXPECT_GE(*found->age, 7ms);
  EXPECT_LT(*found->age, 1s);
}

TEST(ReplicaReads, StaleAreAnsweredWithoutALeaderAndGrowOld) {
  Servers servers = with_leader();
  servers[1].write("a", "1");
  servers.settle();
  servers.heartbeat(1);
  servers.heartbeat(1);
  servers.cut_off(3);
  servers[3].wait(10s);
  const RequestId id = ask(servers[3], {.of = "a", .consistency = Consistency::kStale});
  const auto* found = servers[3].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->item && found->age);
  EXPECT_GE(*found->age, 10s);
}

TEST(ReplicaReads, StaleOfAServerThatHasHeardNothingYetHaveNoAge) {
  Servers servers(3);
  const RequestId id = ask(servers[3], {.of = "a", .consistency = Consistency::kStale});
  const auto* found = servers[3].answer<ReadDone>(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->age, std::nullopt);
}

TEST(ReplicaReads, ThatMayNotBeSoStaleAskTheLeader) {
  Servers servers = with_leader();
  servers.heartbeat(1);
  servers.heartbeat(1);
  servers[2].wait(30ms);
  const Read read{.of = "a", .consistency = Consistency::kStale, .max_staleness = Duration(20ms)};
  const RequestId id = ask(servers[2], read);
  EXPECT_FALSE(servers[2].answered(id));
  servers.settle();
  const auto* found = servers[2].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->age);
  EXPECT_LE(*found->age, 20ms);
  // What the leader said makes the next one quick.
  EXPECT_TRUE(servers[2].answer<ReadDone>(ask(servers[2], read)));
}

TEST(ReplicaReads, ThatMayNotBeSoStaleAreRefusedWithoutALeader) {
  Servers servers(3);
  const RequestId id = ask(
      servers[3], {.of = "a", .consistency = Consistency::kStale, .max_staleness = Duration(1s)});
  EXPECT_FALSE(servers[3].answered(id));
  servers[3].wait(kDefaults.leader_wait);
  EXPECT_TRUE(servers[3].refused(id, Refusal::kNoLeader));
}

// --- No older than ------------------------------------------------------------------------------

TEST(ReplicaReads, StaleFetchARevisionThatIsNotHereYet) {
  Servers servers = with_leader();
  servers.cut_off(3);
  servers[1].write("a", "1");
  servers.settle();
  servers.reconnect(3);
  Read read{.of = "a", .consistency = Consistency::kStale};
  const RequestId old = ask(servers[3], read);
  ASSERT_TRUE(servers[3].answer<ReadDone>(old));
  EXPECT_FALSE(servers[3].answer<ReadDone>(old)->item);
  read.min_revision = kv::Revision(2);
  const RequestId id = ask(servers[3], read);
  EXPECT_FALSE(servers[3].answered(id));
  for (int beat = 0; beat < 3; ++beat) servers.heartbeat(1);
  const auto* found = servers[3].answer<ReadDone>(id);
  ASSERT_TRUE(found && found->item);
  EXPECT_EQ(found->revision, kv::Revision(2));
}

TEST(ReplicaReads, OfARevisionThatDoesNotExistAreAnsweredSo) {
  Servers servers = with_leader();
  for (const Consistency consistency :
       {Consistency::kLinearizable, Consistency::kLease, Consistency::kStale}) {
    const RequestId id =
        ask(servers[2], {.of = "a", .consistency = consistency, .min_revision = kv::Revision(100)});
    servers.settle();
    const auto* future = servers[2].answer<RevisionInFuture>(id);
    ASSERT_TRUE(future);
    EXPECT_EQ(future->revision, kv::Revision(1));
  }
}

}  // namespace
}  // namespace anchor
