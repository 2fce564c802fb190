#include <gtest/gtest.h>

#include <cstdint>
#include <variant>
#include <vector>

#include "tests/core/raft/members.h"
#include "tests/core/raft/snapshots.h"

// How servers leave, and what becomes of them: dissertation 4.2.2 and 4.2.3.
namespace anchor::raft {
namespace {

// --- What is refused ----------------------------------------------------------------------------

TEST(Removal, ThatWouldLeaveNoQuorumIsRefusedWithTheArithmetic) {
  Server leader(Start{});
  make_established_leader(leader);
  pass(leader, kTimeout, {3});
  const auto refused = leader.change(remove(3));
  EXPECT_EQ(reason_of(refused), AdminRefusal::kQuorumAtRisk);
  EXPECT_EQ(refused.error().message,
            "removing s3 would leave 2 voters (s1, s2), of which 2 are needed and 1 answers (s1)");
  EXPECT_EQ(leader.last_index(), 1U);
}

TEST(Removal, CountsThoseThatAnswer) {
  Server leader(Start{.configuration = configuration_of(5)});
  make_established_leader(leader);
  pass(leader, kTimeout, {4, 5});
  EXPECT_EQ(leader.change(remove(5)).error().message,
            "removing s5 would leave 4 voters (s1, s2, s3, s4), of which 3 are needed and 2 answer "
            "(s1, s4)");
}

TEST(Removal, OfWhoDoesNotAnswerIsNoRisk) {
  Server leader(Start{});
  make_established_leader(leader);
  pass(leader, kTimeout, {3});
  EXPECT_TRUE(leader.change(remove(2)));
}

// A leader that was elected just now has heard from nobody else yet.
TEST(Removal, DoesNotCountWhoHasNotAnsweredThisLeader) {
  Server leader(Start{});
  make_leader(leader);
  leader.complete_writes();
  acknowledge_all(leader, {2});
  EXPECT_EQ(leader.change(remove(2)).error().message,
            "removing s2 would leave 2 voters (s1, s3), of which 2 are needed and 1 answers (s1)");
  acknowledge(leader, 3);
  EXPECT_TRUE(leader.change(remove(2)));
}

// It lacks entries that only a snapshot has, and nobody gets one while the state may be wrong: as a
// voter that is needed it would let nothing be committed any more.
TEST(Removal, DoesNotCountWhoCannotBeBroughtUpToDate) {
  Server leader = make_sender();
  acknowledge_all(leader, {2});
  leader.step([](Raft& raft) { raft.set_no_majority(true); });
  EXPECT_EQ(leader.change(remove(2)).error().message,
            "removing s2 would leave 2 voters (s1, s3), of which 2 are needed and 1 answers (s1)");
  EXPECT_TRUE(leader.change(remove(3)));
}

TEST(Removal, MayBeForced) {
  Server leader(Start{});
  make_established_leader(leader);
  pass(leader, kTimeout, {3});
  ASSERT_TRUE(leader.change(remove(3, true)));
  EXPECT_EQ(members(leader).voters, ids_of({1, 2}));
}

TEST(Removal, OfTheOnlyVoterCannotEvenBeForced) {
  Server leader(Start{.configuration = members_of({1}, {}, {2})});
  leader.complete_writes();
  ASSERT_TRUE(leader.leads());
  const auto refused = leader.change(remove(1, true));
  EXPECT_EQ(reason_of(refused), AdminRefusal::kQuorumAtRisk);
  EXPECT_EQ(refused.error().message, "s1 is the only voter");
}

TEST(Removal, OfALearnerTakesOneStep) {
  Server leader(Start{.configuration = members_of({1, 2, 3}, {}, {4})});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(4)));
  EXPECT_EQ(members(leader), configuration_of(3));
  leader.take_sent();
  ASSERT_TRUE(leader.propose());
  EXPECT_TRUE(leader.take<AppendEntries>(4).empty());
}

// --- A leader that removes itself (4.2.2) -------------------------------------------------------

// s1 leads, and the configuration without it is its newest, not yet committed.
void make_leaving_leader(Server& leader) {
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(1)));
  acknowledge_all(leader, {2, 3});
  ASSERT_EQ(members(leader), members_of({2, 3}));
  leader.take_sent();
}

TEST(LeavingLeader, DoesNotCountItselfAnyMore) {
  Server leader(Start{});
  make_leaving_leader(leader);
  acknowledge_all(leader, {2});
  EXPECT_LT(leader.commit_index(), leader.last_index());
  acknowledge(leader, 3);
  EXPECT_EQ(leader.commit_index(), leader.last_index());
}

TEST(LeavingLeader, LeadsUntilItsRemovalIsCommitted) {
  Server leader(Start{});
  make_leaving_leader(leader);
  pass(leader, 2 * kTimeout, {2, 3});
  EXPECT_TRUE(leader.leads());
  EXPECT_TRUE(leader.propose());
}

TEST(LeavingLeader, HandsOverAndStepsDownOnceItIsCommitted) {
  Server leader(Start{});
  make_leaving_leader(leader);
  acknowledge_all(leader, {2, 3});
  EXPECT_FALSE(leader.leads());
  EXPECT_EQ(leader.take<TimeoutNow>().size(), 1U);
  EXPECT_EQ(leader.count_events<Removed>(), 1U);
}

// It will not hear of them any more, and whoever proposed them waits for an answer from it.
TEST(LeavingLeader, FirstCommitsWhatItHas) {
  Server leader(Start{.configuration = configuration_of(4)});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(1)));
  acknowledge_all(leader, {2, 3, 4});
  ASSERT_TRUE(leader.propose());
  leader.complete_writes();
  leader.hear(3, Term(1), AppendAccepted{Index(leader.last_index() - 1), Round(0)});
  leader.hear(2, Term(1), AppendAccepted{Index(leader.last_index()), Round(0)});
  // Its removal is committed, and the one that it hands over to has all.
  ASSERT_EQ(leader.commit_index(), leader.last_index() - 1);
  EXPECT_TRUE(leader.leads());
  EXPECT_TRUE(leader.take<TimeoutNow>().empty());
  leader.hear(3, Term(1), AppendAccepted{Index(leader.last_index()), Round(0)});
  EXPECT_EQ(leader.commit_index(), leader.last_index());
  EXPECT_FALSE(leader.leads());
  EXPECT_EQ(leader.take<TimeoutNow>().size(), 1U);
}

TEST(LeavingLeader, DoesNotCampaignAgain) {
  Server leader(Start{});
  make_leaving_leader(leader);
  acknowledge_all(leader, {2, 3});
  leader.take_sent();
  for (int i = 0; i < 5; ++i) leader.wait_for_deadline();
  EXPECT_TRUE(leader.take_sent().empty());
}

// They know that it is no member any more, and do as it asks all the same.
TEST(LeavingLeader, IsFollowedToTheEnd) {
  Server follower(Start{});
  const auto append = [&](std::vector<Entry> entries, std::uint64_t previous,
                          std::uint64_t commit) {
    follower.hear(2, Term(1),
                  AppendEntries{.previous = previous == 0 ? LogPosition{} : position(previous, 1),
                                .commit_index = Index(commit),
                                .round = Round(1),
                                .entries = std::move(entries)});
  };
  append({configuration_at(1, 1, members_of({1, 3}, {1, 2, 3})),
          configuration_at(2, 1, members_of({1, 3}))},
         0, 2);
  ASSERT_EQ(follower.commit_index(), 2U);
  follower.hear(2, Term(1), TimeoutNow{});
  EXPECT_TRUE(follower.campaigns());
}

TEST(LeavingLeader, IsReplacedWithoutWaitingForItsSilence) {
  Cluster cluster(3);
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].change(remove(1)));
  cluster.settle();
  EXPECT_FALSE(cluster[1].leads());
  const int next = cluster[2].leads() ? 2 : 3;
  ASSERT_TRUE(cluster[next].leads());
  EXPECT_EQ(members(cluster[next]).voters, ids_of({2, 3}));
  EXPECT_TRUE(cluster[next].propose());
}

// --- A server that its newest configuration leaves out (4.2.2) ----------------------------------

// The configuration without it follows the joint one; neither is known to be committed.
Start with_log_that_leaves_it_out() {
  return {.entries = {configuration_at(1, 1, members_of({2, 3}, {1, 2, 3})),
                      configuration_at(2, 1, members_of({2, 3}))}};
}

// It may be the only one whose log is complete enough to lead.
TEST(LeftOut, CampaignsWhileThatMayNotBeCommitted) {
  Server server(with_log_that_leaves_it_out());
  server.wait_for_deadline();
  EXPECT_EQ(server.take<RequestVote>(2).size(), 1U);
  EXPECT_EQ(server.take<RequestVote>(3).size(), 1U);
}

TEST(LeftOut, DoesNotCountItsOwnVote) {
  Server server(with_log_that_leaves_it_out());
  server.wait_for_deadline();
  const Term campaign = server.term().next();
  const auto vote = [&](int voter, bool pre_vote) {
    server.hear(voter, server.term(),
                VoteReply{.campaign_term = campaign, .pre_vote = pre_vote, .granted = true});
  };
  vote(2, true);
  EXPECT_EQ(server.term(), campaign.previous());
  vote(3, true);
  server.complete_writes();
  vote(2, false);
  EXPECT_FALSE(server.leads());
  vote(3, false);
  EXPECT_TRUE(server.leads());
}

TEST(LeftOut, LeadsUntilItHasCommittedThat) {
  Server server(with_log_that_leaves_it_out());
  make_leader(server);
  acknowledge_all(server, {2});
  EXPECT_TRUE(server.leads());
  acknowledge(server, 3);
  EXPECT_FALSE(server.leads());
  EXPECT_FALSE(server.take<TimeoutNow>().empty());
}

TEST(LeftOut, CampaignsNoMoreOnceItIsCommitted) {
  Server server(with_log_that_leaves_it_out());
  server.hear(
      2, Term(1),
      AppendEntries{
          .previous = position(2, 1), .commit_index = Index(2), .round = Round(1), .entries = {}});
  EXPECT_EQ(server.count_events<Removed>(), 1U);
  server.take_sent();
  for (int i = 0; i < 5; ++i) server.wait_for_deadline();
  EXPECT_TRUE(server.take_sent().empty());
}

// --- Servers that do not know that they were removed (4.2.3) ------------------------------------

// s1 leads, and s3 was removed while it could not be reached.
Cluster with_ignorant_outsider() {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(3);
  cluster.heartbeat(1);
  EXPECT_TRUE(cluster[1].change(remove(3)));
  cluster.settle();
  EXPECT_EQ(members(cluster[1]), members_of({1, 2}));
  cluster.heartbeat(1);
  cluster.reconnect(3);
  return cluster;
}

TEST(Outsider, LearnsThatItIsOneWhenItCampaigns) {
  Cluster cluster = with_ignorant_outsider();
  ASSERT_EQ(cluster[3].count_events<Removed>(), 0U);
  cluster[3].wait_for_deadline();
  cluster.settle();
  EXPECT_EQ(cluster[3].count_events<Removed>(), 1U);
  for (int i = 0; i < 5; ++i) cluster[3].wait_for_deadline();
  EXPECT_TRUE(cluster[3].take_sent().empty());
}

TEST(Outsider, DisturbsNobody) {
  Cluster cluster = with_ignorant_outsider();
  const Term term = cluster[1].term();
  cluster[3].wait_for_deadline();
  cluster.settle();
  for (const int number : {1, 2}) EXPECT_EQ(cluster[number].term(), term);
  EXPECT_TRUE(cluster[1].leads());
}

// Also with a term that is far ahead, as after a campaign without pre-votes.
TEST(Outsider, IsNotHeardWhateverItsTerm) {
  Cluster cluster = with_ignorant_outsider();
  const Term term = cluster[1].term();
  const Term ahead(99);
  cluster[1].hear(3, ahead,
                  RequestVote{.campaign_term = ahead, .transfer = true, .last = position(99, 99)});
  cluster[1].hear(3, ahead, AppendAccepted{Index(1), Round(1)});
  EXPECT_EQ(cluster[1].term(), term);
  EXPECT_TRUE(cluster[1].leads());
  const auto notices = cluster[1].take<NotMember>(3);
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_EQ(notices.front().configuration_index, cluster[1].raft().log().configuration_index());
}

TEST(Outsider, ThatWasALearnerLearnsItFromTheAnswerToItsQuestion) {
  Server member(Start{});
  make_established_leader(member);
  ASSERT_TRUE(member.change(add_learner(4)));
  const Peer learner = peer_in(member, 4);
  acknowledge_all(member, {2});
  member.hear(learner, member.term(), MembershipQuery{});
  EXPECT_TRUE(member.take<NotMember>().empty());
  ASSERT_TRUE(member.change(remove(4)));
  member.hear(learner, member.term(), MembershipQuery{});
  EXPECT_TRUE(member.take<NotMember>().empty());  // it is not committed
  acknowledge_all(member, {2});
  member.hear(learner, member.term(), MembershipQuery{});
  EXPECT_EQ(member.take<NotMember>(4), std::vector{NotMember{Index(3)}});
}

TEST(Outsider, IsNobodyThatMayYetBeAdmitted) {
  Server member(Start{.entries = {configuration_at(1, 1, configuration_of(3))}});
  make_established_leader(member);
  member.hear({id_of(4), Incarnation(5)}, member.term(), MembershipQuery{});
  EXPECT_TRUE(member.take<NotMember>().empty());
}

// The notice is about the life before.
TEST(Outsider, IsNotWhoWasAdmittedLater) {
  Server server(Start{.self = 4, .incarnation = Incarnation(5)});
  for (const std::uint64_t index : {4U, 5U}) {
    server.hear(1, Term(1), NotMember{Index(index)});
    EXPECT_EQ(server.count_events<Removed>(), 0U);
  }
  server.hear(1, Term(1), NotMember{Index(6)});
  EXPECT_EQ(server.count_events<Removed>(), 1U);
}

TEST(Outsider, TakesNobodysWordForItWhomItDoesNotKnow) {
  Server server(Start{});
  server.hear(9, Term(1), NotMember{Index(6)});
  EXPECT_EQ(server.count_events<Removed>(), 0U);
}

// --- Lives --------------------------------------------------------------------------------------

// Votes for the server that bore this one's name before it lost its disk are not for this one.
TEST(Incarnation, OfTheReceiverMustBeTheOneThatIsMeant) {
  Server server(Start{.incarnation = Incarnation(5)});
  Message message = server.message(2, Term(3), AppendEntries{});
  message.to.incarnation = Incarnation(4);
  server.hear(message);
  message.to.incarnation = Incarnation(6);
  server.hear(message);
  EXPECT_EQ(server.term(), Term());
  message.to.incarnation = Incarnation(5);
  server.hear(message);
  EXPECT_EQ(server.term(), Term(3));
}

TEST(Incarnation, OfTheSenderMustNotBeAnEarlierOneThanTheMembers) {
  Configuration configuration = configuration_of(3);
  configuration.members[1].incarnation = Incarnation(5);
  Server server(Start{.configuration = configuration});
  server.hear({id_of(2), Incarnation(4)}, Term(3), AppendEntries{});
  EXPECT_EQ(server.term(), Term());
  // This server's configuration may be behind.
  server.hear({id_of(2), Incarnation(6)}, Term(3), AppendEntries{});
  EXPECT_EQ(server.term(), Term(3));
}

TEST(Incarnation, OfAVoterMustBeTheMembers) {
  Server server(Start{});
  make_candidate(server);
  const VoteReply granted{.campaign_term = server.term(), .granted = true};
  server.hear({id_of(2), Incarnation(9)}, server.term(), granted);
  EXPECT_FALSE(server.leads());
  server.hear(2, server.term(), granted);
  EXPECT_TRUE(server.leads());
}

TEST(Incarnation, OfWhoAcknowledgesMustBeTheMembers) {
  Server leader(Start{});
  make_leader(leader);
  leader.complete_writes();
  leader.hear({id_of(2), Incarnation(9)}, leader.term(), AppendAccepted{Index(1), Round(0)});
  EXPECT_EQ(leader.commit_index(), 0U);
}

TEST(Incarnation, AReplacementUnderTheSameIdIsAnotherServer) {
  Cluster cluster = with_ignorant_outsider();
  ASSERT_TRUE(cluster[1].change(add(3, 77)));
  cluster.settle();
  cluster.join(3, 1);
  for (int i = 0; i < 4; ++i) cluster.heartbeat(1);
  EXPECT_TRUE(members(cluster[1]).is_voter(id_of(3)));
  EXPECT_GT(members(cluster[1]).find(id_of(3))->incarnation, Incarnation());
  EXPECT_EQ(cluster[3].log(), cluster[1].log());
  // The one before it is not heard of any more.
  cluster[1].hear(peer_of(3), Term(99), AppendAccepted{Index(1), Round(1)});
  EXPECT_TRUE(cluster[1].leads());
}

}  // namespace
}  // namespace anchor::raft
