#pragma once

#include <string>
#include <utility>

namespace anchor::sim {

// What anchor-sim exits with.
enum class ExitCode : int {
  kHeld = 0,
  kUsage = 1,
  kSafety = 2,
  kNotLinearizable = 3,
  kLiveness = 4,
  kCrash = 5,
  kNotDeterministic = 6,
};

// Something that must hold did not. Thrown by checkers, caught where the simulation was started:
// whatever happens after it means nothing.
struct Violation {
  ExitCode kind = ExitCode::kSafety;
  std::string invariant;  // its id, as in docs/simulator.md
  std::string detail;
};

[[noreturn]] inline void violated(ExitCode kind, std::string invariant, std::string detail) {
  throw Violation{kind, std::move(invariant), std::move(detail)};
}

inline void check(bool holds, const char* invariant, const std::string& detail) {
  if (!holds) violated(ExitCode::kSafety, invariant, detail);
}

}  // namespace anchor::sim
