#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor::server {

// For lines of a kind that others can cause as often as they like: so many in a period are
// written, and of the others is told how many there were.
class LogLimit {
 public:
  LogLimit(std::uint64_t lines, Duration period) : lines_(lines), period_(period) {}

  // Whether a line may be written; if not, it counts as left out. Time does not go back.
  bool admits(Instant now);
  // How many lines were left out in periods that have ended and were not told of yet.
  std::uint64_t take_left_out(Instant now);

 private:
  void advance(Instant now);

  std::uint64_t lines_;
  Duration period_;
  Instant began_{};
  std::uint64_t admitted_ = 0;  // in this period
  std::uint64_t left_out_ = 0;  // in this period
  std::uint64_t untold_ = 0;    // in those before it
};

}  // namespace anchor::server
