#include "core/raft/reads.h"

#include <utility>

#include "core/raft/quorum.h"
#include "core/raft/state.h"

namespace anchor::raft {

void ask_for_reads(State& state, Leader& leader, bool retry) {
  Reads& reads = leader.reads;
  if (reads.waiting.empty() || state.commit_index < leader.first_index) return;
  if (!reads.asked.empty() && !retry) return;
  ++leader.round;
  reads.asked.push_back({leader.round, state.commit_index, std::exchange(reads.waiting, {})});
}

void answer_confirmed_reads(State& state, Leader& leader) {
  Reads& reads = leader.reads;
  if (reads.asked.empty()) return;
  const Round confirmed = quorum_value(state.configuration(), [&](const ServerId& id) {
    return id == state.self.id ? leader.round : leader.followers.at(id).round;
  });
  while (!reads.asked.empty() && reads.asked.front().round <= confirmed) {
    const Reads::Asked& asked = reads.asked.front();
    for (const ReadRequest& request : asked.requests) {
      if (!request.requester) {
        state.confirmed_reads.push_back({request.context, asked.read_index});
        continue;
      }
      state.send(request.requester->peer, ReadIndexReply{.context = request.context,
                                                         .requester_boot = request.requester->boot,
                                                         .read_index = asked.read_index});
    }
    reads.asked.pop_front();
  }
}

}  // namespace anchor::raft
