#include "core/replica.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/core/replicas.h"

namespace anchor {
namespace {

constexpr Replica::Options kDefaults{};

raft::ForwardRequest forward_to(const Server& leader, std::uint64_t sequence) {
  return {.sequence = sequence,
          .leader_boot = raft::Boot(1),
          .leader_term = leader.term(),
          .proposal = raft::Command{kv::encode_command(kv::Put{"a", {}, kv::Always{}})}};
}

TEST(ReplicaForwards, WaitWhileTheLeaderCannotBeReachedAndGoToItOnceItIsHeard) {
  Servers servers = with_leader();
  servers[2].step({PeerUnreachable{id_of(1)}});
  const RequestId id = servers[2].write("a");
  servers[2].wait(1ms);
  EXPECT_TRUE(servers[2].sent<raft::ForwardRequest>().empty());
  servers.heartbeat(1);
  EXPECT_TRUE(servers[2].answer<WriteApplied>(id));
}

TEST(ReplicaForwards, ThatWaitedForADeadLeaderGoToItsSuccessor) {
  Servers servers = with_leader();
  servers.cut_off(1);
  const RequestId lost = servers[2].write("a");
  servers.settle();
  servers[2].step({PeerUnreachable{id_of(1)}});
  const RequestId waits = servers[2].write("b");
  servers.elect(3);
  servers.settle();
  EXPECT_TRUE(servers[2].answer<WriteApplied>(waits));
  // Nobody will ever answer the other: that is said soon.
  servers[2].wait(raft::Options{}.heartbeat_interval);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(lost));
}

TEST(ReplicaForwards, WithoutALeaderThatCanBeReachedTheyAreNotApplied) {
  Servers servers = with_leader();
  servers.cut_off(1);
  servers[2].step({PeerUnreachable{id_of(1)}});
  const RequestId id = servers[2].write("a");
  servers[2].wait(2s);
  EXPECT_TRUE(servers[2].refused(id, Refusal::kNoLeader));
}

// n1 leads on, and all goes on for so long, but for what n2 sends to n1.
void deafen_leader_to_follower(Servers& servers, Duration duration) {
  constexpr Duration kBeat = raft::Options{}.heartbeat_interval;
  for (Duration passed{}; passed < duration; passed += kBeat) {
    for (int number = 1; number <= 3; ++number) servers[number].wait(kBeat);
    for (bool moved = true; moved;) {
      moved = false;
      for (int number = 1; number <= 3; ++number) {
        servers[number].complete_writes();
        for (raft::Message& message : servers[number].take_sent()) {
          if (number == 2 && message.to.id == id_of(1)) continue;
          moved = servers.carry(std::move(message)) || moved;
        }
      }
    }
  }
}

TEST(ReplicaForwards, DoNotGoToALeaderThatIsHeardButDoesNotHear) {
  Servers servers = with_leader();
  const RequestId lost = servers[2].write("a");
  deafen_leader_to_follower(servers, 700ms);
  ASSERT_EQ(servers[2].replica().raft().leader()->peer.id, id_of(1));
  const RequestId waits = servers[2].write("b");
  EXPECT_TRUE(servers[2].sent<raft::ForwardRequest>().empty());
  EXPECT_EQ(servers[2].replica().raft().role().index(), 0U) << "it follows";
  // Of what was sent before nobody knows; but that is said soon, and not at the deadline.
  deafen_leader_to_follower(servers, kDefaults.leader_wait);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(lost));
  EXPECT_TRUE(servers[2].refused(waits, Refusal::kNoLeader));
  servers.heartbeat(1);
  servers.heartbeat(1);
  const RequestId again = servers[2].write("c");
  servers.settle();
  EXPECT_TRUE(servers[2].answer<WriteApplied>(again));
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
                   .to = {id_of(1), raft::Incarnation(0)},
                   .term = servers[1].term(),
                   .body = forward_to(servers[1], 1)});
  servers.settle();
  EXPECT_EQ(version_of(servers[1], "a"), 2u);
}

raft::Message from_stranger(const Server& leader, raft::Index admitted_at) {
  return {.from = {id_of(9), raft::Incarnation(admitted_at.value())},
          .from_boot = raft::Boot(1),
          .to = {id_of(1), raft::Incarnation(0)},
          .term = leader.term(),
          .body = forward_to(leader, 1)};
}

TEST(ReplicaForwards, OfStrangersAreRefused) {
  Servers servers = with_leader();
  servers[1].hear(from_stranger(servers[1], servers[1].replica().raft().log().last().index));
  const auto replies = servers[1].sent<raft::ForwardReply>();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].outcome, raft::ForwardOutcome::kNotApplied);
  servers.settle();
  EXPECT_EQ(version_of(servers[1], "a"), 0u);
}

// A copy of what was taken, from a server that has been removed meanwhile.
TEST(ReplicaForwards, OfStrangersThatWereMembersAreTakenOnceToo) {
  Servers servers = with_leader();
  servers[1].hear(3, forward_to(servers[1], 1));
  servers.settle();
  servers[1].administer(raft::RemoveServer{.id = id_of(3)});
  servers.settle();
  ASSERT_FALSE(servers[1].replica().raft().configuration().find(id_of(3)));
  servers[1].take_sent();
  servers[1].hear(3, forward_to(servers[1], 1));
  EXPECT_TRUE(servers[1].sent<raft::ForwardReply>().empty());
  EXPECT_EQ(version_of(servers[1], "a"), 1u);
}

// If this leader admits it next, a copy of its request would be taken.
TEST(ReplicaForwards, OfStrangersThatMayYetBeAdmittedAreDroppedWithoutAnAnswer) {
  Servers servers = with_leader();
  const raft::Index next = servers[1].replica().raft().log().last().index.next();
  servers[1].hear(from_stranger(servers[1], next));
  EXPECT_TRUE(servers[1].sent<raft::ForwardReply>().empty());
  EXPECT_FALSE(servers[1].disk_busy());
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

TEST(ReplicaForwards, ResultOfAnotherKindIsAnUnknownOutcome) {
  Servers servers = with_leader();
  const RequestId write = servers[2].write("a");
  raft::ForwardReply reply = reply_with(raft::ForwardOutcome::kApplied);
  reply.result = raft::AdminAnswer(raft::LeadershipTransferred{id_of(3)});
  servers[2].hear(1, reply);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(write));

  const RequestId transfer = servers[2].administer(raft::TransferLeadership{id_of(3)});
  reply.sequence = 2;
  reply.result = kv::encode_result(kv::PutDone{kv::Revision(2), {}});
  servers[2].hear(1, reply);
  EXPECT_TRUE(servers[2].answer<OutcomeUnknown>(transfer));
}

TEST(ReplicaForwards, RepliesOfOthersThanTheLeaderAreIgnored) {
  Servers servers = with_leader();
  const RequestId id = servers[2].write("a");
  servers[2].hear(3, reply_with(raft::ForwardOutcome::kUnknown));
  EXPECT_FALSE(servers[2].answered(id));
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kUnknown));
  EXPECT_TRUE(servers[2].answered(id));
}

// It would fit in no message to a follower.
TEST(ReplicaForwards, OfMoreThanAMessageHoldsAreDropped) {
  Servers servers = with_leader();
  raft::ForwardRequest request = forward_to(servers[1], 1);
  const raft::Index last = servers[1].replica().raft().log().last().index;
  request.proposal = raft::Command{Bytes::copy_of(std::string(raft::kCommandBytesMost + 1, 'x'))};
  servers[1].hear(2, request);
  EXPECT_EQ(servers[1].replica().raft().log().last().index, last);
}

// Its disk keeps back all that it says in the next term: but this it can say in its own.
TEST(ReplicaForwards, ThatWaitForATransferAreRefusedBeforeTheLeaderGoes) {
  Servers servers = with_leader();
  servers[1].administer(raft::TransferLeadership{id_of(3)});
  servers[1].hear(2, forward_to(servers[1], 1));
  servers[1].take_sent();
  const raft::Term campaign = servers[1].term().next();
  const raft::LogPosition last = servers[1].replica().raft().log().last();
  servers[1].step({PeerMessage{
      {.from = {id_of(3), raft::Incarnation(0)},
       .from_boot = raft::Boot(1),
       .to = {id_of(1), raft::Incarnation(0)},
       .term = campaign,
       .body = raft::RequestVote{.campaign_term = campaign, .transfer = true, .last = last}}}});
  ASSERT_TRUE(servers[1].disk_busy());
  const auto replies = servers[1].sent<raft::ForwardReply>();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].outcome, raft::ForwardOutcome::kNotApplied);
}

// Whoever has said that it leads no more is not asked again in that term: writes would go back and
// forth between the two as fast as the network carries them.
TEST(ReplicaForwards, RefusedOnesWaitForTheNextLeader) {
  Servers servers = with_leader();
  const RequestId refused = servers[2].write("a");
  servers[2].take_sent();
  servers[2].hear(1, reply_with(raft::ForwardOutcome::kNotApplied));
  const RequestId late = servers[2].write("b");
  EXPECT_FALSE(servers[2].answered(refused));
  EXPECT_TRUE(servers[2].sent<raft::ForwardRequest>().empty());
  servers.cut_off(1);
  servers.elect(3);
  EXPECT_TRUE(servers[2].answer<WriteApplied>(refused));
  EXPECT_TRUE(servers[2].answer<WriteApplied>(late));
  EXPECT_EQ(version_of(servers[3], "a"), 1u);
}

// It knows from its first day what it has taken.
TEST(ReplicaForwards, AreRefusedByALeaderThatWasDeposedBeforeItTookAny) {
  Servers servers = with_leader();
  const raft::ForwardRequest request = forward_to(servers[1], 1);
  servers.cut_off(1);
  servers[1].wait(kDefaults.raft.election_timeout);
  ASSERT_FALSE(servers[1].leads());
  servers[1].take_sent();
  servers[1].hear(2, request);
  const auto replies = servers[1].sent<raft::ForwardReply>();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].outcome, raft::ForwardOutcome::kNotApplied);
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

}  // namespace
}  // namespace anchor
