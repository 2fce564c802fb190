#pragma once

#include <span>

#include "core/replica.h"
#include "sim/cluster.h"

namespace anchor::sim {

// Who refuses a vote, or to say that it would give one, has one of the reasons that there are for
// it (dissertation 3.4, 3.6.1, 4.2.3 and 9.6). Any other could leave a cluster without a leader.
void check_refusals(const Node& voter, std::span<const Input> inputs, const Output& output);

}  // namespace anchor::sim
