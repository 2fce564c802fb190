#include "core/raft/reads.h"

#include <algorithm>
#include <utility>

#include "core/raft/lease.h"
#include "core/raft/quorum.h"
#include "core/raft/state.h"

namespace anchor::raft {
namespace {

void answer(State& state, const ReadRequest& request, Index read_index, bool by_lease) {
  if (!request.requester) {
    state.confirmed_reads.push_back({request.context, read_index, by_lease});
    return;
  }
  state.send(request.requester->peer, ReadIndexReply{.context = request.context,
                                                     .requester_boot = request.requester->boot,
                                                     .read_index = read_index,
                                                     .by_lease = by_lease});
}

}  // namespace

void add_read_request(Reads& reads, ReadRequest request) {
  for (ReadRequest& waiting : reads.waiting) {
    if (waiting.requester != request.requester || waiting.lease != request.lease) continue;
    waiting.context = std::max(waiting.context, request.context);
    return;
  }
  reads.waiting.push_back(std::move(request));
}

void answer_by_lease(State& state, Leader& leader) {
  if (!holds_lease(state, leader)) return;
  std::erase_if(leader.reads.waiting, [&](const ReadRequest& request) {
    if (request.lease) answer(state, request, state.commit_index, true);
    return request.lease;
  });
}

void ask_for_reads(State& state, Leader& leader, bool retry) {
  Reads& reads = leader.reads;
  if (reads.waiting.empty() || state.commit_index < leader.first_index) return;
  if (!reads.asked.empty() && !retry) return;
  begin_round(state, leader);
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
    for (const ReadRequest& request : asked.requests)
      answer(state, request, asked.read_index, false);
    reads.asked.pop_front();
  }
}

std::optional<Freshness> freshness(const State& state, const Leader& leader) {
  if (state.commit_index < leader.first_index) return std::nullopt;
  const auto led_at = quorum_value(state.configuration(), [&](const ServerId& id) {
    return id == state.self.id ? state.now : leader.followers.at(id).led_at;
  });
  if (led_at == Instant()) return std::nullopt;
  return Freshness{state.commit_index, led_at};
}

std::optional<Freshness> freshness(const State& state, const AppendEntries& request) {
  if (!request.dating || request.dating->boot != state.boot) return std::nullopt;
  return Freshness{request.commit_index, request.dating->echo - request.dating->age};
}

}  // namespace anchor::raft
