#pragma once

#include <expected>
#include <optional>
#include <string>

#include "core/raft/admin.h"
#include "core/raft/state.h"

namespace anchor::raft {

// Leadership transfer (dissertation 3.10).

// Begins to hand over to `target`, or to the voter that is best prepared: who answers, whose disk
// is prompt, and who has most of the log.
std::expected<ServerId, AdminRefused> begin_transfer(State& state, Leader& leader,
                                                     const std::optional<ServerId>& target,
                                                     const std::string& reason);

// Asks the target to campaign as soon as it has the whole log, durably; gives up at the deadline.
void advance_transfer(State& state, Leader& leader);

// True if `message` is from whom this leader has asked to campaign, and who does.
bool takes_leadership(const State& state, const Role& role, const Message& message);

// A leader hands over, if another voter is prepared, when its oldest write has been on its way to
// the disk for an election timeout (all may share a slow disk, and somebody must lead), or when its
// state machine's state is known to be wrong.
void hand_over_if_unfit(State& state, Leader& leader);

}  // namespace anchor::raft
