#include "tests/chaos/lock_history.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anchor::chaos {
namespace {

TimePoint at(int milliseconds) {
  return TimePoint(std::chrono::milliseconds(milliseconds));
}

// Asked for at `begin`, acquired a millisecond later, and had until `end`.
Holding holding(std::uint64_t token, int begin, int end) {
  return {.token = token, .asked = at(begin), .acquired = at(begin + 1), .sure_until = at(end)};
}

// What the first violation says; empty: there is none.
std::string first(const std::vector<Holding>& holdings) {
  const auto found = find_lock_violations(holdings);
  return found.empty() ? "" : found.front().substr(0, found.front().find(':'));
}

TEST(ChaosLockHistory, IsSatisfiedWithOneAtATime) {
  EXPECT_EQ(first({holding(2, 0, 10), holding(3, 9, 20), holding(7, 30, 31)}), "");
}

TEST(ChaosLockHistory, FindsTwoWhoHaveIt) {
  EXPECT_EQ(first({holding(2, 0, 10), holding(3, 5, 20)}), "two have the lock");
  EXPECT_EQ(first({holding(2, 0, 100), holding(3, 5, 6), holding(4, 50, 60)}), "two have the lock");
}

TEST(ChaosLockHistory, TakesTwoOfDifferentLocks) {
  Holding other = holding(3, 5, 20);
  other.lock = 1;
  EXPECT_EQ(first({holding(2, 0, 10), other}), "");
}

TEST(ChaosLockHistory, TakesOneWhoWasToldTooLate) {
  Holding late = holding(2, 0, 0);
  late.acquired = at(15);
  late.sure_until = at(12);
  EXPECT_EQ(first({late, holding(3, 12, 20)}), "");
}

TEST(ChaosLockHistory, FindsATokenThatIsGivenTwice) {
  EXPECT_EQ(first({holding(2, 0, 10), holding(2, 20, 30)}), "two have the same token");
}

TEST(ChaosLockHistory, FindsATokenThatDoesNotGrow) {
  EXPECT_EQ(first({holding(3, 0, 10), holding(2, 20, 30)}),
            "a token is lower than one that was told before it was asked for");
}

TEST(ChaosLockHistory, TakesTokensOfThoseWhoAskedAtTheSameTimeInAnyOrder) {
  Holding waited = holding(2, 0, 20);
  waited.acquired = at(15);
  Holding before = holding(3, 10, 12);
  EXPECT_EQ(first({waited, before}), "");
}

}  // namespace
}  // namespace anchor::chaos
