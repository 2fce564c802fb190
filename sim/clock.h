#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor::sim {

// A node's clock: monotonic, but with an epoch of its own, and running too fast or too slow. It
// also jumps forward, as after a suspend.
class DriftingClock {
 public:
  DriftingClock(Duration offset, std::int32_t drift_ppm)
      : local_origin_(Instant(offset)), drift_ppm_(drift_ppm) {}

  Instant at(Instant now) const {
    const Duration elapsed = now - origin_;
    return local_origin_ + elapsed + drift_of(elapsed);
  }

  // The first instant at which this clock shows `local` or later.
  Instant when(Instant local, Instant now) const {
    if (at(now) >= local) return now;
    Instant guess = now + (local - at(now)) * 1'000'000 / (1'000'000 + drift_ppm_);
    while (at(guess) < local) guess += Duration(1);
    return guess;
  }

  // Counts anew from `offset`, as after the machine's restart.
  void restart(Instant now, Duration offset) {
    local_origin_ = Instant(offset);
    origin_ = now;
  }

  void jump(Instant now, Duration forward) {
    local_origin_ = at(now) + forward;
    origin_ = now;
  }

 private:
  Duration drift_of(Duration elapsed) const { return elapsed * drift_ppm_ / 1'000'000; }

  Instant origin_{};
  Instant local_origin_{};
  std::int32_t drift_ppm_;
};

}  // namespace anchor::sim
