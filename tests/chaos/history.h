#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"

// What clients asked of a cluster and were answered, and whether a single copy of the data could
// have answered so. Only what any client can see is looked at.
namespace anchor::chaos {

using TimePoint = std::chrono::steady_clock::time_point;
using Revision = std::uint64_t;

struct Operation {
  enum class Kind : std::uint8_t { kPut, kDelete, kRead, kStaleRead };
  enum class Outcome : std::uint8_t {
    kDone,
    kConditionFailed,  // of a put
    kRefused,          // certainly not applied
    kUnknown,          // perhaps applied, perhaps later
  };

  Kind kind{};
  // Those of one transaction share it; zero: it is of none.
  std::uint64_t group = 0;
  Outcome outcome = Outcome::kUnknown;
  std::uint32_t client = 0;
  std::uint32_t server = 0;
  std::uint32_t key = 0;
  // What a put writes, which no other one does, and what a read saw; zero if nothing was there.
  std::uint64_t value = 0;
  // Of a put: the key must be at this revision; zero: not there.
  std::optional<Revision> condition{};
  TimePoint begin{};
  TimePoint end{};
  // What follows is of answered ones only. The store's revision: that which the write made, or at
  // which it had no effect, or at which the key was read.
  Revision revision = 0;
  // The key's: of a read what it saw, of a failed condition what was there. Zero: nothing.
  Revision key_revision = 0;
  // Of a write that changed something.
  bool effective = false;
  // Of a stale read: how old it may be; none if the server could not tell.
  std::optional<Duration> age{};
};

// It was done, or its condition failed: either way it has a point in the order of changes.
bool answered(const Operation& operation);

std::string describe(const Operation& operation);

// What no linearizable store would have done (Herlihy and Wing, 1990), a line each; empty: nothing.
// Revisions are the witness: each operation has its point in their order, which must lie between
// its beginning and its end, and explain what it was told. Writes without an answer have theirs
// where somebody saw them. A stale read may be as old as it says. Takes n log n time.
std::vector<std::string> find_violations(const std::vector<Operation>& history);

}  // namespace anchor::chaos
