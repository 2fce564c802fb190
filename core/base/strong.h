#pragma once

#include <compare>
#include <cstdint>

namespace anchor {

// An unsigned 64-bit number with a meaning. Numbers of different tags do not convert into one
// another, nor from or to a plain integer but by name.
template <typename Tag>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(std::uint64_t value) : value_(value) {}

  constexpr std::uint64_t value() const { return value_; }

  constexpr auto operator<=>(const Strong&) const = default;

  constexpr Strong next() const { return Strong(value_ + 1); }
  // Requires: this is not zero.
  constexpr Strong previous() const { return Strong(value_ - 1); }

  constexpr Strong& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr Strong operator+(Strong a, std::uint64_t count) {
    return Strong(a.value_ + count);
  }
  // Requires: count <= a.
  friend constexpr Strong operator-(Strong a, std::uint64_t count) {
    return Strong(a.value_ - count);
  }
  // The distance from b to a. Requires: b <= a.
  friend constexpr std::uint64_t operator-(Strong a, Strong b) { return a.value_ - b.value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace anchor
