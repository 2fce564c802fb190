#include "core/base/strong.h"

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace anchor {
namespace {

struct AppleTag;
struct PearTag;
using Apple = Strong<AppleTag>;
using Pear = Strong<PearTag>;

// Strong numbers are there for what does not compile.
static_assert(!std::convertible_to<std::uint64_t, Apple>);
static_assert(!std::convertible_to<Apple, std::uint64_t>);
static_assert(!std::is_constructible_v<Apple, Pear>);
static_assert(!std::equality_comparable_with<Apple, Pear>);
static_assert(!std::equality_comparable_with<Apple, std::uint64_t>);
static_assert(std::is_trivially_copyable_v<Apple>);
static_assert(sizeof(Apple) == sizeof(std::uint64_t));

TEST(Strong, IsZeroByDefault) {
  EXPECT_EQ(Apple().value(), 0U);
}

TEST(Strong, OrdersAsTheNumbersDo) {
  EXPECT_LT(Apple(1), Apple(2));
  EXPECT_GE(Apple(2), Apple(2));
  EXPECT_EQ(Apple(3), Apple(3));
  EXPECT_LT(Apple(1), Apple(UINT64_MAX));  // unsigned
}

TEST(Strong, CountsOnAndBack) {
  EXPECT_EQ(Apple(4).next(), Apple(5));
  EXPECT_EQ(Apple(4).previous(), Apple(3));
  EXPECT_EQ(Apple(4) + 3, Apple(7));
  EXPECT_EQ(Apple(4) - 3, Apple(1));
  Apple apple(9);
  EXPECT_EQ(++apple, Apple(10));
  EXPECT_EQ(apple, Apple(10));
}

TEST(Strong, ADifferenceIsAPlainCount) {
  static_assert(std::same_as<decltype(Apple(7) - Apple(4)), std::uint64_t>);
  EXPECT_EQ(Apple(7) - Apple(4), 3U);
}

}  // namespace
}  // namespace anchor
