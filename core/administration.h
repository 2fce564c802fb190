#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/pending_reads.h"
#include "core/raft/raft.h"

namespace anchor {

// A server whose client's request this one carries out as the leader.
struct ForwardedFrom {
  raft::Peer peer;
  raft::Boot boot;
  std::uint64_t sequence = 0;
};
// Whose request it is: a client's of this server, or another server's.
using Proposer = std::variant<RequestId, ForwardedFrom>;

// Administrators' requests at the leader, from when it took them until they are done.
class Administration {
 public:
  // What became of one; null: certainly nothing, another leader may be asked.
  struct Settled {
    Proposer proposer;
    std::optional<raft::AdminAnswer> answer;
  };

  // Requires: this server leads. None: it is under way, and `applied` or `step_ended` will tell.
  std::optional<raft::AdminAnswer> begin(raft::Raft& raft, Proposer proposer,
                                         const raft::AdminRequest& request);

  // The entry is applied: a change is done once the configuration that it led to, or a later one,
  // is committed and is not joint.
  std::vector<Settled> applied(const raft::Entry& entry);

  // A snapshot has taken the place of all entries up to this one: nobody can tell what became of
  // changes among them.
  std::vector<Proposer> skipped(raft::Index index);

  // A transfer is done once another server is known to lead, and has failed if this one still leads
  // when it is over.
  std::vector<Settled> step_ended(const raft::Raft& raft);

 private:
  struct Change {
    Proposer proposer;
    raft::LogPosition position;
  };
  struct Transfer {
    Proposer proposer;
    raft::ServerId target;
  };

  std::vector<Change> changes_;
  std::vector<Transfer> transfers_;
};

}  // namespace anchor
