#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/core/raft/members.h"

// Servers that do not vote yet, and their way to a vote: dissertation 4.2.1; and who may join as
// which member.
namespace anchor::raft {
namespace {

constexpr Duration kTimeout = Options{}.election_timeout;

// --- A learner counts for nothing ---------------------------------------------------------------

TEST(Learner, DoesNotCountForCommits) {
  Server leader(Start{.configuration = members_of({1, 2, 3}, {}, {4, 5})});
  make_leader(leader);
  acknowledge_all(leader, {4, 5});
  EXPECT_EQ(leader.commit_index(), 0U);
}

TEST(Learner, DoesNotKeepALeaderInOffice) {
  Server leader(Start{.configuration = members_of({1, 2, 3}, {}, {4, 5})});
  make_established_leader(leader);
  pass(leader, kTimeout, {4, 5});
  EXPECT_FALSE(leader.leads());
}

TEST(Learner, DoesNotConfirmReads) {
  Server leader(Start{.configuration = members_of({1, 2, 3}, {}, {4, 5})});
  make_established_leader(leader);
  leader.ask_to_read(1);
  const Round asked = leader.progress(4).round_asked;
  for (const int number : {4, 5}) {
    leader.hear(number, leader.term(), AppendAccepted{Index(1), asked});
  }
  EXPECT_FALSE(leader.confirmed_read(1));
}

TEST(Learner, HasNoVoteThatCounts) {
  Server server(Start{.configuration = members_of({1, 2, 3}, {}, {4, 5})});
  make_candidate(server);
  for (const int number : {4, 5}) {
    server.hear(number, server.term(), VoteReply{.campaign_term = server.term(), .granted = true});
  }
  EXPECT_FALSE(server.leads());
}

// It cannot tell whether it has been promoted meanwhile (etcd #10998).
TEST(Learner, VotesIfItIsAsked) {
  Server learner(Start{.self = 4, .configuration = members_of({1, 2, 3}, {}, {4})});
  learner.hear(2, Term(1), RequestVote{.campaign_term = Term(1), .pre_vote = false, .last = {}});
  learner.complete_writes();
  EXPECT_TRUE(learner.take<VoteReply>(2).front().granted);
}

TEST(Learner, NeverCampaigns) {
  Server learner(Start{.self = 4, .configuration = members_of({1, 2, 3}, {}, {4})});
  for (int i = 0; i < 5; ++i) learner.wait_for_deadline();
  EXPECT_EQ(learner.term(), Term());
  EXPECT_TRUE(learner.take<RequestVote>().empty());
}

TEST(Learner, AsksWhetherItIsStillAMemberWhenItHearsNoLeader) {
  Server learner(Start{.self = 4, .configuration = members_of({1, 2, 3}, {}, {4})});
  learner.wait_for_deadline();
  for (const int number : {1, 2, 3}) {
    EXPECT_EQ(learner.take<MembershipQuery>(number).size(), 1U);
  }
  EXPECT_TRUE(learner.take_sent().empty());
}

// --- Catching up (4.2.1) ------------------------------------------------------------------------

// s4 is admitted by the entry 2, which is committed: its first round has begun.
void make_leader_with_newcomer(Server& leader, const AddServer& request = add(4)) {
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(request));
  acknowledge_all(leader, {2});
  ASSERT_EQ(leader.commit_index(), 2U);
}

TEST(CatchingUp, PromotesAfterAShortRound) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  EXPECT_FALSE(joint(leader));
  acknowledge(leader, 4);
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3, 4}));
  EXPECT_EQ(members(leader).outgoing_voters, ids_of({1, 2, 3}));
  acknowledge_all(leader, {2, 4});
  EXPECT_FALSE(joint(leader));
  EXPECT_FALSE(members(leader).find(id_of(4))->awaits_promotion);
}

// What was appended while it lasted is the next one's.
TEST(CatchingUp, GoesOnAfterALongRoundWithAnother) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  ASSERT_TRUE(leader.propose());
  acknowledge_all(leader, {2});
  pass(leader, kTimeout, {2});
  acknowledge(leader, 4, Index(2));
  EXPECT_FALSE(joint(leader));
  acknowledge(leader, 4, Index(3));
  EXPECT_TRUE(joint(leader));
}

TEST(CatchingUp, IsNoneUntilTheNewcomerHasWhatTheLogHeldWhenTheRoundBegan) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  acknowledge(leader, 4, Index(1));
  EXPECT_FALSE(joint(leader));
}

TEST(CatchingUp, DoesNotPromoteWhoFellBehindMeanwhile) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  ASSERT_TRUE(leader.propose());
  acknowledge_all(leader, {2});
  acknowledge(leader, 4, Index(2));
  EXPECT_FALSE(joint(leader));
  acknowledge(leader, 4);
  EXPECT_TRUE(joint(leader));
}

// Else a server that never came up would raise the number of those that are needed (etcd #10537).
TEST(CatchingUp, NeverPromotesWhoNeverAnswers) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  pass(leader, 20 * kTimeout, {2, 3});
  EXPECT_TRUE(leader.leads());
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3}));
  EXPECT_EQ(leader.last_index(), 2U);
}

TEST(CatchingUp, DoesNotPromoteWhoIsToStayALearner) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add_learner(4));
  acknowledge(leader, 4);
  pass(leader, 2 * kTimeout, {2, 3, 4});
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3}));
}

TEST(CatchingUp, PromotesOneAfterTheOther) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  ASSERT_TRUE(leader.change(add(5)));
  acknowledge_all(leader, {2});
  acknowledge(leader, 4);
  acknowledge(leader, 5);
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3, 4}));
  acknowledge_all(leader, {2, 3, 4, 5});
  acknowledge_all(leader, {2, 3, 4, 5});
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3, 4, 5}));
  EXPECT_EQ(members(leader).outgoing_voters, ids_of({1, 2, 3, 4}));
}

TEST(CatchingUp, WaitsWhileLeadershipIsHandedOver) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  ASSERT_TRUE(leader.transfer(2));
  acknowledge(leader, 4);
  EXPECT_FALSE(joint(leader));
  pass(leader, kTimeout, {2, 4});
  ASSERT_FALSE(leader.raft().transferring());
  pass(leader, 2 * Options{}.heartbeat_interval, {2, 4});
  EXPECT_TRUE(joint(leader));
}

// --- Promotion by request -----------------------------------------------------------------------

TEST(Promotion, IsRefusedToWhoHasNotCaughtUp) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add_learner(4));
  acknowledge(leader, 4, Index(1));
  const auto refused = leader.change(PromoteServer{id_of(4)});
  EXPECT_EQ(reason_of(refused), AdminRefusal::kNotReady);
  EXPECT_EQ(refused.error().message, "s4 has not caught up: it holds entries up to 1 of 2");
}

TEST(Promotion, IsGivenToALearnerThatHasCaughtUp) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add_learner(4));
  acknowledge(leader, 4);
  ASSERT_TRUE(leader.change(PromoteServer{id_of(4)}));
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3, 4}));
}

TEST(Promotion, IsRefusedToWhoAnswersNoMore) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add_learner(4));
  acknowledge(leader, 4);
  pass(leader, kTimeout, {2, 3});
  EXPECT_EQ(reason_of(leader.change(PromoteServer{id_of(4)})), AdminRefusal::kNotReady);
}

TEST(Promotion, OfAVoterChangesNothing) {
  Server leader(Start{});
  make_established_leader(leader);
  const auto unchanged = leader.change(PromoteServer{id_of(3)});
  ASSERT_TRUE(unchanged);
  EXPECT_FALSE(*unchanged);
  EXPECT_EQ(leader.last_index(), 1U);
}

// --- Who joins as which member ------------------------------------------------------------------

TEST(Joining, TheIndexOfTheEntryThatAdmitsAServerIsItsIncarnation) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  EXPECT_EQ(members(leader).find(id_of(4))->incarnation, Incarnation(2));
}

TEST(Joining, RepeatedWithTheSameTokenChangesNothing) {
  Server leader(Start{});
  make_established_leader(leader);
  const auto first = leader.change(add(4, 77));
  const auto again = leader.change(add(4, 77));
  ASSERT_TRUE(first && again && *again);
  EXPECT_EQ(**again, **first);  // that entry is yet to be committed
  acknowledge_all(leader, {2});
  const auto later = leader.change(add(4, 77));
  ASSERT_TRUE(later);
  EXPECT_FALSE(*later);
  EXPECT_EQ(leader.last_index(), 2U);
}

// It may be the one before it without its data, which may have voted.
TEST(Joining, AsAMemberThatAnotherServerIsIsRefused) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add(4, 77));
  EXPECT_EQ(reason_of(leader.change(add(4, 78))), AdminRefusal::kIdentityTaken);
  EXPECT_EQ(reason_of(leader.change(add(3, 78))), AdminRefusal::kIdentityTaken);
  EXPECT_EQ(leader.last_index(), 2U);
}

// An operator has made room for it.
TEST(Joining, AsAMemberThatNobodyIsYetClaimsIt) {
  Server leader(Start{});
  make_leader_with_newcomer(leader);
  ASSERT_TRUE(leader.change(add(4, 77)));
  const Member* member = members(leader).find(id_of(4));
  EXPECT_EQ(member->join_token, 77U);
  EXPECT_EQ(member->incarnation, Incarnation(2));
  acknowledge_all(leader, {2});
  EXPECT_EQ(reason_of(leader.change(add(4, 78))), AdminRefusal::kIdentityTaken);
}

TEST(Joining, AgainFromAnotherAddressMovesIt) {
  Server leader(Start{});
  make_leader_with_newcomer(leader, add(4, 77));
  AddServer moved = add(4, 77);
  moved.address = "elsewhere:1";
  ASSERT_TRUE(leader.change(moved));
  EXPECT_EQ(members(leader).find(id_of(4))->address, "elsewhere:1");
  EXPECT_EQ(members(leader).find(id_of(4))->incarnation, Incarnation(2));
}

// --- Addresses ----------------------------------------------------------------------------------

TEST(Moving, ReplacesTheAddresses) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(MoveServer{peer_of(3), "elsewhere:1", "elsewhere:2"}));
  EXPECT_EQ(members(leader).find(id_of(3))->address, "elsewhere:1");
  EXPECT_EQ(members(leader).find(id_of(3))->http_address, "elsewhere:2");
  EXPECT_EQ(members(leader).voters, ids_of({1, 2, 3}));
}

TEST(Moving, ToWhereItIsChangesNothing) {
  Server leader(Start{});
  make_established_leader(leader);
  const auto unchanged = leader.change(MoveServer{peer_of(3), "", ""});
  ASSERT_TRUE(unchanged);
  EXPECT_FALSE(*unchanged);
}

TEST(Moving, OfAnotherLifeOfTheMemberIsRefused) {
  Server leader(Start{});
  make_established_leader(leader);
  const MoveServer other{{id_of(3), Incarnation(7)}, "elsewhere:1", ""};
  EXPECT_EQ(reason_of(leader.change(other)), AdminRefusal::kNotFound);
}

}  // namespace
}  // namespace anchor::raft
