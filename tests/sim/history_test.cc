#include "sim/history.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sim/stage.h"

namespace anchor::sim {
namespace {

kv::Command put_of(std::string_view value) {
  return kv::Put{"a", Bytes::copy_of(value), kv::Always{}};
}

WriteApplied put_done(std::uint64_t revision) {
  return {kv::PutDone{kv::Revision(revision)}};
}

ReadDone read_of(std::string_view value, std::uint64_t revision, std::uint64_t index) {
  return {.item = kv::Item::create("a", as_bytes(value),
                                   {.create_revision = kv::Revision(2),
                                    .mod_revision = kv::Revision(revision),
                                    .version = revision - 1}),
          .revision = kv::Revision(revision),
          .applied_index = raft::Index(index)};
}

// Two writes, of values 1 and 2, committed at the indexes 2 and 3, with revisions 2 and 3; nobody
// has been answered yet, and reads were called before.
class HistoryTest : public testing::Test {
 protected:
  // The members are there first: all are called before anything is committed.
  HistoryTest() { stage_.commit(with(with(founded(), 2, put_of("1")), 2, put_of("2"))); }

  std::string returned(OperationId operation, const Outcome& outcome) {
    return violated_by([&] { history_.returned(operation, outcome, Instant()); });
  }

  Stage stage_;
  History history_{stage_.checker(), 0};
  OperationId first_ = history_.call(put_of("1"));
  OperationId second_ = history_.call(put_of("2"));
  OperationId early_ = history_.call(Read{"a"});
  OperationId for_third_ = history_.call(Read{.of = "a", .min_revision = kv::Revision(3)});
};

TEST_F(HistoryTest, IsSatisfiedWithAnswersThatTheCommitOrderExplains) {
  EXPECT_EQ(returned(second_, put_done(3)), "none");
  EXPECT_EQ(returned(first_, put_done(2)), "none");
  const OperationId read = history_.call(Read{"a"});
  EXPECT_EQ(returned(read, read_of("2", 3, 3)), "none");
}

// All overlap, so that it may see the state between the writes.
TEST_F(HistoryTest, ReadMayBeAtAnyPointBetweenItsCallAndItsReturn) {
  EXPECT_EQ(returned(second_, put_done(3)), "none");
  EXPECT_EQ(returned(early_, read_of("1", 2, 2)), "none");
}

// Nobody was told of the second write: but a leader knew that it is committed.
TEST_F(HistoryTest, FindsAReadThatMissesWhatWasCommittedBefore) {
  const OperationId read = history_.call(Read{"a"});
  EXPECT_EQ(returned(read, read_of("1", 2, 2)), "linearizability");
}

TEST_F(HistoryTest, FindsAReadOfWhatIsNotCommitted) {
  const OperationId read = history_.call(Read{"a"});
  EXPECT_EQ(returned(read, read_of("2", 3, 4)), "linearizability");
}

TEST_F(HistoryTest, FindsAReadOfAnotherValue) {
  const OperationId read = history_.call(Read{"a"});
  EXPECT_EQ(returned(read, read_of("1", 3, 3)), "linearizability");
}

TEST_F(HistoryTest, FindsAReadOfNothingWhereThereIsSomething) {
  const OperationId read = history_.call(Read{"a"});
  const ReadDone nothing{{}, kv::Revision(3), raft::Index(3)};
  EXPECT_EQ(returned(read, nothing), "linearizability");
}

TEST_F(HistoryTest, FindsAReadWithAnotherRevision) {
  const OperationId read = history_.call(Read{"a"});
  ReadDone done = read_of("2", 3, 3);
  done.revision = kv::Revision(4);
  EXPECT_EQ(returned(read, done), "linearizability");
}

// --- Stale reads --------------------------------------------------------------------------------

Read stale_read(std::optional<Duration> max_staleness = std::nullopt) {
  return {.of = "a", .consistency = Consistency::kStale, .max_staleness = max_staleness};
}

// Both writes were committed at the beginning, and answered.
TEST_F(HistoryTest, StaleReadMayMissWhatItsAgeAdmits) {
  EXPECT_EQ(returned(second_, put_done(3)), "none");
  ReadDone old = read_of("1", 2, 2);
  const auto judge = [&](std::optional<Duration> age) {
    old.age = age;
    return violated_by([&] { history_.returned(history_.call(stale_read()), old, Instant(10s)); });
  };
  EXPECT_EQ(judge(std::nullopt), "none");
  EXPECT_EQ(judge(11s), "none");
  EXPECT_EQ(judge(9s), "stale-read-age");
  old.revision = kv::Revision(3);
  EXPECT_EQ(judge(11s), "linearizability") << "but no state is made up";
}

// The clock that measured the age ran too slow.
TEST_F(HistoryTest, AgesAreAsGoodAsClocks) {
  History drifting(stage_.checker(), 200'000);
  ReadDone old = read_of("1", 2, 2);
  old.age = 9s;
  EXPECT_EQ(violated_by([&] { drifting.returned(drifting.call(stale_read()), old, Instant(10s)); }),
            "none");
}

TEST_F(HistoryTest, FindsAStaleReadThatIsOlderThanItMayBe) {
  EXPECT_EQ(returned(second_, put_done(3)), "none");
  ReadDone old = read_of("1", 2, 2);
  for (const std::optional<Duration> age :
       {std::optional<Duration>(), std::optional<Duration>(2s)}) {
    old.age = age;
    EXPECT_EQ(returned(history_.call(stale_read(1s)), old), "linearizability");
  }
}

TEST_F(HistoryTest, FindsAReadOlderThanTheRevisionThatWasSeen) {
  Read read = stale_read();
  read.min_revision = kv::Revision(3);
  EXPECT_EQ(returned(history_.call(read), read_of("1", 2, 2)), "linearizability");
  EXPECT_EQ(returned(history_.call(read), read_of("2", 3, 3)), "none");
}

TEST_F(HistoryTest, FindsARevisionThatIsSaidNotToBeThere) {
  const auto judge = [&](OperationId read, std::uint64_t revision, std::uint64_t index) {
    return returned(read, RevisionInFuture{kv::Revision(revision), raft::Index(index)});
  };
  EXPECT_EQ(judge(for_third_, 2, 2), "none") << "it was not there yet at the call";
  EXPECT_EQ(judge(for_third_, 3, 3), "linearizability");
  EXPECT_EQ(judge(for_third_, 2, 3), "linearizability");
  const OperationId late = history_.call(Read{.of = "a", .min_revision = kv::Revision(3)});
  EXPECT_EQ(judge(late, 2, 2), "linearizability");
}

// --- Writes -------------------------------------------------------------------------------------

TEST_F(HistoryTest, FindsAnAnsweredWriteThatIsNotCommitted) {
  const OperationId lost = history_.call(put_of("3"));
  EXPECT_EQ(returned(lost, put_done(4)), "linearizability");
}

TEST_F(HistoryTest, FindsAnAnswerThatNoEntryExplains) {
  EXPECT_EQ(returned(first_, put_done(3)), "linearizability");
}

// The entry was committed, and answered, before this one was called: it cannot be its own.
TEST_F(HistoryTest, FindsAWriteThatIsAnsweredWithAnEarlierOnesEntry) {
  EXPECT_EQ(returned(first_, put_done(2)), "none");
  const OperationId same_again = history_.call(put_of("1"));
  EXPECT_EQ(returned(same_again, put_done(2)), "linearizability");
}

TEST_F(HistoryTest, FindsAWriteThatIsAnsweredNotAppliedAndIsCommitted) {
  EXPECT_EQ(returned(first_, NotApplied{Refusal::kNoLeader}), "not-applied-is-applied");
}

TEST_F(HistoryTest, TakesAnyTruthForAnUnknownOutcome) {
  EXPECT_EQ(returned(first_, OutcomeUnknown{}), "none");
  EXPECT_EQ(returned(history_.call(put_of("3")), OutcomeUnknown{}), "none");
  EXPECT_EQ(history_.unknown_count(), 2u);
}

TEST_F(HistoryTest, CountsOperationsByWhatBecameOfThem) {
  history_.returned(first_, put_done(2), Instant());
  history_.returned(history_.call(Read{"a"}), read_of("2", 3, 3), Instant());
  history_.returned(history_.call(put_of("3")), NotApplied{Refusal::kOverloaded}, Instant());
  EXPECT_EQ(history_.operation_count(), 6u);
  EXPECT_EQ(history_.write_count(), 1u);
  EXPECT_EQ(history_.read_count(), 1u);
  EXPECT_EQ(history_.refused_count(), 1u);
}

}  // namespace
}  // namespace anchor::sim
