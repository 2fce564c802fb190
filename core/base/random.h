#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor {

// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
// seeded through splitmix64. The standard library's distributions differ from one library to the
// next, and so would a replay: everything drawn is drawn here. Draw at most once in a full
// expression, since compilers evaluate arguments in different orders.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();

  // Uniform in [0, bound). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);

  // Uniform in [low, high). Requires: low < high.
  Duration between(Duration low, Duration high);

  // True once in `one_in` draws on average. Requires: one_in > 0.
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // True with probability parts_per_million / 1,000,000.
  bool chance(std::uint32_t parts_per_million) { return below(1'000'000) < parts_per_million; }

 private:
  std::uint64_t state_[4];
};

// splitmix64's output function: mixes a counter or a key into a well distributed number.
std::uint64_t mix64(std::uint64_t x);

}  // namespace anchor
