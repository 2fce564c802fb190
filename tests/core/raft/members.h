#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/raft/cluster.h"

// What tests of membership and of transfers need beyond cluster.h.
namespace anchor::raft {

inline std::vector<ServerId> ids_of(const std::vector<int>& numbers) {
  std::vector<ServerId> ids;
  for (const int number : numbers) ids.push_back(id_of(number));
  return ids;
}

// All founders, as far as their incarnations go. Joint, if there are outgoing voters.
inline Configuration members_of(const std::vector<int>& voters,
                                const std::vector<int>& outgoing_voters = {},
                                const std::vector<int>& learners = {}) {
  Configuration configuration{.voters = ids_of(voters),
                              .outgoing_voters = ids_of(outgoing_voters),
                              .learners = ids_of(learners)};
  for (int number = 1; number <= 9; ++number) {
    const ServerId id = id_of(number);
    if (!configuration.is_voter(id) && !configuration.is_learner(id)) continue;
    configuration.members.push_back(
        {.id = id, .incarnation = {}, .address = {}, .http_address = {}});
  }
  ANCHOR_ASSERT(valid(configuration));
  return configuration;
}

// By the server's newest configuration.
inline const Configuration& members(const Server& server) {
  return server.raft().configuration();
}
inline bool joint(const Server& server) {
  return members(server).joint();
}

inline Entry configuration_at(std::uint64_t index, std::uint64_t term,
                              Configuration configuration) {
  return {Index(index), Term(term),
          std::make_shared<const Configuration>(std::move(configuration))};
}

// A server that is to vote as soon as it has caught up.
inline AddServer add(int number, std::uint64_t join_token = 0) {
  return {.id = id_of(number),
          .address = id_of(number).name() + ":9001",
          .http_address = id_of(number).name() + ":8001",
          .join_token = join_token};
}
inline AddServer add_learner(int number) {
  AddServer request = add(number);
  request.learner = true;
  return request;
}
inline RemoveServer remove(int number, bool force = false) {
  return {id_of(number), force};
}

// Why it was refused.
template <typename Result>
AdminRefusal reason_of(const Result& result) {
  ANCHOR_ASSERT(!result.has_value(), "it was not refused");
  return result.error().reason;
}

// In the life in which the leader counts it.
inline Peer peer_in(const Server& leader, int number) {
  return leader.raft().configuration().find(id_of(number))->peer();
}

// The member acknowledges the leader's log up to `match`, or all of it.
inline void acknowledge(Server& leader, int number, Index match) {
  leader.hear(peer_in(leader, number), leader.term(), AppendAccepted{match, Round(0)});
}
inline void acknowledge(Server& leader, int number) {
  acknowledge(leader, number, leader.raft().log().last().index);
}
// So do these, and the leader's own disk is done.
inline void acknowledge_all(Server& leader, const std::vector<int>& numbers) {
  leader.complete_writes();
  for (const int number : numbers) acknowledge(leader, number);
}

// Time passes, in which these answer, and acknowledge nothing new; until it leads no more.
inline void pass(Server& leader, Duration time, const std::vector<int>& answering) {
  const Instant end = leader.now() + time;
  while (leader.now() < end) {
    leader.wait(std::min<Duration>(Options{}.heartbeat_interval, end - leader.now()));
    if (!leader.leads()) return;
    for (const int number : answering) acknowledge(leader, number, leader.progress(number).match);
  }
}

}  // namespace anchor::raft
