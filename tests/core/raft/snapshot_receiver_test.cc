#include <gtest/gtest.h>

#include <memory>

#include "core/raft/snapshot.h"
#include "tests/core/raft/snapshots.h"

// How a follower takes a snapshot: dissertation 5.
namespace anchor::raft {
namespace {

// Follows 2 in term 3, with a log of its own that was never committed.
Server make_receiver() {
  Server server(Start{.log_terms = {1, 1, 2}, .term = Term(3)});
  server.hear(2, Term(3), InstallSnapshot{.file = snapshot_at(5, 3)});
  return server;
}

bool install(Server& server, const SnapshotFile& file) {
  bool installed = false;
  server.step([&](Raft& raft) {
    installed = raft.install_snapshot(
        file, {Index(1), std::make_shared<const Configuration>(configuration_of(3))});
  });
  return installed;
}

TEST(SnapshotReceiver, HasItWrittenAndAcknowledgesWhatIs) {
  Server server = make_receiver();
  ASSERT_EQ(server.take_parts().size(), 1U);
  server.step([](Raft& raft) { raft.snapshot_written(snapshot_at(5, 3), 100); });
  const auto accepted = server.take<SnapshotAccepted>(2);
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0], (SnapshotAccepted{.position = position(5, 3), .received_bytes = 100}));
}

TEST(SnapshotReceiver, BeginsItsLogAnewWhereTheSnapshotEnds) {
  Server server = make_receiver();
  EXPECT_TRUE(install(server, snapshot_at(5, 3)));
  EXPECT_EQ(server.raft().log().base(), position(5, 3));
  EXPECT_EQ(server.last_index(), 5U);
  EXPECT_EQ(server.commit_index(), 5U);
  EXPECT_EQ(server.count_events<SnapshotInstalled>(), 1U);
}

TEST(SnapshotReceiver, KeepsNothingOfALongerLogThatContradictsIt) {
  Server server(Start{.log_terms = {1, 1, 2, 2, 2}, .term = Term(3)});
  server.hear(2, Term(3), InstallSnapshot{.file = snapshot_at(3, 3)});
  EXPECT_TRUE(install(server, snapshot_at(3, 3)));
  EXPECT_EQ(server.last_index(), 3U);
}

// What follows it may be acknowledged already, and is not to be lost (Raft paper, figure 13).
TEST(SnapshotReceiver, KeepsALogThatAgreesWithIt) {
  Server server(Start{.log_terms = {1, 1, 2, 2}, .term = Term(3)});
  server.hear(2, Term(3), InstallSnapshot{.file = snapshot_at(3, 2)});
  EXPECT_TRUE(install(server, snapshot_at(3, 2)));
  EXPECT_EQ(server.last_index(), 4U);
  EXPECT_EQ(server.commit_index(), 3U);
}

TEST(SnapshotReceiver, IsNotTakenBack) {
  Server server(Start{.log_terms = {1, 1, 1, 1}});
  server.hear(
      2, Term(1),
      AppendEntries{
          .previous = position(4, 1), .commit_index = Index(4), .round = {}, .entries = {}});
  ASSERT_EQ(server.commit_index(), 4U);
  server.take_sent();
  server.hear(2, Term(1), InstallSnapshot{.file = snapshot_at(3, 1)});
  EXPECT_TRUE(server.take_parts().empty());
  const auto accepted = server.take<AppendAccepted>(2);
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].match_index, Index(4));
  EXPECT_FALSE(install(server, snapshot_at(3, 1)));
  EXPECT_EQ(server.commit_index(), 4U);
}

// No leader has another log at the end of its snapshot than it has sent.
TEST(SnapshotReceiver, IgnoresOneThatContradictsWhatItWasSentBefore) {
  Server server(Start{.term = Term(3)});
  server.hear(2, Term(3),
              AppendEntries{.previous = {},
                            .commit_index = {},
                            .round = {},
                            .entries = {entry_at(1, 1), entry_at(2, 1)}});
  server.hear(2, Term(3), InstallSnapshot{.file = snapshot_at(2, 3)});
  EXPECT_TRUE(server.take_parts().empty());
  EXPECT_FALSE(install(server, snapshot_at(2, 3)));
  EXPECT_EQ(server.last_index(), 2U);
}

TEST(SnapshotReceiver, IgnoresOneThatIsNotItsLeaders) {
  Server server = make_receiver();
  server.take_parts();
  server.hear(3, Term(3), InstallSnapshot{.file = snapshot_at(9, 3)});
  EXPECT_TRUE(server.take_parts().empty());
}

}  // namespace
}  // namespace anchor::raft
