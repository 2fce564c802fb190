#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.h"

namespace anchor::cli {

// When requests are due at a steady rate, whether or not earlier ones have been answered (an open
// loop). A latency that counts from then on shows a stall to everybody who was due in it, and not
// only to whom it caught.
class BenchSchedule {
 public:
  // Requires: per_second > 0.
  explicit BenchSchedule(std::uint64_t per_second) : per_second_(per_second) {}

  void begin(Instant now) {
    began_ = now;
    taken_ = 0;
  }
  // When the next one that nobody has taken is, or was, due; none if that is later than `now`.
  std::optional<Instant> take(Instant now) {
    const Instant due =
        began_ + Duration(static_cast<Duration::rep>(taken_ * 1'000'000 / per_second_));
    if (due > now) return std::nullopt;
    ++taken_;
    return due;
  }

 private:
  std::uint64_t per_second_;
  std::uint64_t taken_ = 0;
  Instant began_{};
};

}  // namespace anchor::cli
