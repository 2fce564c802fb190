#pragma once

#include <expected>
#include <optional>

#include "core/raft/admin.h"
#include "core/raft/state.h"

namespace anchor::raft {

// Cluster membership (dissertation 4), at the leader. Any change of voters goes through a joint
// configuration (4.3); a learner comes and goes in one step, since it counts for nothing. There is
// one change at a time, and none before an entry of the leader's own term is committed: else two
// leaders' changes could be in force of which neither knows the other (Ongaro, "bug in
// single-server membership changes", raft-dev, 2015-07-10).

// Appends the configuration that the request leads to. The position is the one that must be
// committed for the change to be done, once no configuration is joint; none if it is done already.
// Requires: the request is none for a transfer.
std::expected<std::optional<LogPosition>, AdminRefused> change_members(State& state, Leader& leader,
                                                                       const AdminRequest& request);

// What goes on by itself: leaves a joint configuration that is committed, and promotes a learner
// that has caught up.
void advance_membership(State& state, Leader& leader);

// The configuration that is in force everywhere from now on: committed, and the newest of the log.
bool configuration_committed(const State& state);

// Gives each member but this server a Progress, and nobody else. After each configuration that the
// leader appends.
void follow_configuration(State& state, Leader& leader);

}  // namespace anchor::raft
