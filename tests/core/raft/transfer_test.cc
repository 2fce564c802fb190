#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/core/raft/members.h"

// Leadership transfer: dissertation 3.10.
namespace anchor::raft {
namespace {

constexpr Duration kTimeout = Options{}.election_timeout;
constexpr Duration kHeartbeat = Options{}.heartbeat_interval;

// --- The leader ---------------------------------------------------------------------------------

TEST(Transfer, AsksTheTargetToCampaignAtOnceIfItHasTheWholeLog) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_EQ(leader.transfer(2), id_of(2));
  EXPECT_EQ(leader.take<TimeoutNow>(2).size(), 1U);
  EXPECT_TRUE(leader.take<TimeoutNow>(3).empty());
  EXPECT_TRUE(leader.leads());
}

TEST(Transfer, BringsTheTargetsLogUpToDateFirst) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.propose());
  ASSERT_TRUE(leader.transfer(2));
  EXPECT_EQ(leader.take<AppendEntries>(2).size(), 1U);
  acknowledge_all(leader, {3});
  EXPECT_TRUE(leader.take<TimeoutNow>().empty());
  acknowledge(leader, 2);
  EXPECT_EQ(leader.take<TimeoutNow>(2).size(), 1U);
}

// It would have to hand over in its turn.
TEST(Transfer, IsNotToWhoNeedsASnapshot) {
  Server leader(Start{});
  make_established_leader(leader);
  leader.hear(2, leader.term(),
              AppendAccepted{.match_index = Index(1), .round = {}, .snapshot_wanted = Index(1)});
  EXPECT_EQ(leader.transfer(2).error().reason, AdminRefusal::kNotReady);
  EXPECT_EQ(leader.transfer({}), id_of(3));
}

TEST(Transfer, AsksOnce) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  pass(leader, kTimeout - 1ms, {2, 3});
  EXPECT_EQ(leader.take<TimeoutNow>().size(), 1U);
}

// Else the target's log might never be complete.
TEST(Transfer, StopsProposals) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  EXPECT_TRUE(leader.raft().transferring());
  EXPECT_EQ(leader.propose().error(), ProposalRefused::kTransferring);
  EXPECT_EQ(leader.last_index(), 1U);
}

TEST(Transfer, IsGivenUpAfterAnElectionTimeout) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  pass(leader, kTimeout - 1ms, {2, 3});
  EXPECT_TRUE(leader.raft().transferring());
  leader.wait(1ms);
  EXPECT_FALSE(leader.raft().transferring());
  EXPECT_EQ(leader.count_events<TransferFailed>(), 1U);
  EXPECT_TRUE(leader.leads());
  EXPECT_TRUE(leader.propose());
}

TEST(Transfer, ItsEndIsADeadline) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  pass(leader, kTimeout - 1ms, {2, 3});
  EXPECT_EQ(leader.raft().deadline(), leader.now() + 1ms);
}

TEST(Transfer, ToWhoIsItsTargetAlreadyIsTheSame) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  EXPECT_EQ(leader.transfer(2), id_of(2));
  EXPECT_EQ(leader.transfer(), id_of(2));
  EXPECT_EQ(leader.count_events<TransferStarted>(), 1U);
  const auto refused = leader.transfer(3);
  EXPECT_EQ(reason_of(refused), AdminRefusal::kChangeInProgress);
  EXPECT_EQ(refused.error().message, "leadership is being handed over to s2");
}

TEST(Transfer, ToTheLeaderItselfIsDone) {
  Server leader(Start{});
  make_established_leader(leader);
  EXPECT_EQ(leader.transfer(1), id_of(1));
  EXPECT_FALSE(leader.raft().transferring());
}

// --- To whom ------------------------------------------------------------------------------------

TEST(TransferTarget, IsAMemberThatVotes) {
  Server leader(Start{.configuration = members_of({1, 2, 3}, {}, {4})});
  make_established_leader(leader);
  EXPECT_EQ(reason_of(leader.transfer(9)), AdminRefusal::kNotFound);
  const auto refused = leader.transfer(4);
  EXPECT_EQ(reason_of(refused), AdminRefusal::kNotReady);
  EXPECT_EQ(refused.error().message, "s4 is no voter");
}

// It would be gone soon.
TEST(TransferTarget, IsNoVoterThatIsOnItsWayOut) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  ASSERT_TRUE(leader.raft().configuration().joint());
  EXPECT_EQ(reason_of(leader.transfer(3)), AdminRefusal::kNotReady);
}

TEST(TransferTarget, Answers) {
  Server leader(Start{});
  make_established_leader(leader);
  pass(leader, kTimeout / 2, {3});
  const auto refused = leader.transfer(2);
  EXPECT_EQ(reason_of(refused), AdminRefusal::kNotReady);
  EXPECT_EQ(refused.error().message, "s2 does not answer promptly");
  EXPECT_TRUE(leader.transfer(3));
}

// It answers each heartbeat, but its disk keeps the entries waiting.
TEST(TransferTarget, HasAPromptDisk) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.propose());
  acknowledge_all(leader, {3});
  pass(leader, kTimeout / 2, {2, 3});
  EXPECT_EQ(reason_of(leader.transfer(2)), AdminRefusal::kNotReady);
  EXPECT_EQ(leader.transfer(), id_of(3));
}

TEST(TransferTarget, HasMostOfTheLogIfNoneIsNamed) {
  for (const int best : {2, 3}) {
    Server leader(Start{});
    make_established_leader(leader);
    ASSERT_TRUE(leader.propose());
    acknowledge_all(leader, {best});
    EXPECT_EQ(leader.transfer(), id_of(best));
  }
}

TEST(TransferTarget, IsNobodyIfNobodyIsPrepared) {
  Server leader(Start{});
  make_established_leader(leader);
  pass(leader, kTimeout / 2, {});
  const auto refused = leader.transfer();
  EXPECT_EQ(reason_of(refused), AdminRefusal::kNotReady);
  EXPECT_EQ(refused.error().message, "no other voter answers promptly");
}

// --- The target, and who votes for it -----------------------------------------------------------

// s1 hears its leader s2.
void make_follower(Server& server) {
  server.hear(2, Term(1),
              AppendEntries{.previous = {}, .commit_index = {}, .round = Round(1), .entries = {}});
  server.complete_writes();
  server.take_sent();
}

TEST(TimeoutNow, StartsAnElectionAtOnceAndWithoutAPreVote) {
  Server server(Start{});
  make_follower(server);
  server.hear(2, Term(1), TimeoutNow{});
  EXPECT_EQ(server.term(), Term(2));
  server.complete_writes();
  const auto requests = server.take<RequestVote>(3);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_FALSE(requests.front().pre_vote);
  EXPECT_TRUE(requests.front().transfer);
}

TEST(TimeoutNow, IsHeardFromTheLeaderOnly) {
  Server server(Start{});
  make_follower(server);
  server.hear(3, Term(1), TimeoutNow{});
  EXPECT_TRUE(server.follows());
  EXPECT_EQ(server.term(), Term(1));
}

TEST(TimeoutNow, OfAnEarlierTermIsTooLate) {
  Server server(Start{});
  make_follower(server);
  server.hear(3, Term(2),
              AppendEntries{.previous = {}, .commit_index = {}, .round = Round(1), .entries = {}});
  server.hear(2, Term(1), TimeoutNow{});
  EXPECT_EQ(server.term(), Term(2));
}

TEST(TimeoutNow, MakesNoCandidateOfALearner) {
  Server server(Start{.configuration = members_of({2, 3}, {}, {1})});
  make_follower(server);
  server.hear(2, Term(1), TimeoutNow{});
  EXPECT_TRUE(server.follows());
}

// The leader's silence is not waited for: it has asked for this (4.2.3).
TEST(TimeoutNow, GetsVotesAlthoughTheLeaderIsHeard) {
  Server server(Start{});
  make_follower(server);
  RequestVote request{.campaign_term = Term(2), .last = {}};
  server.hear(3, Term(2), request);
  server.complete_writes();
  EXPECT_TRUE(server.take<VoteReply>(3).empty());
  request.transfer = true;
  server.hear(3, Term(2), request);
  server.complete_writes();
  EXPECT_TRUE(server.take<VoteReply>(3).front().granted);
}

TEST(TimeoutNow, DoesNotElectWhoseLogIsBehind) {
  Server server(Start{.log_terms = {1, 1}});
  server.hear(3, Term(2),
              RequestVote{.campaign_term = Term(2), .transfer = true, .last = position(1, 1)});
  server.complete_writes();
  EXPECT_FALSE(server.take<VoteReply>(3).front().granted);
}

// A campaign that fails is followed by an ordinary one.
TEST(TimeoutNow, SkipsPreVotesOnce) {
  Server server(Start{});
  make_follower(server);
  server.hear(2, Term(1), TimeoutNow{});
  server.complete_writes();
  server.take_sent();
  server.wait_for_deadline();
  const auto requests = server.take<RequestVote>(3);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests.front().pre_vote);
  EXPECT_FALSE(requests.front().transfer);
}

TEST(Transfer, MovesLeadershipWithoutAPause) {
  Cluster cluster(3);
  cluster.elect(1);
  const Term term = cluster[1].term();
  ASSERT_TRUE(cluster[1].propose());
  ASSERT_TRUE(cluster[1].transfer(3));
  cluster.settle();
  EXPECT_TRUE(cluster[3].leads());
  EXPECT_EQ(cluster[3].term(), term.next());
  EXPECT_TRUE(cluster[1].follows());
  EXPECT_EQ(cluster[3].log_terms().back(), term.next().value());
}

TEST(Transfer, LeavesALeaderThatCannotReachItsTargetAnyMoreInOffice) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(3);
  ASSERT_TRUE(cluster[1].transfer(3));
  for (Duration time{}; time < kTimeout; time += kHeartbeat) cluster.heartbeat(1);
  EXPECT_TRUE(cluster[1].leads());
  EXPECT_TRUE(cluster[1].propose());
}

// --- A leader whose disk stalls (hashicorp/raft #503, etcd #13527) ------------------------------

// Its oldest write never ends, and the others have it.
void make_leader_with_stalled_disk(Server& leader) {
  make_established_leader(leader);
  ASSERT_TRUE(leader.propose());
  acknowledge(leader, 2);
  acknowledge(leader, 3);
}

TEST(StalledDisk, MakesALeaderHandOverAfterAnElectionTimeout) {
  Server leader(Start{});
  make_leader_with_stalled_disk(leader);
  pass(leader, kTimeout - 1ms, {2, 3});
  EXPECT_EQ(leader.count_events<TransferStarted>(), 0U);
  pass(leader, kHeartbeat, {2, 3});
  EXPECT_EQ(leader.count_events<TransferStarted>(), 1U);
  EXPECT_EQ(leader.take<TimeoutNow>().size(), 1U);
}

TEST(StalledDisk, IsNoReasonToHandOverAgainAndAgain) {
  Server leader(Start{});
  make_leader_with_stalled_disk(leader);
  pass(leader, kTimeout + kHeartbeat, {2, 3});
  ASSERT_EQ(leader.count_events<TransferStarted>(), 1U);
  pass(leader, 3 * kTimeout, {2, 3});
  EXPECT_EQ(leader.count_events<TransferFailed>(), 1U);
  EXPECT_EQ(leader.count_events<TransferStarted>(), 1U);
  EXPECT_TRUE(leader.leads());
  pass(leader, kTimeout, {2, 3});
  EXPECT_EQ(leader.count_events<TransferStarted>(), 2U);
}

// All may share one slow disk, and somebody must lead.
TEST(StalledDisk, IsBorneWhereTheOthersAreNoBetter) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.propose());
  pass(leader, 4 * kTimeout, {2, 3});
  EXPECT_EQ(leader.count_events<TransferStarted>(), 0U);
  EXPECT_TRUE(leader.leads());
}

TEST(StalledDisk, ThatGoesOnInTimeIsNone) {
  Server leader(Start{});
  make_leader_with_stalled_disk(leader);
  pass(leader, kTimeout - 1ms, {2, 3});
  leader.complete_writes();
  pass(leader, kTimeout, {2, 3});
  EXPECT_EQ(leader.count_events<TransferStarted>(), 0U);
}

}  // namespace
}  // namespace anchor::raft
