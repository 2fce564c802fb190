#include <gtest/gtest.h>

#include "core/raft/snapshot.h"
#include "tests/core/raft/snapshots.h"

// When the log is cut, and for whom it is kept: dissertation 5.
namespace anchor::raft {
namespace {

// A leader of three with committed entries up to 6, that all have.
Server make_leader_of_six(Options options = kSmall) {
  Server leader(Start{.log_terms = {1, 1, 1, 1, 1}, .options = options});
  make_established_leader(leader);
  return leader;
}

TEST(Compaction, CutsTheLogBehindASnapshot) {
  Server leader = make_leader_of_six();
  save(leader, snapshot_at(4, 1));
  EXPECT_EQ(base(leader), 4U);
  EXPECT_EQ(leader.raft().log().base(), position(4, 1));
  EXPECT_EQ(leader.last_index(), 6U);
  ASSERT_FALSE(leader.writes().empty());
  EXPECT_EQ(leader.writes().back().compact_to, Index(4));
}

TEST(Compaction, KeepsATrailingPart) {
  Options options = kSmall;
  options.trailing_bytes = 2 * entry_bytes(entry_at(1, 1));
  Server leader = make_leader_of_six(options);
  save(leader, snapshot_at(4, 1));
  EXPECT_EQ(base(leader), 2U);
}

TEST(Compaction, KeepsTheNewestTwoSnapshots) {
  Server leader = make_leader_of_six();
  save(leader, snapshot_at(2, 1));
  save(leader, snapshot_at(3, 1));
  EXPECT_EQ(leader.snapshots_kept(), (Positions{position(2, 1), position(3, 1)}));
  save(leader, snapshot_at(5, 1));
  EXPECT_EQ(leader.snapshots_kept(), (Positions{position(3, 1), position(5, 1)}));
}

// A leader of three with committed entries up to 6; 3 answers, and has those up to `match`.
Server make_leader_of_a_laggard(std::uint64_t match, Options options = kSmall) {
  Server leader(Start{.log_terms = {1, 1, 1, 1, 1}, .options = options});
  make_leader(leader);
  leader.complete_writes();
  leader.hear(2, leader.term(), AppendAccepted{Index(6), Round(0)});
  leader.hear(3, leader.term(), AppendAccepted{Index(match), Round(0)});
  return leader;
}

// It would need a snapshot, for want of a few entries.
TEST(Compaction, KeepsWhatAFollowerThatAnswersStillLacks) {
  Server leader = make_leader_of_a_laggard(2);
  save(leader, snapshot_at(5, 1));
  EXPECT_EQ(base(leader), 2U);
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  EXPECT_EQ(base(leader), 2U);
  leader.hear(3, leader.term(), AppendAccepted{Index(5), Round(0)});
  EXPECT_EQ(base(leader), 5U);
}

TEST(Compaction, MovesOnWithWhoIsStillBehindAtTheNextSnapshot) {
  Server leader = make_leader_of_a_laggard(2);
  save(leader, snapshot_at(5, 1));
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  save(leader, snapshot_at(6, 1));
  EXPECT_EQ(base(leader), 4U);
}

TEST(Compaction, KeepsNothingForWhoHasNotAnsweredForAnElectionTimeout) {
  Server leader = make_leader_of_a_laggard(2);
  pass(leader, kTimeout, {2});
  save(leader, snapshot_at(5, 1));
  EXPECT_EQ(base(leader), 5U);
}

TEST(Compaction, KeepsTheLogNotForLongForWhoFallsSilent) {
  Server leader = make_leader_of_a_laggard(2);
  save(leader, snapshot_at(5, 1));
  pass(leader, 9 * kTimeout, {2});
  EXPECT_EQ(base(leader), 2U);
  pass(leader, 2 * kTimeout, {2});
  EXPECT_EQ(base(leader), 5U);
}

// It is sent a snapshot, before others' writes have to wait for it.
TEST(Compaction, KeepsALongLogForNobodyWhoIsSlow) {
  Options options = kSmall;
  options.log_bytes = 4 * make_leader_of_a_laggard(2).raft().log().bytes();
  Server leader = make_leader_of_a_laggard(2, options);
  save(leader, snapshot_at(4, 1));
  EXPECT_EQ(base(leader), 2U);
  options.log_bytes -= 4;
  Server shorter_of_room = make_leader_of_a_laggard(2, options);
  save(shorter_of_room, snapshot_at(4, 1));
  EXPECT_EQ(base(shorter_of_room), 4U);
}

}  // namespace
}  // namespace anchor::raft
