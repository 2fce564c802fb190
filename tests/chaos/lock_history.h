#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/chaos/history.h"

// Who had which lock when, and whether one at a time had it.
namespace anchor::chaos {

struct Holding {
  std::uint32_t lock = 0;
  std::uint32_t holder = 0;
  std::uint64_t token = 0;
  TimePoint asked{};
  // The lock was the holder's from here on.
  TimePoint acquired{};
  // And for certain until then. Before `acquired`: the answer came too late to tell.
  TimePoint sure_until{};
};

// What no lock would have done, a line each; empty: nothing. Nobody else has it while it is
// somebody's for certain; tokens are different, and grow from one that was told before another was
// asked for. Takes n log n time.
std::vector<std::string> find_lock_violations(const std::vector<Holding>& holdings);

std::string describe(const Holding& holding);

}  // namespace anchor::chaos
