#pragma once

#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/replica.h"
#include "sim/cluster.h"
#include "sim/cluster_checker.h"

// What holds as long as clocks keep to the bound that they are taken for.
namespace anchor::sim {

// What a step must not have broken, as far as `mix` has leases:
// - Nobody votes for another than a leader by whose clock it still promises not to, unless a leader
//   asked for the vote.
// - When one is elected nobody else holds a lease by its own clock, or it would answer reads that
//   miss what the new leader does.
// - Who holds a lease knows all that is committed.
// And always: no data is older than its node takes it for.
void check_clocks(const std::vector<Node>& nodes, const Node& stepped, const Output& output,
                  const ClusterChecker& cluster, const Mix& mix, Instant now);

// Data at `applied` that is said to be of such an age lacks nothing that was committed before.
// Clocks that run too slow, by `drift_ppm` at most, measure too little.
void check_age(const ClusterChecker& cluster, raft::Index applied, Duration age,
               std::uint32_t drift_ppm, Instant now, const std::string& what);

}  // namespace anchor::sim
