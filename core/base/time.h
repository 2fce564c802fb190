#pragma once

#include <chrono>

namespace anchor {

// The clock of the core: absolute, monotonic, with an arbitrary epoch. It has no now(): the time is
// an argument of every step, so that a simulator can be the clock.
struct CoreClock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};

using Duration = CoreClock::duration;
using Instant = CoreClock::time_point;

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

}  // namespace anchor
