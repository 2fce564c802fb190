#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.h"
#include "sim/cluster.h"
#include "sim/network.h"
#include "sim/profile.h"
#include "sim/violation.h"

namespace anchor::sim {

struct SimulationOptions {
  std::uint64_t seed = 0;
  // None: the seed decides.
  std::optional<std::size_t> nodes{};
  // How long faults last; then what must come right again is watched for a while more.
  Duration time = 60s;
  const Profile* profile = nullptr;
  // Null: none.
  Trace trace{};
};

struct SimulationResult {
  std::optional<Violation> violation{};
  std::size_t nodes = 0;
  std::uint64_t events = 0;
  std::uint64_t steps = 0;
  std::uint64_t elections = 0;
  Duration simulated{};
  FaultCounts faults{};
  // Operations by what became of them.
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;
  std::uint64_t hash = 0;
};

// One cluster's life: faults and load with safety checked after every event; then a quorum is
// healed while the rest stays broken, and must serve (liveness). Nothing but the options decides
// what happens. Assertions of the code under test are not caught here.
SimulationResult simulate(const SimulationOptions& options);

}  // namespace anchor::sim
