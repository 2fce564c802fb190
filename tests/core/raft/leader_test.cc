#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/core/raft/cluster.h"

// The sender of AppendEntries: dissertation 3.5, 3.6.2 and 10.2.
namespace anchor::raft {
namespace {

using Terms = std::vector<std::uint64_t>;

Start with_log(Terms terms) {
  return {.log_terms = std::move(terms)};
}

AppendAccepted accepted(std::uint64_t match, std::uint64_t round = 0) {
  return {.match_index = Index(match), .round = Round(round)};
}
AppendRejected rejected(std::uint64_t previous, LogPosition hint) {
  return {.previous_index = Index(previous), .hint = hint, .round = {}};
}

// --- A new leader ------------------------------------------------------------------------------

TEST(Leader, StartsWithANoOpOfItsTerm) {
  Server server(with_log({1, 1}));
  make_leader(server);
  ASSERT_EQ(server.log_terms(), (Terms{1, 1, 2}));
  EXPECT_TRUE(std::holds_alternative<NoOp>(server.log().back().payload));
}

TEST(Leader, TellsEverybodyAtOnce) {
  Server server(with_log({1, 1}));
  make_leader(server);
  for (const int follower : {2, 3}) {
    const auto requests = server.take<AppendEntries>(follower);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests.front().previous, position(2, 1));
    EXPECT_EQ(terms_of(requests.front().entries), Terms{2});
  }
}

TEST(Leader, NeverChangesItsOwnLog) {
  Server server(with_log({1, 1}));
  make_leader(server);
  const std::vector<Entry> before = server.log();
  server.hear(
      2, server.term(),
      AppendEntries{
          .previous = {}, .commit_index = {}, .round = {}, .entries = entries_of({2, 2, 2})});
  EXPECT_EQ(server.log(), before);
}

TEST(Leader, HeartbeatsPreventElections) {
  Server server(Start{});
  make_established_leader(server);
  server.wait_for_deadline();
  server.take_sent();
  server.wait(Options{}.heartbeat_interval);
  for (const int follower : {2, 3}) {
    const auto heartbeats = server.take<AppendEntries>(follower);
    ASSERT_EQ(heartbeats.size(), 1U);
    EXPECT_TRUE(heartbeats.front().entries.empty());
    EXPECT_EQ(heartbeats.front().commit_index, Index(1));
  }
}

TEST(Leader, OnlyALeaderTakesProposals) {
  Server server(Start{});
  EXPECT_EQ(server.propose().error(), ProposalRefused::kNotLeader);
  make_candidate(server);
  EXPECT_EQ(server.propose().error(), ProposalRefused::kNotLeader);
}

// --- Sending -----------------------------------------------------------------------------------

TEST(Pipeline, EntriesLeaveBeforeTheLeadersOwnDiskHasThem) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  EXPECT_EQ(server.writes().size(), 1U);
  EXPECT_EQ(server.take<AppendEntries>(2).size(), 1U);
}

TEST(Pipeline, ProposalsOfOneStepMakeOneMessageAndOneWrite) {
  Server server(Start{});
  make_established_leader(server);
  server.step([](Raft& raft) {
    for (int i = 0; i < 64; ++i) EXPECT_TRUE(raft.propose(Bytes::copy_of("x")));
  });
  ASSERT_EQ(server.writes().size(), 1U);
  EXPECT_EQ(server.writes().front().entries.size(), 64U);
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.front().entries.size(), 64U);
}

TEST(Pipeline, AnUnknownFollowerIsSentOneMessageAtATime) {
  Server server(Start{});
  make_leader(server);
  server.take_sent();
  server.propose();
  EXPECT_TRUE(server.take<AppendEntries>(2).empty());
  server.hear(2, server.term(), accepted(1));
  EXPECT_EQ(server.take<AppendEntries>(2).front().previous, position(1, 1));
}

TEST(Pipeline, AKnownFollowerIsSentOnWithoutWaiting) {
  Server server(Start{});
  make_established_leader(server);
  for (const std::uint64_t previous : {1U, 2U, 3U}) {
    server.propose();
    const auto requests = server.take<AppendEntries>(2);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests.front().previous, position(previous, 1));
    EXPECT_EQ(requests.front().entries.size(), 1U);
  }
}

TEST(Pipeline, StopsAtTheWindowOfMessagesUntilAnAnswerOpensIt) {
  Server server(Start{.options = {.window_messages = 2}});
  make_established_leader(server);
  for (int i = 0; i < 4; ++i) server.propose();
  EXPECT_EQ(server.take<AppendEntries>(2).size(), 2U);
  server.hear(2, Term(1), accepted(2));
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.front().entries.size(), 2U);  // 4 and 5 together
}

TEST(Pipeline, StopsAtTheWindowOfBytes) {
  Server server(Start{.options = {.window_bytes = 1'000}});
  make_established_leader(server);
  for (int i = 0; i < 4; ++i) server.propose(std::string(600, 'x'));
  EXPECT_EQ(server.take<AppendEntries>(2).size(), 2U);
}

TEST(Pipeline, AHeartbeatGoesThroughAClosedWindow) {
  Server server(Start{.options = {.window_messages = 1}});
  make_established_leader(server);
  server.propose();
  server.propose();
  server.take_sent();
  server.wait(Options{}.heartbeat_interval);
  const auto heartbeats = server.take<AppendEntries>(2);
  ASSERT_EQ(heartbeats.size(), 1U);
  EXPECT_TRUE(heartbeats.front().entries.empty());
}

TEST(Pipeline, AMessageCarriesAsMuchAsFitsButAtLeastOneEntry) {
  Server server(Start{.options = {.append_bytes = 1'000}});
  make_established_leader(server);
  server.step([](Raft& raft) {
    for (const std::size_t size : {300U, 300U, 5'000U, 300U}) {
      EXPECT_TRUE(raft.propose(Bytes::copy_of(std::string(size, 'x'))));
    }
  });
  std::vector<std::size_t> counts;
  for (const AppendEntries& request : server.take<AppendEntries>(2)) {
    counts.push_back(request.entries.size());
  }
  EXPECT_EQ(counts, (std::vector<std::size_t>{2, 1, 1}));
}

TEST(Pipeline, AnUnreachableFollowerIsSentAgainWhatItHasNotAcknowledged) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  server.propose();
  server.take_sent();
  server.step([](Raft& raft) { raft.peer_unreachable(id_of(2)); });
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.front().previous, position(1, 1));
  EXPECT_EQ(requests.front().entries.size(), 2U);
  EXPECT_TRUE(server.take<AppendEntries>(3).empty());
}

// It has answered nothing yet: that is no reason to begin at the first entry.
TEST(Pipeline, AnUnreachableFollowerIsAskedAgainWhereItWasAsked) {
  Server server(with_log({1, 1, 1}));
  make_leader(server);
  server.take_sent();
  server.step([](Raft& raft) { raft.peer_unreachable(id_of(2)); });
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests.front().previous, position(3, 1));
}

// --- Backing up --------------------------------------------------------------------------------

TEST(BackUp, ARejectionLeadsToTheEntryAfterTheHint) {
  Server server(with_log({1, 1, 1, 1}));
  make_leader(server);
  server.take_sent();
  server.hear(2, Term(2), rejected(4, position(1, 1)));
  EXPECT_EQ(server.take<AppendEntries>(2).front().previous, position(1, 1));
}

TEST(BackUp, SkipsAWholeTermThatTheFollowerCannotHave) {
  // The follower's log ends with term 1 at 6: what the leader has of term 2 is not in it.
  Server server(with_log({1, 1, 2, 2, 2, 2, 2}));
  make_leader(server);
  server.take_sent();
  server.hear(2, Term(3), rejected(7, position(6, 1)));
  EXPECT_EQ(server.take<AppendEntries>(2).front().previous, position(2, 1));
}

TEST(BackUp, ARejectionOfSomethingAcknowledgedSinceIsIgnored) {
  Server server(with_log({1, 1, 1}));
  make_established_leader(server);
  server.hear(2, Term(2), rejected(3, position(1, 1)));
  EXPECT_TRUE(server.progress(2).replicating());
  EXPECT_EQ(server.progress(2).next, Index(5));
  EXPECT_TRUE(server.take<AppendEntries>(2).empty());
}

TEST(BackUp, ARejectionThatWasFollowedAlreadyIsIgnored) {
  Server server(with_log({1, 1, 1, 1}));
  make_leader(server);
  server.hear(2, Term(2), rejected(4, position(1, 1)));
  server.take_sent();
  server.hear(2, Term(2), rejected(4, position(1, 1)));
  EXPECT_TRUE(server.take<AppendEntries>(2).empty());
}

TEST(BackUp, ALostMessageIsFoundOutByTheNextHeartbeat) {
  Cluster cluster(3);
  cluster.elect(1);
  cluster.cut_off(2);
  cluster[1].propose();
  cluster.settle();
  cluster.reconnect(2);
  cluster.heartbeat(1);
  EXPECT_EQ(cluster[2].log(), cluster[1].log());
}

// Figure 3.6 of the dissertation: followers that lack entries, have too many, or both.
TEST(BackUp, BringsEveryKindOfLogIntoAgreement) {
  const Terms leader = {1, 1, 1, 4, 4, 5, 5, 6, 6, 6};
  for (const Terms& follower :
       {Terms{1, 1, 1, 4, 4, 5, 5, 6, 6}, Terms{1, 1, 1, 4}, Terms{1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
        Terms{1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7}, Terms{1, 1, 1, 4, 4, 4, 4},
        Terms{1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}, Terms{}}) {
    Server sender(Start{.log_terms = leader, .term = Term(7)});
    Server receiver(Start{.self = 2, .log_terms = follower, .term = Term(7)});
    make_leader(sender);
    for (bool moved = true; moved;) {
      moved = false;
      for (const Message& message : sender.take_sent()) {
        if (message.to.id != id_of(2)) continue;
        receiver.hear(message);
        moved = true;
      }
      receiver.complete_writes();
      for (const Message& message : receiver.take_sent()) sender.hear(message);
    }
    EXPECT_EQ(receiver.log(), sender.log());
  }
}

// --- Acknowledgements --------------------------------------------------------------------------

TEST(Acknowledgement, OfAnEarlierBootIsVoid) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  server.hear(2, Term(1), accepted(1), Boot(2));
  server.hear(2, Term(1), accepted(2), Boot(1));
  EXPECT_EQ(server.progress(2).match, Index(1));
}

TEST(Acknowledgement, OfANewBootReplacesAllOfTheOldOnes) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  server.hear(2, Term(1), accepted(2), Boot(1));
  server.hear(2, Term(1), accepted(0), Boot(2));
  EXPECT_EQ(server.progress(2).match, Index(0));
}

TEST(Acknowledgement, OfAnotherLifeIsVoid) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  Message message = server.message(2, Term(1), accepted(2));
  message.from.incarnation = Incarnation(9);
  server.hear(message);
  EXPECT_EQ(server.progress(2).match, Index(1));
}

TEST(Acknowledgement, OfMoreThanTheLeaderHasIsIgnored) {
  Server server(Start{});
  make_established_leader(server);
  server.hear(2, Term(1), accepted(9));
  EXPECT_EQ(server.progress(2).match, Index(1));
}

TEST(Acknowledgement, OfAnEarlierTermIsIgnored) {
  Server server(with_log({1, 1}));
  make_leader(server);
  server.hear(2, Term(1), accepted(2));
  EXPECT_EQ(server.progress(2).match, Index(0));
}

TEST(Acknowledgement, ThatComesLateTakesNothingBack) {
  Server server(Start{});
  make_established_leader(server);
  server.propose();
  server.propose();
  server.hear(2, Term(1), accepted(3));
  server.hear(2, Term(1), accepted(2));
  EXPECT_EQ(server.progress(2).match, Index(3));
}

}  // namespace
}  // namespace anchor::raft
