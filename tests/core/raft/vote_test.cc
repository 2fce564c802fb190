#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "tests/core/raft/cluster.h"

// Who gets a vote, who is not listened to, and who stops leading: dissertation 3.4, 3.6.1, 4.2.3
// and 6.2.
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
VoteReply vote(std::uint64_t term) {
  return {.campaign_term = Term(term), .granted = true};
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

// --- Votes (3.4, 3.6.1) ------------------------------------------------------------------------

TEST(Vote, LeavesOnceItIsDurable) {
  Server server(Start{});
  server.hear(2, Term(1), vote_request(1, {}));
  EXPECT_TRUE(server.take_sent().empty());
  EXPECT_EQ(server.writes().front().hard_state, (HardState{Term(1), peer_of(2)}));
  server.complete_write();
  EXPECT_EQ(server.take<VoteReply>(2), std::vector{vote(1)});
}

TEST(Vote, IsGivenOnceATermFirstComeFirstServed) {
  Server server(Start{});
  ASSERT_TRUE(grants(server, 1, {}));
  server.hear(3, Term(1), vote_request(1, {}));
  EXPECT_FALSE(server.take<VoteReply>(3).front().granted);
}

TEST(Vote, IsGivenAgainToTheSameCandidate) {
  Server server(Start{});
  EXPECT_TRUE(grants(server, 1, {}));
  EXPECT_TRUE(grants(server, 1, {}));
}

TEST(Vote, IsNotForgottenInARestart) {
  Server server(Start{});
  ASSERT_TRUE(grants(server, 1, {}));
  server.restart();
  server.hear(3, Term(1), vote_request(1, {}));
  EXPECT_FALSE(server.take<VoteReply>(3).front().granted);
}

TEST(Vote, IsFreeAgainInANewTerm) {
  Server server(Start{});
  ASSERT_TRUE(grants(server, 1, {}));
  server.hear(3, Term(2), vote_request(2, {}));
  server.complete_writes();
  EXPECT_EQ(server.take<VoteReply>(3), std::vector{vote(2)});
}

TEST(Vote, IsRefusedInAnEarlierTermWithTheVotersOwn) {
  Server server(Start{.term = Term(5)});
  server.hear(2, Term(4), vote_request(4, {}));
  const std::vector<Message> sent = server.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().term, Term(5));
  EXPECT_FALSE(std::get<VoteReply>(sent.front().body).granted);
}

TEST(Vote, IsRefusedToALogWhoseLastTermIsEarlierHoweverLong) {
  Server server(with_log({1, 2}));
  EXPECT_FALSE(grants(server, 3, position(9, 1)));
}

TEST(Vote, IsGivenToALogWhoseLastTermIsLaterHoweverShort) {
  Server server(with_log({1, 1, 1}));
  EXPECT_TRUE(grants(server, 3, position(1, 2)));
}

TEST(Vote, IsRefusedToAShorterLogOfTheSameLastTerm) {
  Server server(with_log({1, 1}));
  EXPECT_FALSE(grants(server, 2, position(1, 1)));
}

TEST(Vote, IsGivenToAnEqualLog) {
  Server server(with_log({1, 1}));
  EXPECT_TRUE(grants(server, 2, position(2, 1)));
}

TEST(Vote, AnIllFormedRequestIsNotAnswered) {
  Server server(Start{});
  server.hear(2, Term(1), vote_request(2, {}));
  server.hear(2, Term(1), vote_request(1, position(1, 2)));
  server.complete_writes();
  EXPECT_TRUE(server.take_sent().empty());
  EXPECT_EQ(server.term(), Term(0));
}

// --- Whom nobody listens to (4.2.3) ------------------------------------------------------------

TEST(Stickiness, AFollowerThatHeardALeaderLatelyIgnoresVoteRequests) {
  Server server(Start{});
  server.hear(3, Term(1), heartbeat());
  server.complete_writes();
  server.take_sent();
  server.wait(kTimeout - 1us);
  server.hear(2, Term(9), vote_request(9, {}));
  EXPECT_EQ(server.term(), Term(1));
  EXPECT_TRUE(server.take_sent().empty());
}

TEST(Stickiness, AFollowerListensOnceItsLeaderWasSilentForAnElectionTimeout) {
  Server server(Start{});
  server.hear(3, Term(1), heartbeat());
  server.wait(kTimeout);
  EXPECT_TRUE(grants(server, 2, {}));
}

TEST(Stickiness, AFollowerListensToItsOwnLeader) {
  Server server(Start{});
  server.hear(2, Term(1), heartbeat());
  EXPECT_TRUE(grants(server, 2, {}));
}

TEST(Stickiness, ALeaderIgnoresVoteRequests) {
  Server server(Start{});
  make_leader(server);
  server.hear(2, Term(9), vote_request(9, position(9, 8)));
  EXPECT_TRUE(server.leads());
  EXPECT_EQ(server.term(), Term(1));
}

// --- Stepping down -----------------------------------------------------------------------------

TEST(StepDown, ALeaderThatHearsOfAHigherTermFollows) {
  Server server(Start{});
  make_leader(server);
  server.hear(2, Term(2), AppendRejected{});
  EXPECT_TRUE(server.follows());
  EXPECT_EQ(server.term(), Term(2));
}

TEST(StepDown, ACandidateThatHearsOfAHigherTermFollows) {
  Server server(Start{});
  make_candidate(server);
  server.hear(2, Term(2), VoteReply{.campaign_term = Term(1)});
  EXPECT_TRUE(server.follows());
  EXPECT_EQ(server.term(), Term(2));
}

TEST(StepDown, ALeaderThatHearsFromNoQuorumForAnElectionTimeoutFollows) {
  Server server(Start{});
  make_leader(server);
  server.wait(kTimeout - 1us);
  EXPECT_TRUE(server.leads());
  server.wait(1us);
  EXPECT_TRUE(server.follows());
  EXPECT_EQ(server.term(), Term(1));
}

TEST(StepDown, ALeaderStaysWhileAQuorumAnswers) {
  Server server(Start{});
  make_leader(server);
  for (int i = 0; i < 10; ++i) {
    server.wait(kTimeout - 1us);
    server.hear(3, Term(1), AppendAccepted{});
  }
  EXPECT_TRUE(server.leads());
}

TEST(StepDown, AMinorityOfAnswersDoesNotKeepALeader) {
  Server server(Start{.configuration = configuration_of(5)});
  make_leader(server);
  server.wait(kTimeout - 1us);
  server.hear(2, Term(1), AppendAccepted{});
  server.wait(1us);
  EXPECT_TRUE(server.follows());
}

TEST(StepDown, AnswersOfLearnersDoNotKeepALeader) {
  Configuration configuration = configuration_of(3);
  configuration.voters = {id_of(1), id_of(2)};
  configuration.learners = {id_of(3)};
  Server server(Start{.configuration = configuration});
  make_leader(server);
  server.wait(kTimeout - 1us);
  server.hear(3, Term(1), AppendAccepted{});
  server.wait(1us);
  EXPECT_TRUE(server.follows());
}

TEST(StepDown, ADeposedLeaderFollowsItsSuccessor) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(1);
  cluster.elect(2);
  ASSERT_TRUE(cluster[1].leads() && cluster[2].leads());
  cluster.reconnect(1);
  cluster.heartbeat(2);
  EXPECT_TRUE(cluster[1].follows());
  EXPECT_EQ(cluster[1].raft().leader()->peer.id, id_of(2));
}

}  // namespace
}  // namespace anchor::raft
