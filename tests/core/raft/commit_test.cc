#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/raft/cluster.h"

// What is committed, and who hears of it: dissertation 3.5, 3.6.2 and 10.2.1.
namespace anchor::raft {
namespace {

using Terms = std::vector<std::uint64_t>;

AppendAccepted accepted(std::uint64_t match) {
  return {.match_index = Index(match), .round = {}};
}

TEST(Commit, TakesAMajorityOfDisks) {
  Server server(Start{.configuration = configuration_of(5)});
  make_leader(server);
  server.complete_write();
  server.hear(2, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 0U);
  server.hear(3, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 1U);
}

TEST(Commit, TheLeaderCountsItselfOnceItsOwnWriteIsDurable) {
  Server server(Start{});
  make_leader(server);
  server.hear(2, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 0U);
  server.complete_write();
  EXPECT_EQ(server.commit_index(), 1U);
}

TEST(Commit, AMajorityOfFollowersNeedsNotWaitForTheLeadersDisk) {
  Server server(Start{});
  make_leader(server);
  server.hear(2, Term(1), accepted(1));
  server.hear(3, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 1U);
  EXPECT_EQ(server.writes().size(), 1U);
}

TEST(Commit, ASoleVoterCommitsWhatItsDiskHas) {
  Server server(Start{.configuration = configuration_of(1)});
  server.complete_writes();
  ASSERT_TRUE(server.propose());
  EXPECT_EQ(server.commit_index(), 1U);
  server.complete_write();
  EXPECT_EQ(server.commit_index(), 2U);
}

TEST(Commit, LearnersDoNotCount) {
  Configuration configuration = configuration_of(3);
  configuration.voters = {id_of(1), id_of(2)};
  configuration.learners = {id_of(3)};
  Server server(Start{.configuration = configuration});
  make_leader(server);
  server.complete_write();
  server.hear(3, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 0U);
  server.hear(2, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 1U);
}

TEST(Commit, TakesBothMajoritiesOfAJointConfiguration) {
  Configuration configuration = configuration_of(5);
  configuration.voters = {id_of(1), id_of(2), id_of(3)};
  configuration.outgoing_voters = {id_of(1), id_of(4), id_of(5)};
  Server server(Start{.configuration = configuration});
  make_leader(server);
  server.complete_write();
  server.hear(2, Term(1), accepted(1));
  server.hear(3, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 0U);
  server.hear(5, Term(1), accepted(1));
  EXPECT_EQ(server.commit_index(), 1U);
}

// Figure 3.7 of the dissertation: entry 2, of term 2, is on a majority, and may yet be overwritten.
TEST(Commit, EntriesOfEarlierTermsAreNotCommittedByCounting) {
  Server server(Start{.configuration = configuration_of(5), .log_terms = {1, 2}, .term = Term(3)});
  make_leader(server);
  ASSERT_EQ(server.term(), Term(4));
  server.complete_writes();
  for (const int follower : {2, 3, 4, 5}) server.hear(follower, Term(4), accepted(2));
  EXPECT_EQ(server.commit_index(), 0U);
}

TEST(Commit, EntriesOfEarlierTermsAreCommittedWithOneOfTheLeadersOwn) {
  Server server(Start{.configuration = configuration_of(5), .log_terms = {1, 2}, .term = Term(3)});
  make_leader(server);
  server.complete_writes();
  server.hear(2, Term(4), accepted(3));
  server.hear(3, Term(4), accepted(3));
  EXPECT_EQ(server.commit_index(), 3U);
}

TEST(Commit, FollowersHearOfItWithoutWaitingForAHeartbeat) {
  Server server(Start{});
  make_established_leader(server);
  EXPECT_LE(*server.raft().deadline(), server.now() + Options{}.heartbeat_interval / 10);
  server.wait_for_deadline();
  for (const int follower : {2, 3}) {
    const auto notices = server.take<AppendEntries>(follower);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_EQ(notices.front().commit_index, Index(1));
  }
}

TEST(Commit, ANewEntryCarriesTheNewsAndSparesTheNotice) {
  Server server(Start{});
  make_established_leader(server);
  ASSERT_TRUE(server.propose());
  EXPECT_EQ(server.take<AppendEntries>(2).front().commit_index, Index(1));
  server.take_sent();
  server.wait(Options{}.heartbeat_interval / 10);
  EXPECT_TRUE(server.take_sent().empty());
}

TEST(Commit, EverybodyCommitsTheSame) {
  Cluster cluster(5);
  cluster.elect(1);
  cluster.cut_off(4);
  ASSERT_TRUE(cluster[1].propose("a"));
  ASSERT_TRUE(cluster[1].propose("b"));
  cluster.settle();
  cluster.reconnect(4);
  cluster.heartbeat(1);
  for (int number = 1; number <= 5; ++number) {
    EXPECT_EQ(cluster[number].commit_index(), 3U);
    EXPECT_EQ(cluster[number].log(), cluster[1].log());
  }
}

TEST(Commit, NothingIsCommittedByAMinority) {
  Cluster cluster(5);
  cluster.elect(1);
  for (const int number : {3, 4, 5}) cluster.cut_off(number);
  ASSERT_TRUE(cluster[1].propose("a"));
  cluster.settle();
  EXPECT_EQ(cluster[1].commit_index(), 1U);
}

TEST(Commit, WhatADeposedLeaderDidNotCommitGivesWay) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(1);
  ASSERT_TRUE(cluster[1].propose("lost"));
  cluster.elect(2);
  ASSERT_TRUE(cluster[2].propose("kept"));
  cluster.settle();
  cluster.reconnect(1);
  cluster.heartbeat(2);
  EXPECT_EQ(cluster[1].log(), cluster[2].log());
  EXPECT_EQ(cluster[1].commit_index(), cluster[2].commit_index());
}

TEST(Commit, WhatWasCommittedSurvivesItsLeader) {
  Cluster cluster(3);
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].propose("kept"));
  cluster.settle();
  const std::vector<Entry> committed = cluster[1].log();
  cluster.cut_off(1);
  cluster.elect(3);
  const std::vector<Entry> log = cluster[3].log();
  ASSERT_GT(log.size(), committed.size());
  EXPECT_EQ(std::vector(log.begin(), log.begin() + std::ssize(committed)), committed);
}

// --- Bounds ------------------------------------------------------------------------------------

TEST(Overload, ALeaderRefusesProposalsOverTheBoundOfUncommittedBytes) {
  Server server(Start{.options = {.uncommitted_bytes = 1'000}});
  make_established_leader(server);
  ASSERT_TRUE(server.propose(std::string(900, 'x')));
  EXPECT_EQ(server.propose(std::string(200, 'x')).error(), ProposalRefused::kOverloaded);
  EXPECT_EQ(server.last_index(), 2U);
}

TEST(Overload, CommittingMakesRoom) {
  Server server(Start{.options = {.uncommitted_bytes = 1'000}});
  make_established_leader(server);
  ASSERT_TRUE(server.propose(std::string(900, 'x')));
  server.complete_write();
  server.hear(2, Term(1), accepted(2));
  EXPECT_TRUE(server.propose(std::string(900, 'x')));
}

}  // namespace
}  // namespace anchor::raft
