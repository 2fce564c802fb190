#pragma once

#include <vector>

#include "core/base/time.h"
#include "sim/cluster.h"

namespace anchor::sim {

// One was elected in `term`: none of the others may still hold a lease by its own clock, or it
// would answer reads that miss what the new leader does. So it is if clocks keep to the bound.
void check_leases(const std::vector<Node>& nodes, const Node& elected, raft::Term term,
                  Instant now);

}  // namespace anchor::sim
