#include <gtest/gtest.h>

#include <set>
#include <variant>
#include <vector>

#include "tests/core/raft/cluster.h"

// Leader election: dissertation 3.4 and 9.6.
namespace anchor::raft {
namespace {

constexpr Options kOptions{};
constexpr Duration kTimeout = kOptions.election_timeout;

Start with_log(std::vector<std::uint64_t> terms) {
  return {.log_terms = std::move(terms)};
}

RequestVote vote_request(std::uint64_t term, LogPosition last) {
  return {.campaign_term = Term(term), .pre_vote = false, .last = last};
}
RequestVote pre_vote_request(std::uint64_t term, LogPosition last) {
  return {.campaign_term = Term(term), .pre_vote = true, .last = last};
}
VoteReply vote(std::uint64_t term) {
  return {.campaign_term = Term(term), .granted = true};
}
VoteReply pre_vote(std::uint64_t term) {
  return {.campaign_term = Term(term), .pre_vote = true, .granted = true};
}

AppendEntries heartbeat(std::uint64_t round = 1) {
  return {.previous = {}, .commit_index = {}, .round = Round(round), .entries = {}};
}

// Whether it grants the vote that server 2 asks for in `term`, its log ending at `last`.
bool grants(Server& server, std::uint64_t term, LogPosition last) {
  server.hear(2, Term(term), vote_request(term, last));
  server.complete_writes();
  const std::vector<VoteReply> replies = server.take<VoteReply>(2);
  return replies.size() == 1 && replies.front().granted;
}

// --- When a server campaigns -------------------------------------------------------------------

TEST(Election, AServerStartsAsAFollowerAndWaits) {
  Server server(Start{});
  EXPECT_TRUE(server.follows());
  server.wait(kTimeout - 1ms);
  EXPECT_TRUE(server.follows());
  EXPECT_TRUE(server.take_sent().empty());
}

TEST(Election, AFollowerThatHearsNoLeaderAsksForPreVotes) {
  Server server(with_log({1, 1}));
  server.wait_for_deadline();
  EXPECT_TRUE(server.campaigns());
  for (const int other : {2, 3}) {
    EXPECT_EQ(server.take<RequestVote>(other), std::vector{pre_vote_request(2, position(2, 1))});
  }
}

TEST(Election, AskingForPreVotesChangesNoTermAndWritesNothing) {
  Server server(with_log({1}));
  server.wait_for_deadline();
  EXPECT_EQ(server.term(), Term(1));
  EXPECT_TRUE(server.writes().empty());
}

TEST(Election, TimeoutsAreDrawnFromTToTwiceT) {
  std::set<Instant> deadlines;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Server server(Start{.seed = seed});
    const Instant deadline = *server.raft().deadline();
    EXPECT_GE(deadline, Instant(kTimeout));
    EXPECT_LT(deadline, Instant(2 * kTimeout));
    deadlines.insert(deadline);
  }
  EXPECT_GT(deadlines.size(), 45U);
}

TEST(Election, ACandidateDrawsANewTimeoutForEachAttempt) {
  Server server(Start{});
  std::set<Duration> timeouts;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const Duration timeout = *server.raft().deadline() - server.now();
    EXPECT_GE(timeout, kTimeout);
    EXPECT_LT(timeout, 2 * kTimeout);
    timeouts.insert(timeout);
    server.wait_for_deadline();
  }
  EXPECT_EQ(timeouts.size(), 5U);
}

TEST(Election, AHeartbeatPutsTheElectionOff) {
  Server server(Start{});
  for (std::uint64_t round = 1; round <= 20; ++round) {
    server.wait(kTimeout - 1ms);
    server.hear(2, Term(1), heartbeat(round));
  }
  EXPECT_TRUE(server.follows());
}

TEST(Election, AGrantedVotePutsTheElectionOff) {
  Server server(Start{.term = Term(1)});
  server.wait(kTimeout - 1ms);
  ASSERT_TRUE(grants(server, 1, {}));
  server.wait(kTimeout - 1ms);
  EXPECT_TRUE(server.follows());
}

TEST(Election, ARefusedVoteDoesNotPutTheElectionOff) {
  Server server(with_log({1, 1}));
  const Instant deadline = *server.raft().deadline();
  server.wait(kTimeout - 1ms);
  server.hear(2, Term(1), vote_request(1, position(1, 1)));
  EXPECT_EQ(server.raft().deadline(), deadline);
}

TEST(Election, ALearnerDoesNotCampaign) {
  Configuration configuration = configuration_of(3);
  configuration.voters = {id_of(2), id_of(3)};
  configuration.learners = {id_of(1)};
  Server learner(Start{.configuration = configuration});
  for (int i = 0; i < 3; ++i) learner.wait_for_deadline();
  EXPECT_TRUE(learner.follows());
  EXPECT_TRUE(learner.take<RequestVote>().empty());
}

TEST(Election, LearnersAreNotAskedForVotes) {
  Configuration configuration = configuration_of(3);
  configuration.voters = {id_of(1), id_of(2)};
  configuration.learners = {id_of(3)};
  Server server(Start{.configuration = configuration});
  server.wait_for_deadline();
  EXPECT_EQ(server.take<RequestVote>(2).size(), 1U);
  EXPECT_TRUE(server.take<RequestVote>(3).empty());
}

// --- Pre-votes (9.6) ---------------------------------------------------------------------------

TEST(PreVote, IsGrantedWithoutAnyTrace) {
  Server server(with_log({1}));
  server.hear(2, Term(1), pre_vote_request(2, position(1, 1)));
  EXPECT_EQ(server.take<VoteReply>(2), std::vector{pre_vote(2)});
  EXPECT_EQ(server.raft().state().hard_state, (HardState{Term(1), std::nullopt}));
  EXPECT_TRUE(server.writes().empty());
}

TEST(PreVote, IsGrantedToAllWhoAsk) {
  Server server(with_log({1}));
  server.hear(2, Term(1), pre_vote_request(2, position(1, 1)));
  server.hear(3, Term(1), pre_vote_request(2, position(1, 1)));
  EXPECT_TRUE(server.take<VoteReply>(2).front().granted);
  EXPECT_TRUE(server.take<VoteReply>(3).front().granted);
}

TEST(PreVote, IsRefusedToALogThatIsLessUpToDate) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), pre_vote_request(2, position(1, 1)));
  EXPECT_FALSE(server.take<VoteReply>(2).front().granted);
}

TEST(PreVote, IsRefusedForATermThatIsNotAboveTheVotersOwn) {
  Server server(Start{.log_terms = {1}, .term = Term(5)});
  server.hear(2, Term(4), pre_vote_request(5, position(1, 1)));
  EXPECT_FALSE(server.take<VoteReply>(2).front().granted);
}

TEST(PreVote, IsRefusedWhileALeaderIsHeard) {
  Server server(Start{});
  server.hear(3, Term(1), heartbeat());
  server.hear(2, Term(1), pre_vote_request(2, {}));
  server.complete_writes();
  EXPECT_FALSE(server.take<VoteReply>(2).front().granted);
}

TEST(PreVote, DoesNotCountAsAVote) {
  Server server(Start{});
  make_candidate(server);
  server.hear(2, server.term(), pre_vote(1));
  server.hear(3, server.term(), pre_vote(1));
  EXPECT_FALSE(server.leads());
}

TEST(PreVote, ACandidateThatCannotWinNeverRaisesItsTerm) {
  Server server(with_log({1}));
  for (int attempt = 0; attempt < 5; ++attempt) {
    server.wait_for_deadline();
    server.hear(2, Term(1), VoteReply{.campaign_term = Term(2), .pre_vote = true});
  }
  EXPECT_TRUE(server.campaigns());
  EXPECT_EQ(server.term(), Term(1));
}

TEST(PreVote, AServerThatComesBackFromAPartitionDeposesNobody) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(3);
  for (int i = 0; i < 5; ++i) {
    cluster[3].wait_for_deadline();
    cluster.settle();
  }
  cluster.reconnect(3);
  cluster[3].wait_for_deadline();
  cluster.heartbeat(1);
  EXPECT_TRUE(cluster[1].leads());
  EXPECT_EQ(cluster[1].term(), Term(1));
  EXPECT_TRUE(cluster[3].follows());
}

TEST(PreVote, OfAnEarlierCampaignDoesNotCount) {
  Server server(with_log({1}));
  server.wait_for_deadline();
  server.hear(2, Term(0), pre_vote(1));
  EXPECT_EQ(server.term(), Term(1));
}

// --- A campaign --------------------------------------------------------------------------------

TEST(Election, ACandidateIncrementsItsTermAndVotesForItself) {
  Server server(with_log({1}));
  make_candidate(server);
  EXPECT_EQ(server.raft().state().hard_state, (HardState{Term(2), peer_of(1)}));
  for (const int other : {2, 3}) {
    const auto requests = server.take<RequestVote>(other);
    EXPECT_EQ(requests.back(), vote_request(2, position(1, 1)));
  }
}

TEST(Election, VoteRequestsLeaveOnceTheCandidatesOwnVoteIsDurable) {
  Server server(Start{});
  server.wait_for_deadline();
  server.take_sent();
  server.hear(2, Term(0), pre_vote(1));
  EXPECT_TRUE(server.take_sent().empty());
  server.complete_write();
  EXPECT_EQ(server.take<RequestVote>().size(), 2U);
}

TEST(Election, ACandidatesTimerStartsWhenItsVoteRequestsLeave) {
  Server server(Start{});
  server.wait_for_deadline();
  server.hear(2, Term(0), pre_vote(1));
  EXPECT_EQ(server.raft().deadline(), std::nullopt);
  server.wait(10 * kTimeout);
  EXPECT_EQ(server.term(), Term(1));
  server.complete_write();
  EXPECT_GE(*server.raft().deadline(), server.now() + kTimeout);
}

// Nobody is asked before: whoever votes all the same makes no leader whose term may be lost.
TEST(Election, VotesCountOnceTheCandidatesOwnIsDurable) {
  Server server(Start{});
  server.wait_for_deadline();
  server.hear(2, Term(0), pre_vote(1));
  server.hear(2, Term(1), vote(1));
  server.hear(3, Term(1), vote(1));
  server.complete_write();
  EXPECT_FALSE(server.leads());
  server.hear(2, Term(1), vote(1));
  EXPECT_TRUE(server.leads());
}

TEST(Election, ACandidatesOwnVoteDoesNotCountWithAnEarlierWrite) {
  Server server(Start{});
  server.hear(2, Term(1), heartbeat());
  while (server.follows()) server.wait_for_deadline();
  server.hear(2, Term(1), pre_vote(2));
  ASSERT_EQ(server.writes().size(), 2U);
  server.complete_write();
  server.hear(2, Term(2), vote(2));
  EXPECT_FALSE(server.leads());
  server.complete_write();
  server.hear(2, Term(2), vote(2));
  EXPECT_TRUE(server.leads());
}

TEST(Election, ADiskThatStallsDelaysACampaignButDoesNotForbidIt) {
  Server server(Start{});
  server.hear(2, Term(1), heartbeat());  // the new term is on its way to the disk
  const Instant heard = server.now();
  server.wait_for_deadline();
  EXPECT_TRUE(server.follows());
  while (server.follows()) server.wait_for_deadline();
  EXPECT_GE(server.now() - heard, 8 * kTimeout);
  EXPECT_LT(server.now() - heard, 10 * kTimeout);
}

TEST(Election, ASoleVoterLeadsOnceItsOwnVoteIsDurable) {
  Server server(Start{.configuration = configuration_of(1)});
  EXPECT_TRUE(server.campaigns());
  server.complete_write();
  EXPECT_TRUE(server.leads());
}

TEST(Election, ACandidateWinsWithTheVotesOfAMajority) {
  Server server(Start{.configuration = configuration_of(5)});
  make_candidate(server);
  server.hear(2, Term(1), vote(1));
  EXPECT_FALSE(server.leads());
  server.hear(3, Term(1), vote(1));
  EXPECT_TRUE(server.leads());
}

TEST(Election, AVoteThatArrivesTwiceCountsOnce) {
  Server server(Start{.configuration = configuration_of(5)});
  make_candidate(server);
  server.hear(2, Term(1), vote(1));
  server.hear(2, Term(1), vote(1));
  EXPECT_FALSE(server.leads());
}

TEST(Election, ARefusalDoesNotCount) {
  Server server(Start{});
  make_candidate(server);
  server.hear(2, Term(1), VoteReply{.campaign_term = Term(1)});
  server.hear(3, Term(1), VoteReply{.campaign_term = Term(1)});
  EXPECT_FALSE(server.leads());
}

TEST(Election, VotesOfAnEarlierCampaignDoNotCount) {
  Server server(Start{});
  make_candidate(server);
  make_candidate(server);
  ASSERT_EQ(server.term(), Term(2));
  server.hear(2, Term(1), vote(1));
  server.hear(3, Term(1), vote(1));
  EXPECT_FALSE(server.leads());
}

TEST(Election, VotesOfAnotherLifeThanTheConfigurationsDoNotCount) {
  // One of an earlier life was lost with its disk, one of a later life is not a member yet.
  for (const std::uint64_t incarnation : {6U, 8U}) {
    Configuration configuration = configuration_of(3);
    configuration.members[1].incarnation = Incarnation(7);
    Server server(Start{.configuration = configuration});
    server.wait_for_deadline();
    server.hear(3, Term(0), pre_vote(1));
    server.complete_write();
    Message reply = server.message(2, Term(1), vote(1));
    reply.from.incarnation = Incarnation(incarnation);
    server.hear(reply);
    EXPECT_FALSE(server.leads());
  }
}

TEST(Election, AJointConfigurationElectsByBothMajorities) {
  Configuration configuration = configuration_of(5);
  configuration.voters = {id_of(1), id_of(2), id_of(3)};
  configuration.outgoing_voters = {id_of(1), id_of(4), id_of(5)};
  Server server(Start{.configuration = configuration});
  make_candidate(server);
  server.hear(2, Term(1), vote(1));
  server.hear(3, Term(1), vote(1));
  EXPECT_FALSE(server.leads());
  server.hear(4, Term(1), vote(1));
  EXPECT_TRUE(server.leads());
}

TEST(Election, ACandidateWhoseVotesSplitAsksAgainWhetherItWouldWin) {
  Server server(Start{});
  make_candidate(server);
  server.take_sent();
  server.wait_for_deadline();
  EXPECT_TRUE(server.campaigns());
  EXPECT_EQ(server.term(), Term(1));
  EXPECT_EQ(server.take<RequestVote>(2), std::vector{pre_vote_request(2, {})});
}

TEST(Election, ACandidateFollowsTheLeaderOfItsTerm) {
  Server server(Start{});
  make_candidate(server);
  server.hear(3, Term(1), heartbeat());
  EXPECT_TRUE(server.follows());
  EXPECT_EQ(server.raft().leader()->peer.id, id_of(3));
}

TEST(Election, ACandidateDoesNotFollowALeaderOfAnEarlierTerm) {
  Server server(with_log({1}));
  make_candidate(server);
  server.hear(3, Term(1), heartbeat());
  EXPECT_TRUE(server.campaigns());
}

TEST(Election, ServersAgreeOnTheLeader) {
  Cluster cluster(5);
  cluster.elect(4);
  for (int number = 1; number <= 5; ++number) {
    EXPECT_EQ(cluster[number].leads(), number == 4);
    EXPECT_EQ(cluster[number].raft().leader()->peer.id, id_of(4));
  }
}

}  // namespace
}  // namespace anchor::raft
