#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tests/core/raft/members.h"

// Changes of the members: dissertation 4.1 to 4.3. Learners and removals have tests of their own.
namespace anchor::raft {
namespace {

constexpr Duration kTimeout = Options{}.election_timeout;

// --- One at a time, and none too early ----------------------------------------------------------

// Two leaders' changes could be in force at once otherwise, and neither would know of the other
// (Ongaro, "bug in single-server membership changes", raft-dev, 2015-07-10).
TEST(Change, WaitsUntilAnEntryOfTheLeadersTermIsCommitted) {
  Server leader(Start{.log_terms = {1}});
  make_leader(leader);
  EXPECT_EQ(reason_of(leader.change(add(4))), AdminRefusal::kNotReady);
  EXPECT_EQ(reason_of(leader.change(remove(3))), AdminRefusal::kNotReady);
  // What earlier terms have left is none.
  acknowledge(leader, 2, Index(1));
  EXPECT_EQ(reason_of(leader.change(add(4))), AdminRefusal::kNotReady);
  acknowledge_all(leader, {2});
  EXPECT_TRUE(leader.change(add(4)));
}

TEST(Change, IsRefusedWhileAnotherIsNotCommitted) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(add_learner(4)));
  EXPECT_EQ(reason_of(leader.change(add(5))), AdminRefusal::kChangeInProgress);
  EXPECT_EQ(reason_of(leader.change(remove(4))), AdminRefusal::kChangeInProgress);
  EXPECT_EQ(reason_of(leader.change(remove(3))), AdminRefusal::kChangeInProgress);
  acknowledge_all(leader, {2});
  EXPECT_TRUE(leader.change(add(5)));
}

TEST(Change, IsRefusedUntilTheJointConfigurationIsLeft) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  acknowledge_all(leader, {2});
  ASSERT_FALSE(joint(leader));
  EXPECT_EQ(reason_of(leader.change(add(4))), AdminRefusal::kChangeInProgress);
  acknowledge_all(leader, {2});
  EXPECT_TRUE(leader.change(add(4)));
}

TEST(Change, IsRefusedWhileLeadershipIsHandedOver) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.transfer(2));
  const auto refused = leader.change(add(4));
  EXPECT_EQ(reason_of(refused), AdminRefusal::kChangeInProgress);
  EXPECT_EQ(refused.error().message, "leadership is being handed over to s2");
}

TEST(Change, OfNobodyIsRefused) {
  Server leader(Start{});
  make_established_leader(leader);
  EXPECT_EQ(reason_of(leader.change(remove(9))), AdminRefusal::kNotFound);
  EXPECT_EQ(reason_of(leader.change(PromoteServer{id_of(9)})), AdminRefusal::kNotFound);
  EXPECT_EQ(leader.last_index(), 1U);
}

TEST(Change, SaysWhichEntryMustBeCommitted) {
  Server leader(Start{});
  make_established_leader(leader);
  const auto added = leader.change(add(4));
  ASSERT_TRUE(added && *added);
  EXPECT_EQ(**added, position(2, 1));
  EXPECT_EQ(leader.raft().log().configuration_index(), Index(2));
}

// --- When a configuration is in force (4.1) -----------------------------------------------------

TEST(Configurations, AreInForceAsSoonAsTheyAreAppended) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(add(4)));
  EXPECT_LT(leader.commit_index(), leader.last_index());
  EXPECT_TRUE(members(leader).is_learner(id_of(4)));
  EXPECT_FALSE(leader.take<AppendEntries>(4).empty());
}

TEST(Configurations, AreInForceAtAFollowerBeforeTheyAreCommitted) {
  Server follower(Start{});
  follower.hear(2, Term(1),
                AppendEntries{.previous = {},
                              .commit_index = {},
                              .round = Round(1),
                              .entries = {configuration_at(1, 1, members_of({1, 2, 3, 4, 5}))}});
  follower.complete_writes();
  follower.wait_for_deadline();
  EXPECT_EQ(follower.take<RequestVote>(5).size(), 1U);
}

TEST(Configurations, GoWithATruncation) {
  Server follower(Start{});
  const auto append = [&](int leader, std::uint64_t term, std::vector<Entry> entries) {
    follower.hear(
        leader, Term(term),
        AppendEntries{
            .previous = {}, .commit_index = {}, .round = Round(1), .entries = std::move(entries)});
  };
  append(2, 1,
         {configuration_at(1, 1, members_of({1, 2, 3, 4})),
          configuration_at(2, 1, members_of({1, 2, 3, 4, 5}))});
  ASSERT_EQ(members(follower).voters.size(), 5U);
  append(3, 2, {configuration_at(1, 1, members_of({1, 2, 3, 4})), entry_at(2, 2)});
  EXPECT_EQ(members(follower).voters.size(), 4U);
  append(2, 3, entries_of({3}));
  EXPECT_EQ(members(follower), configuration_of(3));
}

TEST(Configurations, OutliveARestart) {
  Server follower(Start{.entries = {configuration_at(1, 1, members_of({1, 2, 3, 4, 5}))}});
  follower.restart();
  EXPECT_EQ(members(follower).voters.size(), 5U);
}

// Whether it is committed, a new leader cannot know.
TEST(Configurations, ThatANewLeaderFindsInItsLogAreInForce) {
  Server server(Start{.entries = {configuration_at(1, 1, members_of({1, 2, 3, 4, 5}))}});
  make_candidate(server);
  EXPECT_EQ(server.take<RequestVote>(4).size(), 2U);  // a pre-vote, and a vote
  server.hear(2, server.term(), VoteReply{.campaign_term = server.term(), .granted = true});
  EXPECT_FALSE(server.leads());
  server.hear(4, server.term(), VoteReply{.campaign_term = server.term(), .granted = true});
  EXPECT_TRUE(server.leads());
  acknowledge_all(server, {2});
  EXPECT_EQ(server.commit_index(), 0U);
  acknowledge(server, 5);
  EXPECT_EQ(server.commit_index(), 2U);
}

// --- Joint consensus (4.3) ----------------------------------------------------------------------

Start with_joint_log() {
  return {.entries = {configuration_at(1, 1, members_of({1, 4, 5}, {1, 2, 3}))}};
}

TEST(JointConsensus, ElectsByBothMajorities) {
  for (const auto& [first, second] : {std::pair(2, 4), std::pair(5, 3)}) {
    Server server(with_joint_log());
    server.wait_for_deadline();
    const auto vote = [&](int voter, Term campaign, bool pre_vote) {
      server.hear(voter, server.term(),
                  VoteReply{.campaign_term = campaign, .pre_vote = pre_vote, .granted = true});
    };
    const Term campaign = server.term().next();
    vote(first, campaign, true);
    EXPECT_EQ(server.term(), campaign.previous());
    vote(second, campaign, true);
    ASSERT_EQ(server.term(), campaign);
    server.complete_writes();
    vote(first, campaign, false);
    EXPECT_FALSE(server.leads());
    vote(second, campaign, false);
    EXPECT_TRUE(server.leads());
  }
}

TEST(JointConsensus, CommitsByBothMajorities) {
  for (const auto& [first, second] : {std::pair(2, 4), std::pair(5, 3)}) {
    Server leader(with_joint_log());
    make_leader(leader);
    acknowledge_all(leader, {first});
    EXPECT_EQ(leader.commit_index(), 0U);
    acknowledge(leader, second);
    EXPECT_EQ(leader.commit_index(), 2U);
  }
}

TEST(JointConsensus, LeadsWhileItHearsBothMajoritiesOnly) {
  Server leader(with_joint_log());
  make_leader(leader);
  leader.complete_writes();
  acknowledge(leader, 2, {});
  acknowledge(leader, 4, {});
  pass(leader, 2 * kTimeout, {2, 4});
  ASSERT_TRUE(leader.leads());
  pass(leader, kTimeout - 1ms, {2});
  leader.wait(1ms);
  EXPECT_FALSE(leader.leads());
}

TEST(JointConsensus, IsWhatAnyChangeOfVotersGoesThrough) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  EXPECT_EQ(members(leader).voters, ids_of({1, 2}));
  EXPECT_EQ(members(leader).outgoing_voters, ids_of({1, 2, 3}));
}

TEST(JointConsensus, IsLeftOnceItIsCommittedAndByItself) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  leader.complete_writes();
  ASSERT_TRUE(joint(leader));
  acknowledge(leader, 2);
  EXPECT_EQ(members(leader), members_of({1, 2}));
  EXPECT_EQ(leader.last_index(), 3U);
}

TEST(JointConsensus, IsLeftOnce) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  acknowledge_all(leader, {2});
  pass(leader, kTimeout, {2});
  EXPECT_EQ(leader.last_index(), 3U);
  acknowledge_all(leader, {2});
  pass(leader, kTimeout, {2});
  EXPECT_EQ(leader.last_index(), 3U);
}

// 4.3: whoever leads then brings the change to its end.
TEST(JointConsensus, IsLeftByANewLeaderThatFindsItInItsLog) {
  Server leader(with_joint_log());
  make_leader(leader);
  leader.complete_writes();
  ASSERT_EQ(leader.last_index(), 2U);  // its no-op, and nothing before that is committed
  acknowledge(leader, 2);
  acknowledge(leader, 4);
  EXPECT_EQ(members(leader), members_of({1, 4, 5}));
  EXPECT_EQ(leader.last_index(), 3U);
}

TEST(JointConsensus, IsNotLeftTwiceByANewLeaderThatFindsThatItWasLeft) {
  Start start = with_joint_log();
  start.entries.push_back(configuration_at(2, 1, members_of({1, 4, 5})));
  Server leader(start);
  make_leader(leader);
  acknowledge_all(leader, {4});
  EXPECT_EQ(leader.commit_index(), 3U);
  EXPECT_EQ(leader.last_index(), 3U);
}

TEST(JointConsensus, OutgoingVotersAreReplicatedToUntilItIsLeft) {
  Server leader(Start{});
  make_established_leader(leader);
  ASSERT_TRUE(leader.change(remove(3)));
  EXPECT_FALSE(leader.take<AppendEntries>(3).empty());
  acknowledge_all(leader, {2});
  leader.take_sent();
  ASSERT_TRUE(leader.propose());
  EXPECT_TRUE(leader.take<AppendEntries>(3).empty());
}

// --- A cluster ----------------------------------------------------------------------------------

TEST(Membership, AClusterGrowsFromOneServerToThree) {
  Cluster cluster(1);
  cluster.settle();
  for (const int number : {2, 3}) {
    ASSERT_TRUE(cluster[1].change(add(number)));
    cluster.settle();
    cluster.join(number, 1);
    for (int i = 0; i < 4; ++i) cluster.heartbeat(1);
    EXPECT_TRUE(members(cluster[1]).is_voter(id_of(number)));
    EXPECT_EQ(members(cluster[number]), members(cluster[1]));
    EXPECT_EQ(cluster[number].log(), cluster[1].log());
  }
  EXPECT_FALSE(joint(cluster[1]));
  cluster.cut_off(1);
  cluster.elect(2);
  EXPECT_TRUE(cluster[2].leads());
}

TEST(Membership, AChangeThatItsLeaderCouldNotCommitIsUndoneByTheNext) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(1);
  ASSERT_TRUE(cluster[1].change(remove(3)));
  ASSERT_TRUE(joint(cluster[1]));
  cluster.elect(2);
  cluster.reconnect(1);
  cluster.heartbeat(2);
  EXPECT_EQ(members(cluster[1]), configuration_of(3));
}

}  // namespace
}  // namespace anchor::raft
