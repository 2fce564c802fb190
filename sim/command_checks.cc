#include "sim/cluster_checker.h"
#include "sim/violation.h"

// How often commands are sent, committed and answered; the rest of the checker is in
// cluster_checker.cc.
namespace anchor::sim {

void ClusterChecker::refused(std::uint64_t command) {
  ++commands_[command].refused;
  check_once(command);
}

// Each from an entry of its own.
void ClusterChecker::answered(std::uint64_t command) {
  Command& counts = commands_[command];
  ++counts.answered;
  check(counts.answered <= counts.at.size(), "answered-once",
        "answered " + std::to_string(counts.answered) + " times, committed " +
            std::to_string(counts.at.size()) + " times");
}

// Commands with the same bytes cannot be told apart, but counted: no more may be committed than
// were issued and not answered "not applied".
void ClusterChecker::check_once(std::uint64_t command) const {
  const Command& counts = commands_.at(command);
  check(counts.at.size() <= counts.issued, "applied-twice",
        "committed " + std::to_string(counts.at.size()) + " times, issued " +
            std::to_string(counts.issued) + " times");
  check(counts.at.size() + counts.refused <= counts.issued, "not-applied-is-applied",
        "an operation that was answered \"not applied\" is in the log");
}

// Whoever does not lead in a term any more need not be asked twice: else a write goes back and
// forth as fast as the network carries it.
void ClusterChecker::check_forward(std::size_t node, const raft::ForwardRequest& request) {
  const auto* command = std::get_if<raft::Command>(&request.proposal);
  if (command == nullptr) return;
  Command& counts = commands_[command_hash(command->payload)];
  // Its own, by which it takes a lock, it may ask for as often as it must.
  if (counts.issued == 0) return;
  const std::uint64_t sent = ++counts.forwards[{node, request.leader_term}];
  check(sent <= counts.issued, "forwards-once",
        "node " + std::to_string(node + 1) + " to the leader of term " +
            std::to_string(request.leader_term.value()));
}

}  // namespace anchor::sim
