#include "core/codec/hard_state_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace anchor::codec {
namespace {

constexpr std::size_t kBlock = 4096;

StableState state_of(std::uint64_t term, const std::string& vote, std::uint64_t boot) {
  StableState state{.cluster_id = raft::ClusterId(77),
                    .self = {raft::ServerId("n1"), raft::Incarnation(5)},
                    .boot = raft::Boot(boot),
                    .hard_state = {.term = raft::Term(term), .vote = {}}};
  if (!vote.empty()) state.hard_state.vote = raft::Peer{raft::ServerId(vote), raft::Incarnation()};
  return state;
}

Bytes with(const Bytes& file, const HardStateWrite& write) {
  Buffer changed(file.size());
  std::ranges::copy(file.view(), changed.data());
  std::ranges::copy(write.bytes.view(), changed.data() + write.offset);
  return std::move(changed).freeze();
}

Bytes with_flipped_bit(const Bytes& file, std::size_t bit) {
  Buffer changed(file.size());
  std::ranges::copy(file.view(), changed.data());
  changed.data()[bit / 8] ^= std::byte{1} << bit % 8;
  return std::move(changed).freeze();
}

TEST(HardStateFile, NewFileHoldsTheStateAndWantsTheSecondSlotNext) {
  const StableState state = state_of(3, "n2", 4);
  const auto read = read_hard_state_file(new_hard_state_file(state));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->state, state);
  EXPECT_EQ(read->next, kSecondHardStateSlot);
}

TEST(HardStateFile, SlotsAreWrittenInTurnAndTheNewestWins) {
  Bytes file = new_hard_state_file(state_of(1, "", 1));
  HardStateSlot next = kSecondHardStateSlot;
  for (std::uint64_t term = 2; term < 10; ++term) {
    const StableState state = state_of(term, term % 2 == 0 ? "n3" : "", 1);
    file = with(file, write_hard_state_slot(next, state));
    next = next.next();
    const auto read = read_hard_state_file(file);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->state, state);
    EXPECT_EQ(read->next, next);
  }
}

TEST(HardStateFile, TornWriteLeavesTheOlderCopy) {
  const StableState old_state = state_of(4, "n1", 2);
  const Bytes file = new_hard_state_file(old_state);
  const HardStateWrite write = write_hard_state_slot(kSecondHardStateSlot, state_of(5, "n1", 2));
  // Longer pieces hold all that matters; what follows is zero anyway.
  for (std::size_t size = 0; size < 64; ++size) {
    const auto read = read_hard_state_file(with(file, {write.offset, write.bytes.slice(0, size)}));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->state, old_state);
    EXPECT_EQ(read->next, kSecondHardStateSlot);
  }
}

TEST(HardStateFile, HigherTermThenVoteThenBootDecides) {
  const StableState base = state_of(4, "", 2);
  EXPECT_TRUE(more_recent(state_of(5, "", 1), base));
  EXPECT_TRUE(more_recent(state_of(4, "n2", 1), base));
  EXPECT_TRUE(more_recent(state_of(4, "", 3), base));
  EXPECT_FALSE(more_recent(base, base));
  EXPECT_FALSE(more_recent(state_of(3, "n2", 9), base));
}

TEST(HardStateFile, DamageIsFoundWhereverItIs) {
  const StableState older = state_of(4, "n1", 2);
  const StableState newer = state_of(5, "n1", 2);
  const Bytes file =
      with(new_hard_state_file(older), write_hard_state_slot(kSecondHardStateSlot, newer));
  for (std::size_t bit = 0; bit < 8 * file.size(); bit += 7) {
    const auto read = read_hard_state_file(with_flipped_bit(file, bit));
    if (!read) continue;  // the header
    if (bit / 8 < 2 * kBlock) {
      EXPECT_EQ(read->state, newer) << "bit " << bit;
    } else {
      EXPECT_TRUE(read->state == newer || read->state == older) << "bit " << bit;
    }
  }
}

TEST(HardStateFile, RefusesWhenNeitherCopyHolds) {
  const Bytes file = new_hard_state_file(state_of(4, "n1", 2));
  EXPECT_FALSE(read_hard_state_file(with_flipped_bit(file, 8 * (kBlock + 20))));
}

TEST(HardStateFile, RefusesAFileOfAnotherSize) {
  const Bytes file = new_hard_state_file(state_of(4, "n1", 2));
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, kBlock, file.size() - 1}) {
    EXPECT_FALSE(read_hard_state_file(file.slice(0, size))) << size;
  }
}

}  // namespace
}  // namespace anchor::codec
