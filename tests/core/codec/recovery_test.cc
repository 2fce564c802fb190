#include "core/codec/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/codec/hard_state_file.h"
#include "core/codec/snapshot_save.h"
#include "sim/virtual_files.h"

namespace anchor::codec {
namespace {

constexpr raft::ClusterId kCluster{77};

StableState state_of(std::uint64_t term, const std::string& vote = "", std::uint64_t boot = 3) {
  StableState state{.cluster_id = kCluster,
                    .self = {raft::ServerId("n1"), raft::Incarnation(0)},
                    .boot = raft::Boot(boot),
                    .hard_state = {.term = raft::Term(term), .vote = {}}};
  if (!vote.empty()) state.hard_state.vote = raft::Peer{raft::ServerId(vote), raft::Incarnation()};
  return state;
}

raft::Entry entry_of(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term),
          raft::Command{Bytes::copy_of("command " + std::to_string(index))}};
}

StoredRecord record_of(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), encode_log_record(kCluster, entry_of(index, term))};
}

// Both copies say the same.
StoredMember member_of(const StableState& state, std::vector<StoredRecord> records = {}) {
  return {.stable_state = encode_stable_state(state),
          .hard_state_file = new_hard_state_file(state),
          .records = std::move(records)};
}

// Without snapshots.
Result<raft::Recovered> recover_log(const StoredMember& stored) {
  sim::VirtualFiles files;
  auto member = recover(stored, files);
  if (!member) return std::unexpected(member.error());
  return std::move(member->raft);
}

std::string error_of(const StoredMember& stored) {
  const auto recovered = recover_log(stored);
  return recovered ? "no error" : recovered.error().message;
}

bool mentions(const std::string& message, const std::string& words) {
  return message.find(words) != std::string::npos;
}

const Bytes kDamage = Bytes::copy_of("these are not the bytes of a frame");

TEST(Recovery, ReturnsWhatWasStoredInTheNextBoot) {
  const auto recovered = recover_log(
      member_of(state_of(4, "n2"), {record_of(1, 1), record_of(2, 1), record_of(3, 4)}));
  ASSERT_TRUE(recovered) << recovered.error().message;
  EXPECT_EQ(stable_state_of(*recovered), state_of(4, "n2", 4));
  EXPECT_EQ(recovered->base, raft::LogPosition());
  ASSERT_EQ(recovered->entries.size(), 3u);
  EXPECT_EQ(recovered->entries[2], entry_of(3, 4));
}

// --- With snapshots -----------------------------------------------------------------------------

// Of a store that holds one key.
void save_snapshot(sim::VirtualFiles& files, raft::LogPosition position) {
  kv::Store store;
  store.apply(kv::Put{"a", {}, kv::Always{}});
  const raft::Configuration members =
      raft::founding_configuration({{raft::ServerId("n1"), raft::Incarnation(0), "a:1", "a:2"}});
  SnapshotSave save(files,
                    {.cluster_id = kCluster,
                     .position = position,
                     .configuration_index = raft::Index(1),
                     .configuration = std::make_shared<const raft::Configuration>(members)},
                    store);
  for (auto step = save.step(); step && !*step; step = save.step()) {
  }
}

class RecoveryWithASnapshot : public ::testing::Test {
 protected:
  RecoveryWithASnapshot() { save_snapshot(files_, {raft::Index(10), raft::Term(3)}); }

  Result<RecoveredMember> recover(std::vector<StoredRecord> records, std::uint64_t term = 4) {
    return codec::recover(member_of(state_of(term), std::move(records)), files_);
  }

  sim::VirtualFiles files_;
};

TEST_F(RecoveryWithASnapshot, GoesOnFromItsState) {
  const auto member = recover({record_of(11, 3)});
  ASSERT_TRUE(member) << member.error().message;
  EXPECT_EQ(member->raft.base, (raft::LogPosition{raft::Index(10), raft::Term(3)}));
  EXPECT_EQ(member->raft.entries.size(), 1u);
  EXPECT_EQ(member->raft.base_configuration->voters.size(), 1u);
  EXPECT_EQ(member->raft.base_configuration_index, raft::Index(1));
  ASSERT_EQ(member->raft.snapshots.size(), 1u);
  EXPECT_TRUE(member->store.find("a"));
  EXPECT_FALSE(member->records_obsolete);
}

TEST_F(RecoveryWithASnapshot, KeepsEntriesThatItCoversForFollowers) {
  const auto member =
      recover({record_of(8, 2), record_of(9, 3), record_of(10, 3), record_of(11, 4)});
  ASSERT_TRUE(member) << member.error().message;
  EXPECT_EQ(member->raft.base, (raft::LogPosition{raft::Index(8), raft::Term(2)}));
  EXPECT_EQ(member->raft.entries.size(), 3u);
}

TEST_F(RecoveryWithASnapshot, DropsALogThatEndsBeforeIt) {
  const auto member = recover({record_of(8, 3), record_of(9, 3)});
  ASSERT_TRUE(member) << member.error().message;
  EXPECT_TRUE(member->records_obsolete);
  EXPECT_EQ(member->raft.base.index, raft::Index(10));
  EXPECT_TRUE(member->raft.entries.empty());
}

// A leader's snapshot took its place, and the crash came before the log was cut.
TEST_F(RecoveryWithASnapshot, DropsALogThatContradictsIt) {
  const auto member = recover({record_of(9, 2), record_of(10, 2), record_of(11, 2)});
  ASSERT_TRUE(member) << member.error().message;
  EXPECT_TRUE(member->records_obsolete);
  EXPECT_TRUE(member->raft.entries.empty());
}

TEST_F(RecoveryWithASnapshot, RefusesALogThatBeginsAfterAGap) {
  const auto member = recover({record_of(13, 3)});
  ASSERT_FALSE(member);
  EXPECT_TRUE(mentions(member.error().message, "entries 11 to 12 are missing"));
}

// It was received in a term that was not durable yet.
TEST_F(RecoveryWithASnapshot, HasReachedItsTerm) {
  const auto member = recover({}, 2);
  ASSERT_TRUE(member) << member.error().message;
  EXPECT_EQ(member->raft.hard_state, (raft::HardState{.term = raft::Term(3), .vote = {}}));
}

TEST(Recovery, RefusesALogWhoseBeginningNoSnapshotCovers) {
  const std::string error = error_of(member_of(state_of(4), {record_of(5, 1)}));
  EXPECT_TRUE(mentions(error, "the log begins with entry 5"));
}

// --- Without ------------------------------------------------------------------------------------

TEST(Recovery, TakesTheSecondCopyWhereTheDatabasesIsDamaged) {
  StoredMember stored = member_of(state_of(4, "n2"), {record_of(1, 4)});
  for (const std::optional<Bytes>& lost : {std::optional<Bytes>(), std::optional(kDamage)}) {
    stored.stable_state = lost;
    const auto recovered = recover_log(stored);
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->hard_state, state_of(4, "n2").hard_state);
  }
}

// The slot that is damaged may be the one with the newest vote.
TEST(Recovery, RefusesWhereTheDatabasesCopyAndOneOfTheFilesAreDamaged) {
  StoredMember stored = member_of(state_of(4, "n2"));
  stored.stable_state = kDamage;
  Buffer file(stored.hard_state_file->size());
  std::ranges::copy(stored.hard_state_file->view(), file.data());
  const HardStateWrite newer = write_hard_state_slot(kSecondHardStateSlot, state_of(5, "n3"));
  std::ranges::copy(newer.bytes.view(), file.data() + newer.offset);
  file.data()[newer.offset + 20] ^= std::byte(1);
  stored.hard_state_file = std::move(file).freeze();
  EXPECT_TRUE(mentions(error_of(stored), "the newest term and vote may be lost"));
}

TEST(Recovery, TakesTheDatabasesCopyWhereTheFileIsDamaged) {
  StoredMember stored = member_of(state_of(4, "n2"), {record_of(1, 4)});
  for (const std::optional<Bytes>& lost : {std::optional<Bytes>(), std::optional(kDamage)}) {
    stored.hard_state_file = lost;
    const auto recovered = recover_log(stored);
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->hard_state, state_of(4, "n2").hard_state);
  }
}

TEST(Recovery, RefusesWhenBothCopiesAreLost) {
  StoredMember stored = member_of(state_of(4));
  stored.stable_state = kDamage;
  stored.hard_state_file = kDamage;
  EXPECT_TRUE(mentions(error_of(stored), "both copies of the term and vote are lost"));
}

TEST(Recovery, GoesOnAfterACrashBetweenTheTwoWrites) {
  StoredMember stored = member_of(state_of(4, "n2"));
  for (const StableState& behind : {state_of(3, "n3"), state_of(4), state_of(4, "n2", 2)}) {
    stored.hard_state_file = new_hard_state_file(behind);
    const auto recovered = recover_log(stored);
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(stable_state_of(*recovered), state_of(4, "n2", 4));
  }
}

TEST(Recovery, RefusesADatabaseThatIsOlderThanTheFile) {
  StoredMember stored = member_of(state_of(4));
  for (const StableState& ahead :
       {state_of(5), state_of(4, "n3"), state_of(4, "", 4), state_of(3, "n2", 4)}) {
    stored.hard_state_file = new_hard_state_file(ahead);
    EXPECT_TRUE(mentions(error_of(stored), "the end of the log is unknown"));
  }
}

TEST(Recovery, RefusesTwoVotesInOneTerm) {
  StoredMember stored = member_of(state_of(4, "n2"));
  stored.hard_state_file = new_hard_state_file(state_of(4, "n3"));
  EXPECT_TRUE(mentions(error_of(stored), "different votes of term 4"));
}

TEST(Recovery, RefusesCopiesOfDifferentMembers) {
  StoredMember stored = member_of(state_of(4));
  StableState other = state_of(4);
  other.self.id = raft::ServerId("n9");
  stored.hard_state_file = new_hard_state_file(other);
  EXPECT_TRUE(mentions(error_of(stored), "different members"));
}

TEST(Recovery, NamesTheDamagedEntry) {
  StoredMember stored = member_of(state_of(4), {record_of(1, 1), {raft::Index(2), kDamage}});
  EXPECT_TRUE(mentions(error_of(stored), "entry 2 of the log is damaged"));
}

TEST(Recovery, FindsARecordInAnothersPlace) {
  StoredRecord misplaced = record_of(7, 1);
  misplaced.index = raft::Index(2);
  const StoredMember stored = member_of(state_of(4), {record_of(1, 1), misplaced});
  EXPECT_TRUE(mentions(error_of(stored), "entry 2 of the log is damaged"));
}

TEST(Recovery, NamesTheMissingEntry) {
  EXPECT_TRUE(mentions(error_of(member_of(state_of(4), {record_of(1, 1), record_of(3, 1)})),
                       "entry 2 of the log is missing"));
}

TEST(Recovery, RefusesTermsThatFall) {
  const StoredMember stored = member_of(state_of(4), {record_of(1, 3), record_of(2, 2)});
  EXPECT_TRUE(mentions(error_of(stored), "entry 2 of the log has a term below"));
}

TEST(Recovery, RefusesAnEntryOfATermThatWasNeverReached) {
  const StoredMember stored = member_of(state_of(4), {record_of(1, 5)});
  EXPECT_TRUE(mentions(error_of(stored), "entry 1 of the log has term 5"));
}

TEST(Recovery, SaysWhatTheOperatorCanDo) {
  StoredMember stored = member_of(state_of(4), {{raft::Index(1), kDamage}});
  EXPECT_TRUE(mentions(error_of(stored), "--peers"));
}

}  // namespace
}  // namespace anchor::codec
