#pragma once

#include <cstdint>

namespace anchor::cli {

// What scripts can tell apart.
enum class ExitCode : std::uint8_t {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kConditionFailed = 4,
  kNoLeader = 5,     // no leader, or no quorum; a write was not applied
  kUnreachable = 6,  // no endpoint was reached; a write was not applied
  kUnknown = 7,      // the write may or may not be applied, now or later
  kUnhealthy = 9,
  kLocalFile = 10,
  kInterrupted = 130,
};

}  // namespace anchor::cli
