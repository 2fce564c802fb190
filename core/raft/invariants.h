#pragma once

#include "core/raft/raft.h"

namespace anchor::raft {

// What must hold of one server after every step; a violation is a bug and fails an assertion. On in
// simulations and debug builds (after LogCabin's RaftConsensusInvariants).
void check_invariants(const Raft& raft);

// What a step must not have done: compares what it found with what it left.
class StepInvariants {
 public:
  explicit StepInvariants(const Raft& before);
  void check(const Raft& after, const Output& output) const;

 private:
  HardState hard_state_;
  Index commit_index_;
  LogPosition commit_position_;
  bool leader_;
  LogPosition last_;
  WriteId durable_write_;
};

}  // namespace anchor::raft
