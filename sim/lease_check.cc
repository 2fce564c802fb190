#include "sim/lease_check.h"

#include <variant>

#include "core/raft/lease.h"
#include "sim/violation.h"

namespace anchor::sim {

void check_leases(const std::vector<Node>& nodes, const Node& elected, raft::Term term,
                  Instant now) {
  for (const Node& node : nodes) {
    if (!node.up() || node.number == elected.number) continue;
    const raft::Raft& raft = node.replica->raft();
    const auto* leader = std::get_if<raft::Leader>(&raft.role());
    // Who wins late, in a term that is over already, commits nothing.
    if (leader == nullptr || raft.term() > term) continue;
    check(raft::lease_end(raft.state(), *leader) <= node.clock.at(now), "lease-outlived",
          elected.id.name() + " is elected while " + node.id.name() + " still holds a lease");
  }
}

}  // namespace anchor::sim
