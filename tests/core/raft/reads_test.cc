#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/core/raft/cluster.h"

// Linearizable reads by ReadIndex: dissertation 6.4.
namespace anchor::raft {
namespace {

AppendAccepted accepted(std::uint64_t match, Round round) {
  return {.match_index = Index(match), .round = round};
}

// The round of the last message that has left for the server.
Round last_round(Server& server, int to) {
  const auto requests = server.take<AppendEntries>(to);
  EXPECT_FALSE(requests.empty());
  return requests.empty() ? Round() : requests.back().round;
}

// A follower of server 2 in term 1, whose log is known to agree with its leader's up to 2 of 3.
Server make_follower() {
  Server server(Start{.log_terms = {1, 1, 1}});
  server.hear(2, Term(1),
              AppendEntries{
                  .previous = {}, .commit_index = {}, .round = {}, .entries = entries_of({1, 1})});
  server.complete_writes();
  server.take_sent();
  return server;
}

// --- At the leader -----------------------------------------------------------------------------

TEST(Read, IsConfirmedByARoundThatAQuorumAnswers) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
  server.hear(2, Term(1), accepted(1, last_round(server, 2)));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, WaitsUntilAnEntryOfTheLeadersTermIsCommitted) {
  Server server(Start{.log_terms = {1, 1}});
  make_leader(server);
  server.take_sent();
  server.ask_to_read(1);
  EXPECT_TRUE(server.take<AppendEntries>(2).empty());
  server.complete_write();
  server.hear(2, Term(2), accepted(3, Round(0)));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
  server.hear(2, Term(2), accepted(3, last_round(server, 2)));
  EXPECT_EQ(server.confirmed_read(1), Index(3));
}

TEST(Read, IsNotConfirmedByTheAnswerToAnEarlierRound) {
  Server server(Start{});
  make_established_leader(server);
  server.wait(Options{}.heartbeat_interval);
  const Round earlier = last_round(server, 2);
  server.ask_to_read(1);
  ASSERT_GT(last_round(server, 3), earlier);
  server.hear(2, Term(1), accepted(1, earlier));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
}

TEST(Read, IsNotConfirmedByAMinority) {
  Server server(Start{.configuration = configuration_of(5)});
  make_established_leader(server);
  server.ask_to_read(1);
  const Round round = last_round(server, 2);
  server.hear(2, Term(1), accepted(1, round));
  server.hear(2, Term(1), accepted(1, round));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
  server.hear(5, Term(1), accepted(1, round));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, IsNotConfirmedByLearners) {
  Configuration configuration = configuration_of(3);
  configuration.voters = {id_of(1), id_of(2)};
  configuration.learners = {id_of(3)};
  Server server(Start{.configuration = configuration});
  make_established_leader(server);
  server.ask_to_read(1);
  server.hear(3, Term(1), accepted(1, last_round(server, 3)));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
}

TEST(Read, IsNotConfirmedByARoundThatWasNeverAsked) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  server.hear(2, Term(1), accepted(1, Round(99)));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
}

TEST(Read, ARejectionOfEntriesConfirmsItToo) {
  // The follower's log lags, but it follows: that is all that a read asks.
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  const Round round = last_round(server, 2);
  server.hear(2, Term(1), AppendRejected{.previous_index = Index(1), .hint = {}, .round = round});
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, OneRoundServesAllThatCameBeforeIt) {
  Server server(Start{});
  make_established_leader(server);
  server.step([&](Raft& raft) {
    raft.request_read_index(1, false);
    raft.receive(server.message(2, Term(1), ReadIndexRequest{.context = 7}));
    raft.receive(server.message(3, Term(1), ReadIndexRequest{.context = 8}));
  });
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  server.hear(2, Term(1), accepted(1, requests.front().round));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
  EXPECT_EQ(server.take<ReadIndexReply>(2).at(0).context, 7U);
  EXPECT_EQ(server.take<ReadIndexReply>(3).at(0).context, 8U);
}

// Whoever asks again has got no answer, and any will do: what waits here does not grow.
TEST(Read, OfWhoAsksAgainOnlyTheNewestIsAnswered) {
  Server server(Start{});
  make_leader(server);
  for (const std::uint64_t context : {5U, 7U, 6U}) {
    server.hear(3, Term(1), ReadIndexRequest{.context = context});
  }
  EXPECT_EQ(std::get<Leader>(server.raft().role()).reads.waiting.size(), 1U);
  server.complete_writes();
  server.hear(2, Term(1), accepted(1, Round(1)));
  server.hear(2, Term(1), accepted(1, last_round(server, 2)));
  const auto replies = server.take<ReadIndexReply>(3);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].context, 7U);
}

TEST(Read, ThatComesWhileARoundIsOutWaitsForTheNext) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  const Round first = last_round(server, 2);
  server.ask_to_read(2);
  EXPECT_TRUE(server.take<AppendEntries>(2).empty());
  server.hear(2, Term(1), accepted(1, first));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
  EXPECT_EQ(server.confirmed_read(2), std::nullopt);
  const Round second = last_round(server, 2);
  EXPECT_GT(second, first);
  server.hear(2, Term(1), accepted(1, second));
  EXPECT_EQ(server.confirmed_read(2), Index(1));
}

TEST(Read, GetsTheCommitIndexOfWhenItsRoundBegan) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  const Round round = last_round(server, 2);
  ASSERT_TRUE(server.propose());
  server.complete_write();
  server.hear(3, Term(1), accepted(2, Round(0)));
  ASSERT_EQ(server.commit_index(), 2U);
  server.hear(2, Term(1), accepted(1, round));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, IsAskedForAgainWithTheHeartbeatIfItsRoundIsLost) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  server.take_sent();
  server.wait(Options{}.heartbeat_interval);
  server.hear(2, Term(1), accepted(1, last_round(server, 2)));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, ASoleVoterConfirmsItsOwn) {
  Server server(Start{.configuration = configuration_of(1)});
  server.complete_writes();
  ASSERT_TRUE(server.leads());
  server.ask_to_read(1);
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Read, IsNeverConfirmedByADeposedLeader) {
  Server server(Start{});
  make_established_leader(server);
  server.ask_to_read(1);
  const Round round = last_round(server, 2);
  server.hear(3, Term(2), AppendRejected{});
  server.hear(2, Term(1), accepted(1, round));
  EXPECT_EQ(server.confirmed_read(1), std::nullopt);
}

TEST(Read, ALeaderThatWasCutOffConfirmsNothing) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(1);
  cluster.elect(2);
  ASSERT_TRUE(cluster[1].leads());
  cluster[1].ask_to_read(1);
  cluster.settle();
  EXPECT_EQ(cluster[1].confirmed_read(1), std::nullopt);
}

// --- At a follower -----------------------------------------------------------------------------

TEST(FollowerRead, AsksTheLeader) {
  Server server = make_follower();
  server.ask_to_read(7);
  EXPECT_EQ(server.take<ReadIndexRequest>(2), std::vector{ReadIndexRequest{7}});
}

TEST(FollowerRead, TheLeaderAnswersOnceAQuorumConfirmsIt) {
  Server server(Start{});
  make_established_leader(server);
  server.hear(3, Term(1), ReadIndexRequest{7}, Boot(4));
  EXPECT_TRUE(server.take<ReadIndexReply>(3).empty());
  server.hear(2, Term(1), accepted(1, last_round(server, 2)));
  EXPECT_EQ(server.take<ReadIndexReply>(3), (std::vector{ReadIndexReply{
                                                .context = 7,
                                                .requester_boot = Boot(4),
                                                .read_index = Index(1),
                                            }}));
}

TEST(FollowerRead, IsConfirmedByTheLeadersAnswer) {
  Server server = make_follower();
  server.ask_to_read(7);
  server.hear(2, Term(1), ReadIndexReply{7, server.boot_count(), Index(2)});
  EXPECT_EQ(server.confirmed_read(7), Index(2));
}

TEST(FollowerRead, TheAnswerCommitsWhatTheLogIsKnownToShare) {
  Server server = make_follower();
  ASSERT_EQ(server.commit_index(), 0U);
  server.hear(2, Term(1), ReadIndexReply{7, server.boot_count(), Index(5)});
  EXPECT_EQ(server.commit_index(), 2U);
}

TEST(FollowerRead, IsNotConfirmedByAnAnswerToAnEarlierBoot) {
  // The context counts from 1 in each boot: this answer is to another question.
  Server server = make_follower();
  server.restart();
  server.hear(2, Term(1), ReadIndexReply{7, Boot(1), Index(2)});
  EXPECT_EQ(server.confirmed_read(7), std::nullopt);
}

TEST(FollowerRead, ALeaderOfThePastIsNotBelieved) {
  Server server = make_follower();
  server.hear(3, Term(2),
              AppendEntries{.previous = {}, .commit_index = {}, .round = {}, .entries = {}});
  server.ask_to_read(7);
  server.hear(2, Term(1), ReadIndexReply{7, server.boot_count(), Index(2)});
  EXPECT_EQ(server.confirmed_read(7), std::nullopt);
}

TEST(FollowerRead, SeesEverythingThatWasCommittedBeforeItWasAsked) {
  Cluster cluster(3);
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].propose("a"));
  cluster.settle();
  const std::uint64_t committed = cluster[1].commit_index();
  cluster[3].ask_to_read(1);
  cluster.settle();
  EXPECT_EQ(cluster[3].confirmed_read(1), Index(committed));
  EXPECT_EQ(cluster[3].commit_index(), committed);
}

}  // namespace
}  // namespace anchor::raft
