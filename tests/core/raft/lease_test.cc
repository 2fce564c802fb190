#include "core/raft/lease.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/core/raft/cluster.h"

// Promises and leases: dissertation 6.4.1.
namespace anchor::raft {
namespace {

constexpr Options kDefaults{};
constexpr Duration kTimeout = kDefaults.election_timeout;

void ask_by_lease(Server& server, std::uint64_t context) {
  server.step([&](Raft& raft) { raft.request_read_index(context, true); });
}

bool lease_read(Server& server, std::uint64_t context) {
  ask_by_lease(server, context);
  return server.confirmed_read(context).has_value();
}

Round newest_round(const Server& server) {
  return std::get<Leader>(server.raft().role()).round;
}
// Lets the leader begin one.
Round begin_round(Server& server) {
  const Round before = newest_round(server);
  while (newest_round(server) == before) server.wait_for_deadline();
  return newest_round(server);
}

AppendAccepted answer(const Server& server, Round round, Duration promise) {
  return {.match_index = Index(server.last_index()),
          .round = round,
          .promise = promise,
          .sent = Instant(1s)};
}

// --- The leader ---------------------------------------------------------------------------------

TEST(Lease, LetsALeaderAnswerWithoutAsking) {
  Server server(Start{});
  make_established_leader(server);
  EXPECT_FALSE(lease_read(server, 1)) << "nobody has promised anything";
  server.hear(2, Term(1), answer(server, begin_round(server), kTimeout));
  server.take_sent();
  EXPECT_TRUE(lease_read(server, 2));
  EXPECT_TRUE(server.take<AppendEntries>().empty());
}

// What is left to the leader, by the slowest clock, of what the follower keeps by the fastest.
TEST(Lease, IsThePromiseLessTheDriftFromTheSendingOfTheRound) {
  Server server(Start{.options = {.max_clock_drift_ppm = 100'000}});
  make_established_leader(server);
  const Round round = begin_round(server);
  const Instant sent = server.now();
  server.wait(10ms);
  server.hear(2, Term(1), answer(server, round, 110ms));
  server.wait(sent + 90ms - 1us - server.now());
  EXPECT_TRUE(lease_read(server, 1));
  server.wait(1us);
  EXPECT_FALSE(lease_read(server, 2));
}

TEST(Lease, OfAQuorumIsItsLeastPromise) {
  Server server(Start{.configuration = configuration_of(5)});
  make_established_leader(server);
  const Round round = begin_round(server);
  const Instant sent = server.now();
  server.hear(2, Term(1), answer(server, round, kTimeout));
  EXPECT_FALSE(lease_read(server, 1)) << "two of five are no quorum";
  server.hear(3, Term(1), answer(server, round, 40ms));
  EXPECT_TRUE(lease_read(server, 2));
  server.wait(sent + 40ms - server.now());
  EXPECT_FALSE(lease_read(server, 3));
}

TEST(Lease, CountsNoPromiseOfAnotherThatIsLongerThanTheLeadersOwnPatience) {
  Server server(Start{});
  make_established_leader(server);
  const Round round = begin_round(server);
  const Instant sent = server.now();
  server.hear(2, Term(1), answer(server, round, Duration::max()));
  server.wait(sent + kTimeout - 10ms - server.now());
  EXPECT_TRUE(lease_read(server, 1));
  server.wait(sent + kTimeout - server.now());
  EXPECT_FALSE(server.leads() && lease_read(server, 2));
}

TEST(Lease, IsNoneForAnswersToRoundsThatWereNotAsked) {
  Server server(Start{});
  make_established_leader(server);
  const Round round = begin_round(server);
  server.hear(2, Term(1), answer(server, round.next(), kTimeout));
  server.hear(2, Term(1), answer(server, Round(0), kTimeout));
  EXPECT_FALSE(lease_read(server, 1));
}

// Until then its commit index may be behind its predecessor's (dissertation 6.4).
TEST(Lease, IsOfNoUseBeforeAnEntryOfTheLeadersTermIsCommitted) {
  Server server(Start{});
  make_leader(server);
  server.complete_writes();
  const Round round = newest_round(server);
  server.hear(2, Term(1), AppendAccepted{.match_index = {}, .round = round, .promise = kTimeout});
  EXPECT_FALSE(lease_read(server, 1));
  server.hear(2, Term(1), answer(server, round, kTimeout));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Lease, WithoutOneTheQuorumIsAsked) {
  Server server(Start{});
  make_established_leader(server);
  ask_by_lease(server, 1);
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_FALSE(requests.empty());
  server.hear(2, Term(1), answer(server, requests.back().round, Duration()));
  EXPECT_EQ(server.confirmed_read(1), Index(1));
}

TEST(Lease, EndsForTheWholeTermWhenLeadershipIsHandedOver) {
  Server server(Start{});
  make_established_leader(server);
  const Round round = begin_round(server);
  server.hear(2, Term(1), answer(server, round, kTimeout));
  server.hear(3, Term(1), answer(server, round, kTimeout));
  EXPECT_TRUE(lease_read(server, 1));
  ASSERT_TRUE(server.transfer(2));
  ASSERT_EQ(server.take<TimeoutNow>(2).size(), 1U);
  EXPECT_FALSE(lease_read(server, 2));
  // The transfer comes to nothing; its candidate may yet be on its way.
  server.wait(kTimeout / 2);
  server.hear(2, Term(1), answer(server, begin_round(server), kTimeout));
  server.wait(kTimeout / 2);
  ASSERT_TRUE(server.leads());
  server.hear(2, Term(1), answer(server, begin_round(server), kTimeout));
  EXPECT_EQ(server.count_events<TransferFailed>(), 1U);
  EXPECT_FALSE(lease_read(server, 3));
}

TEST(Lease, OfASoleVoterNeedsNobody) {
  Server server(Start{.configuration = configuration_of(1)});
  server.complete_writes();
  ASSERT_TRUE(server.leads());
  EXPECT_TRUE(lease_read(server, 1));
}

TEST(Lease, AnswersAFollowersQuestion) {
  Server server(Start{});
  make_established_leader(server);
  server.hear(2, Term(1), answer(server, begin_round(server), kTimeout));
  server.take_sent();
  server.hear(3, Term(1), ReadIndexRequest{.context = 7, .lease = true});
  const auto replies = server.take<ReadIndexReply>(3);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(
      replies[0],
      (ReadIndexReply{
          .context = 7, .requester_boot = Boot(1), .read_index = Index(1), .by_lease = true}));
}

// --- The voter ----------------------------------------------------------------------------------

AppendEntries heartbeat(std::uint64_t round) {
  return {.previous = {}, .commit_index = {}, .round = Round(round), .entries = {}};
}

// A follower of 2 in term 1, heard just now.
Server make_follower() {
  Server server(Start{.term = Term(1)});
  server.hear(2, Term(1), heartbeat(1));
  server.complete_writes();
  return server;
}

bool grants(Server& server, int candidate, Term term, bool transfer = false) {
  server.take<VoteReply>();
  server.hear(candidate, term,
              RequestVote{.campaign_term = term, .transfer = transfer, .last = position(9, 1)});
  server.complete_writes();
  const auto replies = server.take<VoteReply>();
  return !replies.empty() && replies.back().granted;
}

TEST(Promise, IsStoredBeforeItIsSpoken) {
  Server server(Start{.term = Term(1)});
  server.hear(2, Term(1), heartbeat(1));
  EXPECT_TRUE(server.take<AppendAccepted>().empty());
  ASSERT_EQ(server.writes().size(), 1U);
  EXPECT_EQ(server.writes().front().hard_state,
            (HardState{.term = Term(1), .vote = {}, .longest_promise = kTimeout}));
  server.complete_writes();
  const auto answers = server.take<AppendAccepted>();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].promise, kTimeout);
  // Once is enough.
  server.hear(2, Term(1), heartbeat(2));
  EXPECT_TRUE(server.writes().empty());
  EXPECT_EQ(server.take<AppendAccepted>().size(), 1U);
}

TEST(Promise, HoldsUntilItIsOverEvenInALaterTerm) {
  Server server = make_follower();
  // It forgets whom it followed, but not what it promised.
  server.hear(3, Term(2), ReadIndexReply{});
  ASSERT_EQ(server.term(), Term(2));
  server.wait(kTimeout - 1us);
  EXPECT_FALSE(grants(server, 3, Term(3)));
  EXPECT_EQ(server.term(), Term(2)) << "whom it does not listen to does not change its term";
  server.wait(1us);
  EXPECT_TRUE(grants(server, 3, Term(3)));
}

TEST(Promise, DoesNotKeepTheLeaderItselfFromBeingElectedAnew) {
  Server server = make_follower();
  EXPECT_TRUE(grants(server, 2, Term(2)));
}

TEST(Promise, DoesNotBindAVoteThatTheLeaderAskedFor) {
  Server server = make_follower();
  EXPECT_FALSE(grants(server, 3, Term(2)));
  EXPECT_TRUE(grants(server, 3, Term(2), true));
}

TEST(Promise, OfTheBootBeforeBindsToNobodyForAsLongAsTheLongest) {
  Server server = make_follower();
  server.restart();
  server.wait(kTimeout - 1us);
  EXPECT_FALSE(grants(server, 3, Term(2)));
  EXPECT_FALSE(grants(server, 2, Term(2))) << "it has forgotten to whom it was";
  server.wait(1us);
  EXPECT_TRUE(grants(server, 3, Term(2)));
}

TEST(Promise, OfTheBootBeforeIsAsLongAsItWasThen) {
  Server server(Start{.term = Term(1), .longest_promise = 10 * kTimeout, .options = kDefaults});
  // A leader that it hears meanwhile is another one, perhaps.
  server.wait(kTimeout);
  server.hear(2, Term(1), heartbeat(1));
  server.wait(9 * kTimeout - 1us);
  EXPECT_TRUE(server.follows()) << "it does not vote for itself either";
  EXPECT_FALSE(grants(server, 3, Term(2)));
  server.wait(1us);
  EXPECT_TRUE(grants(server, 3, Term(2)) || server.campaigns());
}

TEST(Promise, WithoutOneASoleVoterLeadsAtOnce) {
  Server server(Start{.configuration = configuration_of(1)});
  EXPECT_FALSE(server.follows());
}

TEST(Promise, ASoleVoterThatOnceFollowedWaitsForIt) {
  Server server(
      Start{.configuration = configuration_of(1), .term = Term(1), .longest_promise = kTimeout});
  server.wait(kTimeout - 1us);
  EXPECT_TRUE(server.follows());
  server.wait(1us);
  EXPECT_FALSE(server.follows());
}

// --- How old data is ----------------------------------------------------------------------------

TEST(Freshness, OfALeaderIsTheBeginningOfTheLastRoundThatAQuorumAnswered) {
  Server server(Start{});
  make_established_leader(server);
  const Round round = begin_round(server);
  const Instant began = server.now();
  server.wait(20ms);
  server.hear(2, Term(1), answer(server, round, Duration()));
  const auto fresh = server.raft().freshness();
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->index, Index(1));
  EXPECT_EQ(fresh->as_of, began);
}

TEST(Freshness, IsToldWithTheEchoOfWhatTheFollowerSaidLast) {
  Server server(Start{});
  make_established_leader(server);
  server.hear(2, Term(1), answer(server, begin_round(server), Duration()));
  server.take_sent();
  server.wait_for_deadline();
  const auto requests = server.take<AppendEntries>(2);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].dating,
            (Dating{.boot = Boot(1), .echo = Instant(1s), .age = kDefaults.heartbeat_interval}));
  // Of 3 nothing was heard yet by which it could date anything.
  EXPECT_EQ(server.take<AppendEntries>(3).back().dating, std::nullopt);
}

TEST(Freshness, OfAFollowerCountsFromItsOwnMessageLessTheLeadersAge) {
  Server server = make_follower();
  AppendEntries request = heartbeat(2);
  request.dating = Dating{.boot = Boot(1), .echo = Instant(50s), .age = 20ms};
  server.hear(2, Term(1), request);
  const auto fresh = server.raft().freshness();
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->as_of, Instant(50s) - 20ms);
}

// Another boot's clock may have had another beginning.
TEST(Freshness, OfAnotherBootIsNone) {
  Server server = make_follower();
  AppendEntries request = heartbeat(2);
  request.dating = Dating{.boot = Boot(2), .echo = Instant(50s), .age = 20ms};
  server.hear(2, Term(1), request);
  EXPECT_FALSE(server.raft().freshness());
}

TEST(Freshness, ThatNoClockCanHaveIsNotBelieved) {
  for (const Dating& dating : {Dating{.boot = Boot(1), .echo = Instant::max(), .age = 1ms},
                               Dating{.boot = Boot(1), .echo = Instant(1s), .age = Duration::max()},
                               Dating{.boot = Boot(1), .echo = Instant(1s), .age = Duration(-1)},
                               Dating{.boot = Boot(1), .echo = Instant(), .age = 1ms}}) {
    Server server = make_follower();
    AppendEntries request = heartbeat(2);
    request.dating = dating;
    server.hear(2, Term(1), request);
    EXPECT_FALSE(server.raft().freshness());
  }
}

}  // namespace
}  // namespace anchor::raft
