#include "core/raft/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/core/raft/snapshots.h"

// How a leader sends a snapshot: dissertation 5.
namespace anchor::raft {
namespace {

std::vector<std::uint64_t> offsets(const std::vector<SnapshotChunk>& chunks) {
  std::vector<std::uint64_t> found;
  for (const SnapshotChunk& chunk : chunks) {
    found.push_back(std::get<InstallSnapshot>(chunk.message.body).offset);
  }
  return found;
}

void accept(Server& leader, std::uint64_t received_bytes) {
  leader.hear(3, leader.term(),
              SnapshotAccepted{.position = position(4, 1), .received_bytes = received_bytes});
}

using Offsets = std::vector<std::uint64_t>;

TEST(SnapshotSender, SendsChunksAsFarAsTheWindowGoes) {
  Server leader = make_sender();
  const auto chunks = leader.take_chunks();
  EXPECT_EQ(offsets(chunks), (Offsets{0, 100}));
  EXPECT_EQ(chunks[0].message.to, peer_of(3));
  EXPECT_EQ(chunks[0].max_bytes, 100U);
  accept(leader, 100);
  const auto last = leader.take_chunks();
  EXPECT_EQ(offsets(last), (Offsets{200}));
  EXPECT_EQ(last[0].max_bytes, 50U);
  accept(leader, 200);
  EXPECT_TRUE(leader.take_chunks().empty());
}

TEST(SnapshotSender, GoesOnWithEntriesOnceItIsInstalled) {
  Server leader = make_sender();
  leader.take_sent();
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  EXPECT_TRUE(leader.progress(3).replicating());
  const auto appended = leader.take<AppendEntries>(3);
  ASSERT_FALSE(appended.empty());
  EXPECT_EQ(appended.back().previous, position(4, 1));
  EXPECT_EQ(appended.back().entries.size(), 2U);
}

TEST(SnapshotSender, SendsAgainWhatIsNotAcknowledgedAfterASilence) {
  Server leader = make_sender();
  accept(leader, 100);
  leader.take_chunks();
  for (int beat = 0; beat < 4; ++beat) {
    leader.wait(kResend / 4);
    leader.hear(2, leader.term(), AppendAccepted{Index(6), Round(0)});
  }
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{100, 200}));
}

TEST(SnapshotSender, BeginsAgainWhenWhatTheFollowerHadWasDamaged) {
  Server leader = make_sender();
  accept(leader, 100);
  accept(leader, 200);
  leader.take_chunks();
  accept(leader, 0);
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{0, 100}));
}

// The follower would receive and discard it for ever.
TEST(SnapshotSender, TakesAnotherOnceItHasArrivedDamagedTwice) {
  Server leader = make_sender();
  const auto wanted = [&] {
    bool wants = false;
    leader.step([&](Raft& raft) { wants = raft.take_snapshot_wanted(); });
    return wants;
  };
  accept(leader, 250);
  accept(leader, 0);
  EXPECT_FALSE(wanted());
  accept(leader, 250);
  accept(leader, 0);
  EXPECT_EQ(leader.count_events<SnapshotDistrusted>(), 1U);
  EXPECT_TRUE(wanted());
  leader.take_chunks();
  save(leader, snapshot_at(6, 1));
  const auto chunks = leader.take_chunks();
  ASSERT_FALSE(chunks.empty());
  EXPECT_EQ(std::get<InstallSnapshot>(chunks[0].message.body).file, snapshot_at(6, 1));
}

TEST(SnapshotSender, GoesOnWhereItWasAfterABrokenConnection) {
  Server leader = make_sender();
  accept(leader, 100);
  leader.take_chunks();
  leader.step([](Raft& raft) { raft.peer_unreachable(id_of(3)); });
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{100, 200}));
}

// It might be the state of those that are wrong.
TEST(SnapshotSender, SendsNothingWhileNoMajorityHasTheSameState) {
  Server leader = make_sender();
  leader.take_chunks();
  leader.step([](Raft& raft) { raft.set_no_majority(true); });
  accept(leader, 100);
  EXPECT_TRUE(leader.take_chunks().empty());
  EXPECT_GT(*leader.raft().deadline(), leader.now());
  leader.step([](Raft& raft) { raft.set_no_majority(false); });
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{200}));
}

TEST(SnapshotSender, BeginsNoneWhileNoMajorityHasTheSameState) {
  Server leader = make_sender();
  leader.take_chunks();
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  leader.step([](Raft& raft) { raft.set_no_majority(true); });
  leader.hear(3, leader.term(),
              AppendAccepted{.match_index = Index(4), .round = {}, .snapshot_wanted = Index(3)});
  EXPECT_TRUE(leader.take_chunks().empty());
  // It goes on with the log meanwhile.
  leader.take_sent();
  leader.propose();
  EXPECT_FALSE(leader.take<AppendEntries>(3).front().entries.empty());
  leader.step([](Raft& raft) { raft.set_no_majority(false); });
  EXPECT_FALSE(leader.take_chunks().empty());
}

TEST(SnapshotSender, IsNotAskedForAnotherOnceTheOneThatWasWantedIsThere) {
  Server leader = make_sender();
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  leader.hear(3, leader.term(),
              AppendAccepted{.match_index = Index(4), .round = {}, .snapshot_wanted = Index(5)});
  leader.step([](Raft& raft) { EXPECT_TRUE(raft.take_snapshot_wanted()); });
  leader.wait(1ms);  // it is wanted all the same
  save(leader, snapshot_at(6, 1));
  leader.step([](Raft& raft) { EXPECT_FALSE(raft.take_snapshot_wanted()); });
  EXPECT_FALSE(leader.take_chunks().empty());
}

TEST(SnapshotSender, KeepsToTheRate) {
  Options options = kSmall;
  options.snapshot_bytes_per_second = 10'000;  // a chunk takes 10 ms
  Server leader = make_sender(options);
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{0}));
  leader.wait(10ms - 1us);
  EXPECT_TRUE(leader.take_chunks().empty());
  EXPECT_LE(*leader.raft().deadline(), leader.now() + 1us);
  leader.wait(1us);
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{100}));
}

Options at_twenty_seconds_a_chunk() {
  Options options = kSmall;
  options.snapshot_bytes_per_second = 5;
  return options;
}

// Else one that never acknowledges any, and is given up and begun with again and again, would be
// sent the same each time, and the others nothing.
TEST(SnapshotSender, SendsOneChunkToEachInTurnAsItsRateAllows) {
  Server leader(Start{.configuration = configuration_of(5),
                      .log_terms = {1, 1, 1, 1, 1},
                      .options = at_twenty_seconds_a_chunk()});
  make_leader(leader);
  leader.complete_writes();
  for (const int member : {2, 3}) {
    leader.hear(member, leader.term(), AppendAccepted{Index(6), Round(0)});
  }
  pass(leader, kTimeout, {2, 3});
  save(leader, snapshot_at(4, 1, 2000));
  for (const int member : {4, 5}) {
    leader.hear(member, leader.term(),
                AppendRejected{.previous_index = Index(5), .hint = position(0, 0), .round = {}});
  }
  std::vector<std::string> receivers;
  std::uint64_t received = 0;
  for (int turn = 0; turn < 12; ++turn) {
    for (const SnapshotChunk& sent : leader.take_chunks()) {
      receivers.push_back(sent.message.to.id.name());
      if (sent.message.to != peer_of(5)) continue;
      received += sent.max_bytes;
      leader.hear(5, leader.term(),
                  SnapshotAccepted{.position = position(4, 1), .received_bytes = received});
    }
    pass(leader, 20s, {2, 3, 4, 5});
  }
  EXPECT_EQ(std::ranges::count(receivers, "s4"), 6);
  EXPECT_EQ(std::ranges::count(receivers, "s5"), 6);
  EXPECT_EQ(received, 600U);
}

TEST(SnapshotSender, KeepsTheLogAndTheSnapshotForWhoIsSentIt) {
  Server leader = make_sender();
  save(leader, snapshot_at(5, 1));
  save(leader, snapshot_at(6, 1));
  EXPECT_EQ(base(leader), 4U);
  EXPECT_EQ(leader.snapshots_kept(), (Positions{position(4, 1), position(5, 1), position(6, 1)}));
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  EXPECT_EQ(leader.snapshots_kept(), (Positions{position(5, 1), position(6, 1)}));
}

// 3 has the snapshot at 4 and lacks what follows it, for which another one stands by now. So many
// entries are the log's bound.
Server make_leader_of_one_that_catches_up(std::uint64_t log_entries) {
  Options options = kSmall;
  options.log_bytes = log_entries * entry_bytes(entry_at(1, 1));
  Server leader = make_sender(options);
  save(leader, snapshot_at(6, 1));
  leader.hear(3, leader.term(), AppendAccepted{Index(4), Round(0)});
  return leader;
}

// Else it would be sent one after another, for ever, while others write.
TEST(SnapshotSender, KeepsTheLogUntilWhoWasSentOneHasCaughtUp) {
  Server leader = make_leader_of_one_that_catches_up(4);  // more than is kept for others
  EXPECT_EQ(base(leader), 4U);
  leader.hear(3, leader.term(), AppendAccepted{Index(5), Round(0)});
  EXPECT_EQ(base(leader), 4U);
  leader.hear(3, leader.term(), AppendAccepted{Index(6), Round(0)});
  EXPECT_EQ(base(leader), 6U);
}

// There is no next snapshot, while nobody can write.
TEST(SnapshotSender, CutsALongLogAsTheFollowerTakesIt) {
  Server leader = make_leader_of_one_that_catches_up(1);
  EXPECT_EQ(base(leader), 4U);
  leader.hear(3, leader.term(), AppendAccepted{Index(5), Round(0)});
  EXPECT_EQ(base(leader), 5U);
}

// It answers, but takes nothing of what follows the snapshot.
TEST(SnapshotSender, KeepsALongLogNotForLongForWhoDoesNotCatchUp) {
  Server leader = make_leader_of_one_that_catches_up(1);
  pass(leader, 9 * kTimeout, {2, 3});
  EXPECT_EQ(base(leader), 4U);
  pass(leader, 2 * kTimeout, {2, 3});
  EXPECT_EQ(base(leader), 6U);
}

TEST(SnapshotSender, KeepsNothingForLongForWhoIsSilent) {
  Server leader = make_sender();
  save(leader, snapshot_at(6, 1));
  pass(leader, 9 * kTimeout, {2});
  EXPECT_EQ(base(leader), 4U);
  pass(leader, 2 * kTimeout, {2});
  EXPECT_EQ(base(leader), 6U);
  EXPECT_FALSE(std::holds_alternative<SendSnapshot>(leader.progress(3).state));
}

// Others could not write for its sake.
TEST(SnapshotSender, HardlyKeepsALongLogForWhoIsSilent) {
  Options options = kSmall;
  options.log_bytes = 3 * entry_bytes(entry_at(1, 1));
  Server leader = make_sender(options);
  save(leader, snapshot_at(6, 1));
  pass(leader, 2 * kTimeout, {2});
  EXPECT_EQ(base(leader), 6U);
}

// 3 can do nothing about the leader's rate.
TEST(SnapshotSender, WaitsAsLongAsItsOwnRateKeepsItFromSending) {
  Server leader = make_sender(at_twenty_seconds_a_chunk());
  accept(leader, 100);
  save(leader, snapshot_at(6, 1));
  leader.take_chunks();
  pass(leader, 41s, {2, 3});
  EXPECT_EQ(base(leader), 4U);
  EXPECT_EQ(offsets(leader.take_chunks()), (Offsets{100, 100}));
  pass(leader, 3s, {2, 3});
  EXPECT_EQ(base(leader), 6U);
}

// It has it all, and reads it back: that takes as long as it is large.
TEST(SnapshotSender, WaitsForWhoChecksALargeOne) {
  const std::uint64_t size = 320 << 20;
  Server leader = make_sender(kSmall, size);
  leader.hear(3, leader.term(),
              SnapshotAccepted{.position = position(4, 1), .received_bytes = size});
  save(leader, snapshot_at(6, 1));
  pass(leader, 12s, {2, 3});
  EXPECT_EQ(base(leader), 4U);
  pass(leader, 2s, {2, 3});
  EXPECT_EQ(base(leader), 6U);
}

// The log has two entries more than room is ample for, and room for `room` more.
std::uint64_t log_bytes_with(std::uint64_t room) {
  return (2 + room) * entry_bytes(entry_at(1, 1));
}

TEST(SnapshotSender, SaysWhyItSlowsWritesDown) {
  Options options = kSmall;
  options.log_bytes = log_bytes_with(1);
  Server leader = make_sender(options);
  leader.take_events();
  std::optional<Instant> wait;
  leader.step([&](Raft& raft) {
    EXPECT_TRUE(raft.propose(Bytes::copy_of("x")));
    wait = writes_wait(raft.state(), raft.role());
  });
  EXPECT_TRUE(wait);
  const std::vector<Event> events = leader.take_events();
  ASSERT_FALSE(events.empty());
  EXPECT_TRUE(describe(events[0]).starts_with("slows writes down")) << describe(events[0]);
}

TEST(SnapshotSender, SaysWhyItRefusesWritesAndWhenItDoesNot) {
  Options options = kSmall;
  options.log_bytes = entry_bytes(entry_at(1, 1));
  Server leader = make_sender(options);
  const auto said = [&] {
    std::vector<std::string> texts;
    for (const Event& event : leader.take_events()) texts.push_back(describe(event));
    return texts;
  };
  const auto propose = [&] {
    bool taken = false;
    leader.step([&](Raft& raft) { taken = raft.propose(Bytes::copy_of("x")).has_value(); });
    return taken;
  };
  said();
  EXPECT_FALSE(propose());
  const auto refuses = said();
  ASSERT_EQ(refuses.size(), 1U);
  EXPECT_TRUE(refuses[0].contains("kept until s3 has caught up")) << refuses[0];
  EXPECT_FALSE(propose());
  EXPECT_TRUE(said().empty());
  save(leader, snapshot_at(6, 1));
  leader.hear(3, leader.term(), AppendAccepted{Index(6), Round(0)});
  said();
  EXPECT_TRUE(propose());
  EXPECT_EQ(said(), std::vector<std::string>{"takes writes at any pace: the log is short enough"});
}

// It was removed while it was sent one: nobody else would ever let the log be cut again.
TEST(SnapshotSender, KeepsNothingForWhoIsAMemberNoMore) {
  Server leader = make_sender();
  save(leader, snapshot_at(6, 1));
  EXPECT_EQ(base(leader), 4U);
  ASSERT_TRUE(leader.change(remove(3)));
  acknowledge_all(leader, {2});
  EXPECT_EQ(base(leader), 6U);
}

TEST(SnapshotSender, KeepsNothingOnceItLeadsNoMore) {
  Server leader = make_sender();
  save(leader, snapshot_at(6, 1));
  leader.hear(2, leader.term().next(), ReadIndexReply{});
  ASSERT_TRUE(leader.follows());
  EXPECT_EQ(base(leader), 6U);
}

}  // namespace
}  // namespace anchor::raft
