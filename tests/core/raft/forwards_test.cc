#include "core/forwards.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "tests/core/raft/cluster.h"

namespace anchor {
namespace {

using raft::Boot;
using raft::peer_of;
using raft::Term;

constexpr std::uint64_t kRemembered = SequenceWindow::kRemembered;

TEST(SequenceWindow, TakesASequenceOnce) {
  SequenceWindow window;
  EXPECT_TRUE(window.take(1));
  EXPECT_FALSE(window.take(1));
}

TEST(SequenceWindow, TakesSequencesInAnyOrder) {
  SequenceWindow window;
  for (const std::uint64_t sequence : {5U, 3U, 9U, 1U}) EXPECT_TRUE(window.take(sequence));
  for (const std::uint64_t sequence : {1U, 3U, 5U, 9U}) EXPECT_FALSE(window.take(sequence));
  EXPECT_TRUE(window.take(4));
}

TEST(SequenceWindow, RemembersAsManyAsItSaysAndNoMore) {
  SequenceWindow window;
  ASSERT_TRUE(window.take(kRemembered + 10));
  EXPECT_TRUE(window.take(11));
  EXPECT_FALSE(window.take(10));  // never taken, but too old to be sure
}

TEST(SequenceWindow, ForgetsNothingRecentInALongJump) {
  SequenceWindow window;
  ASSERT_TRUE(window.take(1));
  ASSERT_TRUE(window.take(kRemembered));
  EXPECT_FALSE(window.take(1));
  ASSERT_TRUE(window.take(10 * kRemembered));
  // At the places of 1 and of kRemembered in the ring.
  EXPECT_TRUE(window.take(9 * kRemembered + 1));
  EXPECT_FALSE(window.take(10 * kRemembered));
}

TEST(SequenceWindow, EndsAtTheLastSequenceThatThereIs) {
  SequenceWindow window;
  EXPECT_TRUE(window.take(UINT64_MAX - 1));
  EXPECT_TRUE(window.take(UINT64_MAX));
  EXPECT_FALSE(window.take(UINT64_MAX));
  EXPECT_FALSE(window.take(UINT64_MAX - 1));
  EXPECT_TRUE(window.take(UINT64_MAX - 2));
}

RC_GTEST_PROP(SequenceWindowProperty, BehavesAsASetThatForgetsTheOld, ()) {
  SequenceWindow window;
  std::set<std::uint64_t> taken;
  std::uint64_t highest = 0;
  const auto steps = *rc::gen::arbitrary<std::vector<std::int16_t>>();
  for (const std::int16_t step : steps) {
    // Around the highest: mostly near, now and then at the window's edge and beyond.
    const std::int64_t near = step % 8 == 0 ? step * 3 : step % 100;
    const auto sequence =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::int64_t(highest) + near));
    highest = std::max(highest, sequence);
    const bool known = highest - sequence < kRemembered;
    RC_ASSERT(window.take(sequence) == (known && taken.insert(sequence).second));
  }
}

TEST(TakenForwards, TellsOriginsAndTheirBootsApart) {
  TakenForwards forwards;
  forwards.begin(Term(1));
  EXPECT_TRUE(forwards.take(peer_of(1), Boot(1), 7));
  EXPECT_FALSE(forwards.take(peer_of(1), Boot(1), 7));
  EXPECT_TRUE(forwards.take(peer_of(2), Boot(1), 7));
  EXPECT_TRUE(forwards.take(peer_of(1), Boot(2), 7));
  EXPECT_TRUE(forwards.take({raft::id_of(1), raft::Incarnation(5)}, Boot(1), 7));
}

// They might have been taken before the newer boot was heard of.
TEST(TakenForwards, TakesNothingOfAnOlderBoot) {
  TakenForwards forwards;
  forwards.begin(Term(1));
  ASSERT_TRUE(forwards.take(peer_of(1), Boot(2), 7));
  EXPECT_FALSE(forwards.take(peer_of(1), Boot(1), 8));
  EXPECT_TRUE(forwards.take(peer_of(1), Boot(2), 8));
}

TEST(TakenForwards, KnowsWhoseItTookInTheTerm) {
  TakenForwards forwards;
  forwards.begin(Term(1));
  EXPECT_FALSE(forwards.knows(peer_of(1)));
  ASSERT_TRUE(forwards.take(peer_of(1), Boot(1), 7));
  EXPECT_TRUE(forwards.knows(peer_of(1)));
  EXPECT_FALSE(forwards.knows(peer_of(2)));
}

TEST(TakenForwards, BeginsEachTermAnew) {
  TakenForwards forwards;
  forwards.begin(Term(1));
  ASSERT_TRUE(forwards.take(peer_of(1), Boot(1), 7));
  forwards.begin(Term(2));
  EXPECT_EQ(forwards.term(), Term(2));
  EXPECT_TRUE(forwards.take(peer_of(1), Boot(1), 7));
}

}  // namespace
}  // namespace anchor
