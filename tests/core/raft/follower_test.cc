#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "tests/core/raft/cluster.h"

// The receiver of AppendEntries: dissertation 3.5.
namespace anchor::raft {
namespace {

using Terms = std::vector<std::uint64_t>;

constexpr Duration kPromise = Options{}.election_timeout;

// It has made its first promise before, so that answers need not wait for that to be durable.
Start with_log(Terms terms) {
  return {.log_terms = std::move(terms), .longest_promise = kPromise};
}

// Entries with the terms given, after `previous`.
AppendEntries append(LogPosition previous, const Terms& terms, std::uint64_t commit = 0,
                     std::uint64_t round = 0) {
  return {.previous = previous,
          .commit_index = Index(commit),
          .round = Round(round),
          .entries = entries_of(terms, previous.index.value() + 1)};
}

AppendAccepted accepted(std::uint64_t match, std::uint64_t round = 0) {
  return {.match_index = Index(match), .round = Round(round), .promise = kPromise};
}

// --- The consistency check ---------------------------------------------------------------------

TEST(Follower, AppendsEntriesThatFollowItsLog) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(2), append(position(2, 1), {2, 2}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 2, 2}));
}

TEST(Follower, AcknowledgesEntriesOnceTheyAreDurable) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append(position(1, 1), {1, 1}));
  EXPECT_TRUE(server.take<AppendAccepted>().empty());
  server.complete_write();
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(3)});
}

TEST(Follower, RejectsEntriesBeyondTheEndOfItsLog) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(5, 1), {1}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1}));
  EXPECT_EQ(server.take<AppendRejected>(2), (std::vector{AppendRejected{
                                                .previous_index = Index(5),
                                                .hint = position(2, 1),
                                                .round = {},
                                                .promise = kPromise,
                                            }}));
}

TEST(Follower, RejectsEntriesAfterOneOfAnotherTermAndKeepsItsLog) {
  Server server(with_log({1, 1, 1}));
  server.hear(2, Term(3), append(position(3, 2), {3}));
  server.complete_writes();
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 1}));
  EXPECT_EQ(server.take<AppendRejected>(2).size(), 1U);
}

TEST(Follower, HintsPastAWholeTermAtOnce) {
  Server server(with_log({1, 2, 2, 2, 2, 3, 3}));
  // None of its entries of terms 2 and 3 can be in a log that has term 1 up to index 7.
  server.hear(2, Term(4), append(position(7, 1), {4}));
  server.complete_writes();
  EXPECT_EQ(server.take<AppendRejected>(2).front().hint, position(1, 1));
}

TEST(Follower, ForgetsAConflictingEntryAndAllThatFollowIt) {
  Server server(with_log({1, 1, 2, 2, 2}));
  server.hear(2, Term(3), append(position(2, 1), {3}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 3}));
  EXPECT_EQ(server.writes().front().truncate_from, Index(3));
  EXPECT_EQ(server.writes().front().entries, entries_of({3}, 3));
}

TEST(Follower, KeepsEntriesBeforeTheConflictThatItAlreadyHas) {
  Server server(with_log({1, 1, 2}));
  server.hear(2, Term(3), append({}, {1, 1, 3}));
  EXPECT_EQ(server.writes().front().truncate_from, Index(3));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 3}));
}

TEST(Follower, NeverCutsItsLogWithoutAConflict) {
  Server server(with_log({1, 1, 1, 1}));
  server.hear(2, Term(1), append({}, {1, 1}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 1, 1}));
  EXPECT_TRUE(server.writes().empty());
}

TEST(Follower, AHeartbeatCutsNothing) {
  Server server(with_log({1, 1, 2}));
  server.hear(2, Term(3), append(position(1, 1), {}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1, 2}));
}

TEST(Follower, NeverCutsWhatIsCommitted) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(2, 1), {}, 2));
  ASSERT_EQ(server.commit_index(), 2U);
  server.hear(3, Term(2), append({}, {2, 2}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1}));
}

TEST(Follower, IgnoresALeaderThatContradictsItself) {
  Server server(Start{.term = Term(3)});
  server.hear(2, Term(3), append({}, {1, 1}));
  server.hear(2, Term(3), append({}, {1, 2}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 1}));
}

TEST(Follower, IgnoresALeaderThatContradictsWhatIsCommitted) {
  Server server(with_log({1, 5}));
  server.hear(2, Term(5), append(position(2, 5), {}, 2));
  ASSERT_EQ(server.commit_index(), 2U);
  server.take_sent();
  server.hear(2, Term(5), append(position(2, 0), {1}));
  EXPECT_EQ(server.log_terms(), (Terms{1, 5}));
  EXPECT_TRUE(server.take_sent().empty());
}

// Nothing would say any more who counts.
TEST(Follower, IgnoresALeaderThatReplacesWhatTheFoundersBeganWith) {
  Entry founding{.index = Index(1), .term = Term(1), .payload = {}};
  founding.payload = std::make_shared<const Configuration>(configuration_of(3));
  Raft raft({}, 1,
            {.cluster_id = ClusterId(1),
             .self = peer_of(1),
             .boot = Boot(1),
             .hard_state = {.term = Term(1), .vote = {}},
             .base = {},
             .base_configuration = {},
             .entries = {founding}});
  raft.begin_step(Instant());
  raft.receive({.from = peer_of(2),
                .from_boot = Boot(1),
                .to = peer_of(1),
                .term = Term(2),
                .body = append({}, {2})});
  raft.finish_step();
  EXPECT_EQ(raft.log().last(), position(1, 1));
}

// Whoever took it over would soon have none left.
TEST(Follower, IgnoresATermThatNoClusterReaches) {
  Server server(with_log({1}));
  server.hear(2, Term(UINT64_MAX), append(position(1, 1), {}));
  EXPECT_EQ(server.term(), Term(1));
}

TEST(Follower, IgnoresEntriesWithAGap) {
  Server server(Start{});
  AppendEntries request = append({}, {1, 1, 1});
  request.entries.erase(request.entries.begin() + 1);
  server.hear(2, Term(1), request);
  EXPECT_TRUE(server.log().empty());
}

TEST(Follower, IgnoresEntriesOfATermAboveTheSendersOwn) {
  Server server(Start{});
  server.hear(2, Term(1), append({}, {1, 2}));
  EXPECT_TRUE(server.log().empty());
}

TEST(Follower, IgnoresASecondLeaderOfATerm) {
  Server server(Start{});
  server.hear(2, Term(1), append({}, {1}));
  server.hear(3, Term(1), append(position(1, 1), {1}));
  EXPECT_EQ(server.log_terms(), Terms{1});
}

TEST(Follower, IgnoresAnotherBootOfItsLeader) {
  // Whoever restarts leads no longer: this is a copy from before.
  Server server(Start{});
  server.hear(2, Term(1), append({}, {1}), Boot(5));
  server.hear(2, Term(1), append(position(1, 1), {1}), Boot(4));
  EXPECT_EQ(server.log_terms(), Terms{1});
}

TEST(Follower, IgnoresMessagesToAnother) {
  Server server(Start{});
  Message message = server.message(2, Term(1), append({}, {1}));
  message.to = peer_of(3);
  server.hear(message);
  EXPECT_EQ(server.term(), Term(0));
}

TEST(Follower, IgnoresAnEarlierLifeOfItsLeader) {
  Configuration configuration = configuration_of(3);
  configuration.members[1].incarnation = Incarnation(7);
  Server server(Start{.configuration = configuration});
  server.hear(2, Term(1), append({}, {1}));
  EXPECT_EQ(server.term(), Term(0));
}

// --- Terms -------------------------------------------------------------------------------------

TEST(Follower, TakesOverTheLeadersTerm) {
  Server server(Start{});
  server.hear(2, Term(4), append({}, {}));
  EXPECT_EQ(server.term(), Term(4));
  EXPECT_EQ(server.raft().leader()->peer.id, id_of(2));
}

TEST(Follower, SaysNothingInATermThatIsNotDurable) {
  Server server(Start{});
  server.hear(2, Term(4), append({}, {}, 0, 1));
  EXPECT_TRUE(server.take_sent().empty());
  server.complete_write();
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(0, 1)});
}

TEST(Follower, AnswersALeaderOfThePastWithItsOwnTerm) {
  Server server(Start{.term = Term(5)});
  server.hear(2, Term(4), append({}, {1}));
  const std::vector<Message> sent = server.take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent.front().term, Term(5));
  EXPECT_TRUE(std::holds_alternative<AppendRejected>(sent.front().body));
  EXPECT_TRUE(server.log().empty());
}

// --- Acknowledgements --------------------------------------------------------------------------

TEST(Follower, AcknowledgesOnlyWhatTheMessageCovered) {
  // Its entries 3 and 4 may not be the leader's.
  Server server(with_log({1, 1, 1, 1}));
  server.hear(2, Term(2), append(position(1, 1), {1}));
  server.complete_writes();
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(2)});
}

TEST(Follower, ADuplicateWaitsForTheWriteThatItRepeats) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append(position(1, 1), {1}));
  server.hear(2, Term(1), append(position(1, 1), {1}));
  EXPECT_EQ(server.writes().size(), 1U);
  EXPECT_TRUE(server.take<AppendAccepted>().empty());
  server.complete_write();
  EXPECT_EQ(server.take<AppendAccepted>(2), (std::vector{accepted(2), accepted(2)}));
}

TEST(Follower, ADuplicateOfSomethingDurableIsAcknowledgedAtOnce) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(1, 1), {1}));
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(2)});
}

TEST(Follower, ANewRoundIsAnsweredAtOnceWithWhatIsDurable) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append(position(1, 1), {1}, 0, 1));
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(1, 1)});
  server.complete_write();
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(2, 1)});
}

TEST(Follower, AnswersOnceIfTheRoundIsNewAndTheEntriesAreDurable) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(1, 1), {1}, 0, 1));
  EXPECT_EQ(server.take<AppendAccepted>(2), std::vector{accepted(2, 1)});
}

TEST(Follower, AWriteOvertakenByATruncationAcknowledgesNothing) {
  // Index 1 is written for one leader, cut and written again for the next, all before the disk has
  // done the first of it: that write speaks for the old entry only.
  Server server(with_log({}));
  server.hear(2, Term(1), append({}, {1}));
  server.hear(3, Term(2), append({}, {2}));
  ASSERT_EQ(server.writes().size(), 2U);
  server.complete_write();
  EXPECT_EQ(server.raft().log().durable_index(), Index(0));
  EXPECT_TRUE(server.take<AppendAccepted>(3).empty());
  server.complete_write();
  EXPECT_EQ(server.take<AppendAccepted>(3), std::vector{accepted(1)});
}

TEST(Follower, AnswersARoundOnce) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append({}, {}, 0, 1));
  server.hear(2, Term(1), append({}, {}, 0, 1));
  EXPECT_EQ(server.take<AppendAccepted>(2).size(), 1U);
}

// --- The commit index --------------------------------------------------------------------------

TEST(Follower, CommitsWhatTheLeaderHasCommitted) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(2, 1), {}, 2));
  EXPECT_EQ(server.commit_index(), 2U);
}

TEST(Follower, CommitsNoFurtherThanTheLastEntryOfTheMessage) {
  // The leader has committed 4, but this log is known to agree with its log up to 2 only.
  Server server(with_log({1, 1, 1, 1}));
  server.hear(2, Term(2), append(position(1, 1), {1}, 4));
  EXPECT_EQ(server.commit_index(), 2U);
}

TEST(Follower, CommitsWhatALaterHeartbeatSaysOfEntriesVerifiedBefore) {
  Server server(Start{});
  server.hear(2, Term(1), append({}, {1, 1, 1}));
  server.hear(2, Term(1), append({}, {}, 3));
  EXPECT_EQ(server.commit_index(), 3U);
}

TEST(Follower, ADelayedMessageDoesNotTakeTheCommitIndexBack) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(1), append(position(2, 1), {}, 2));
  server.hear(2, Term(1), append(position(1, 1), {}, 1));
  EXPECT_EQ(server.commit_index(), 2U);
}

TEST(Follower, ARejectedMessageCommitsNothing) {
  Server server(with_log({1, 1}));
  server.hear(2, Term(2), append(position(2, 2), {}, 2));
  EXPECT_EQ(server.commit_index(), 0U);
}

TEST(Follower, LearnsTheCommitIndexAnewAfterARestart) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append(position(1, 1), {}, 1));
  server.restart();
  EXPECT_EQ(server.commit_index(), 0U);
  server.hear(2, Term(1), append(position(1, 1), {}, 1));
  EXPECT_EQ(server.commit_index(), 1U);
}

TEST(Follower, LosesInARestartWhatWasNotDurable) {
  Server server(with_log({1}));
  server.hear(2, Term(1), append(position(1, 1), {1}));
  server.restart();
  EXPECT_EQ(server.log_terms(), Terms{1});
}

}  // namespace
}  // namespace anchor::raft
