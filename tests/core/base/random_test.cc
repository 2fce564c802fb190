#include "core/base/random.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace anchor {
namespace {

std::vector<std::uint64_t> draw(Random random, int count) {
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < count; ++i) drawn.push_back(random.next());
  return drawn;
}

// splitmix64's sequence for the seed 1234567, as its reference implementation prints it.
TEST(Mix64, IsTheOutputOfSplitmix64) {
  std::uint64_t counter = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U,
        16408922859458223821U}) {
    EXPECT_EQ(mix64(counter), expected);
    counter += 0x9e3779b97f4a7c15;
  }
}

// Golden values, computed by a second implementation of xoshiro256**: a recording made by one build
// must replay in every other, so they may never change.
TEST(Random, DrawsTheSameOnEveryMachineForEver) {
  EXPECT_EQ(draw(Random(0), 4),
            (std::vector<std::uint64_t>{0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0,
                                        0x6aa594f1262d2d2c}));
  EXPECT_EQ(draw(Random(42), 4),
            (std::vector<std::uint64_t>{0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1,
                                        0xecb8ad4703b360a1}));
  EXPECT_EQ(draw(Random(std::numeric_limits<std::uint64_t>::max()), 4),
            (std::vector<std::uint64_t>{0x8f5520d52a7ead08, 0xc476a018caa1802d, 0x81de31c0d260469e,
                                        0xbf658d7e065f3c2f}));
}

TEST(Random, DrawsNumbersBelowABoundTheSameOnEveryMachine) {
  Random random(42);
  for (const std::uint64_t expected : {42U, 2U, 9U, 93U, 76U, 84U, 54U, 7U}) {
    EXPECT_EQ(random.below(100), expected);
  }
}

TEST(Random, ACopyDrawsWhatTheOriginalDraws) {
  Random random(5);
  random.next();
  const Random copy = random;
  EXPECT_EQ(draw(copy, 10), draw(random, 10));
}

RC_GTEST_PROP(RandomProperty, StaysBelowTheBound, (std::uint64_t seed)) {
  const auto bound = *rc::gen::nonZero<std::uint64_t>();
  Random random(seed);
  for (int i = 0; i < 20; ++i) RC_ASSERT(random.below(bound) < bound);
}

// With two thirds of the range as the bound, a plain remainder would draw the lower half of the
// results twice as often as the upper one.
TEST(Random, FavoursNoNumberHoweverLargeTheBound) {
  constexpr std::uint64_t kBound = std::numeric_limits<std::uint64_t>::max() / 3 * 2;
  constexpr int kDraws = 30'000;
  Random random(1);
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += random.below(kBound) < kBound / 2 ? 1 : 0;
  // Five standard deviations around a half.
  EXPECT_NEAR(low, 0.5 * kDraws, 434);
}

TEST(Random, DrawsEachOfAFewNumbersAboutAsOften) {
  constexpr int kDraws = 60'000;
  std::array<int, 6> counts{};
  Random random(2);
  for (int i = 0; i < kDraws; ++i) ++counts[random.below(counts.size())];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 457);
}

RC_GTEST_PROP(RandomProperty, DrawsDurationsFromAHalfOpenRange, (std::uint64_t seed)) {
  const Duration low(*rc::gen::inRange(-1'000, 1'000));
  const Duration width(*rc::gen::inRange(1, 5));
  Random random(seed);
  for (int i = 0; i < 20; ++i) {
    const Duration drawn = random.between(low, low + width);
    RC_ASSERT(drawn >= low);
    RC_ASSERT(drawn < low + width);
  }
}

TEST(Random, AChanceOfNothingNeverComesAndAChanceOfAllAlways) {
  Random random(3);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1'000'000));
    EXPECT_TRUE(random.one_in(1));
  }
}

TEST(RandomDeathTest, ABoundOfZeroIsABug) {
  Random random(4);
  EXPECT_DEATH(static_cast<void>(random.below(0)), "assertion failed");
}

}  // namespace
}  // namespace anchor
