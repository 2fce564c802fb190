#include "core/replica.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/replicas.h"

namespace anchor {
namespace {

constexpr Replica::Options kDefaults{};

// n1 leads, and the others know it.
Servers with_leader(const Replica::Options& options = {}) {
  Servers servers(3, options);
  servers.elect(1);
  return servers;
}

std::uint64_t version_of(const Server& server, const std::string& key) {
  const kv::ItemRef item = server.store().find(key);
  return item ? item->version() : 0;
}

// --- Writes -------------------------------------------------------------------------------------

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
    if (message.to == id_of(2)) servers.carry(std::move(message));
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

// --- Forwards -----------------------------------------------------------------------------------

raft::ForwardRequest forward_to(const Server& leader, std::uint64_t sequence) {
  return {.sequence = sequence,
          .leader_boot = raft::Boot(1),
          .leader_term = leader.term(),
          .command = kv::encode_command(kv::Put{"a", {}, kv::Always{}})};
}

TEST(ReplicaForwards, AreTakenOnceHoweverOftenTheyArrive) {
  Servers servers = with_leader();
  for (int i = 0; i < 3; ++i) servers[1].hear(2, forward_to(servers[1], 1));
  servers.settle();
  servers[1].hear(2, forward_to(servers[1], 1));
  servers.settle();
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

TEST(ReplicaForwards, OfAnotherBootOfTheSenderAreOthers) {
  Servers servers = with_leader();
  servers[1].hear(2, forward_to(servers[1], 1));
  servers[1].hear({.from = {id_of(2), raft::Incarnation(0)},
                   .from_boot = raft::Boot(2),
                   .to = id_of(1),
                   .term = servers[1].term(),
                   .body = forward_to(servers[1], 1)});
  servers.settle();
  EXPECT_EQ(version_of(servers[1], "a"), 2u);
}

// An earlier boot may have taken it.
TEST(ReplicaForwards, ForAnotherBootOfTheLeaderAreDroppedWithoutAnAnswer) {
  Servers servers = with_leader();
  raft::ForwardRequest request = forward_to(servers[1], 1);
  request.leader_boot = raft::Boot(2);
  servers[1].hear(2, request);
  EXPECT_TRUE(servers[1].take_sent().empty());
  EXPECT_FALSE(servers[1].disk_busy());
}

TEST(ReplicaForwards, ForAnotherTermOfTheLeaderAreDroppedWithoutAnAnswer) {
  Servers servers = with_leader();
  for (const raft::Term term : {servers[1].term().previous(), servers[1].term().next()}) {
    raft::ForwardRequest request = forward_to(servers[1], 1);
    request.leader_term = term;
    servers[1].hear(2, request);
    EXPECT_TRUE(servers[1].take_sent().empty());
    EXPECT_FALSE(servers[1].disk_busy());
  }
}

// n1 knows which requests it took in its term, and takes none any more.
TEST(ReplicaForwards, ThatArriveAfterTheLeaderSteppedDownAreRefusedAndGoToTheNextOne) {
  Servers servers = with_leader();
  servers[3].write("a");
  servers.settle();
  const RequestId late = servers[3].write("b");
  std::vector<raft::Message> forwarded = servers[3].take_sent();
  ASSERT_EQ(forwarded.size(), 1u);
  servers.cut_off(1);
  servers.elect(2);
  servers.reconnect(1);
  servers.heartbeat(2);
  ASSERT_FALSE(servers[1].leads());
  EXPECT_FALSE(servers[3].answered(late));
  servers.carry(std::move(forwarded[0]));
  servers.settle();
  EXPECT_TRUE(servers[3].answer<WriteApplied>(late));
  EXPECT_EQ(version_of(servers[2], "b"), 1u);
}

// It is in the log of the leader that it was sent to, and that leader may yet be the one to say so.
TEST(ReplicaForwards, ThatWereTakenAreNotRefusedAfterTheLeaderSteppedDown) {
  Servers servers = with_leader();
  const RequestId id = servers[3].write("a", "1", 60s);
  std::vector<raft::Message> forwarded = servers[3].take_sent();
  ASSERT_EQ(forwarded.size(), 1u);
  servers.carry(forwarded[0]);
  servers.cut_off(1);
  servers[1].wait(kDefaults.raft.election_timeout);
  ASSERT_FALSE(servers[1].leads());
  servers[1].take_sent();
  servers.reconnect(1);
  servers.carry(forwarded[0]);
  EXPECT_TRUE(servers[1].sent<raft::ForwardReply>().empty());
  EXPECT_FALSE(servers[3].answered(id));
}

raft::ForwardReply reply_with(raft::ForwardOutcome outcome) {
  return {.requester_boot = raft::Boot(1), .sequence = 1, .outcome = outcome};
}

TEST(ReplicaForwards, RepliesToAnotherBootAreIgnored) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  raft::ForwardReply reply = reply_with(raft::ForwardOutcome::kUnknown);
  reply.requester_boot = raft::Boot(2);
  servers[2].hear(1, reply);
  EXPECT_FALSE(servers[2].answered(id));
}

TEST(ReplicaForwards, SecondReplyIsIgnored) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kOverloaded));
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kUnknown));
  EXPECT_TRUE(servers[2].refused(id, Refusal::kOverloaded));
}

TEST(ReplicaForwards, UnknownOutcomeIsUnknown) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kUnknown));
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(id));
}

TEST(ReplicaForwards, ResultThatCannotBeReadIsAnUnknownOutcome) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kApplied));
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(id));
}

TEST(ReplicaForwards, RefusedOnesAreTriedAgainUnderAnotherSequence) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers[2].take_sent();
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kNotApplied));
  EXPECT_FALSE(servers[2].answered(id));
  const auto again = servers[2].sent<raft::ForwardRequest>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].sequence, 2u);
}

// Certainly not applied: that is what it says when nobody takes it.
TEST(ReplicaForwards, RefusedOnesWithoutALeaderAreNotApplied) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers.cut_off(1);
  servers[2].wait(2 * kDefaults.raft.election_timeout);
  ASSERT_FALSE(servers[2].replica().raft().leader());
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kNotApplied));
  servers[2].wait(kDefaults.leader_wait);
  EXPECT_TRUE(servers[2].refused(id, Refusal::kNoLeader));
}

// --- Reads --------------------------------------------------------------------------------------

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
        .id = servers[2].next_request(), .deadline = servers[2].now() + 10s, .body = ReadKey{"a"}});
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

TEST(ReplicaReads, AskAgainUnderAnotherContextWhenNoAnswerComes) {
  Servers servers = with_leader();
  const RequestId id = servers[2].read("a");
  ASSERT_EQ(servers[2].sent<raft::ReadIndexRequest>().size(), 1u);
  servers[2].take_sent();
  servers[2].wait(2 * kDefaults.raft.heartbeat_interval);
  const auto again = servers[2].sent<raft::ReadIndexRequest>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].context, 2u);
  // What answers the first question now is not taken for an answer to the second.
  servers[2].hear(1,
                  raft::ReadIndexReply{
                      .context = 1, .requester_boot = raft::Boot(1), .read_index = raft::Index(2)});
  EXPECT_FALSE(servers[2].answered(id));
  servers.settle();
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

}  // namespace
}  // namespace anchor
