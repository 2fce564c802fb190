#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "sim/simulation.h"

namespace anchor::sim {

struct SwarmOptions {
  // What each seed runs; its seed and trace are not used.
  SimulationOptions simulation{};
  std::uint64_t first_seed = 1;
  // None: as many as the budget allows.
  std::optional<std::uint64_t> last_seed{};
  // None: until the last seed.
  std::optional<Duration> budget{};
  std::size_t jobs = 1;
  // Go on after a violation, to the end.
  bool keep_going = false;
  // Called now and then; null: never.
  std::function<void(std::uint64_t seeds, std::uint64_t events)> progress{};
};

struct SwarmViolation {
  std::uint64_t seed = 0;
  ExitCode kind = ExitCode::kSafety;
  std::string invariant;
};

struct SwarmResult {
  std::uint64_t seeds = 0;
  SimulationResult totals{};
  double wall_seconds = 0;
  // In the order of their seeds.
  std::vector<SwarmViolation> violations{};
};

// Runs each seed in a child process, so that a crash is one seed's; some of them twice, to see that
// they do the same again.
SwarmResult run_swarm(const SwarmOptions& options);

// One line that runs a seed again.
std::string replay_line(const SimulationOptions& options, std::uint64_t seed);

}  // namespace anchor::sim
