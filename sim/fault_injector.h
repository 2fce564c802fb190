#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "sim/choices.h"
#include "sim/cluster.h"
#include "sim/network.h"
#include "sim/profile.h"
#include "sim/workload.h"

namespace anchor::sim {

// Lets episodes of faults begin and end, until it is told to stop.
class FaultInjector {
 public:
  FaultInjector(const Mix& mix, Cluster& cluster, Workload& workload, Choices& choices,
                FaultCounts& counts);

  void start();
  // No new episode begins, and those that last are not ended any more: whatever is broken stays so,
  // but for what its caller mends.
  void stop() { stopped_ = true; }

 private:
  void repeat(const Episodes& episodes, std::function<void()> begin);
  void end_after(const Episodes& episodes, std::function<void()> end);
  std::size_t any_node();
  void partition(std::size_t node);
  void restart_later(std::size_t node);

  const Faults& faults_;
  Cluster& cluster_;
  Workload& workload_;
  Choices& choices_;
  FaultCounts& counts_;
  bool stopped_ = false;
};

}  // namespace anchor::sim
