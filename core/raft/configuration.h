#pragma once

#include <string>
#include <vector>

#include "core/raft/types.h"

namespace anchor::raft {

// A server as a configuration lists it.
struct Member {
  ServerId id;
  Incarnation incarnation;
  // host:port, for peers and for HTTP clients.
  std::string address;
  std::string http_address;

  Peer peer() const { return {id, incarnation}; }
  friend bool operator==(const Member&, const Member&) = default;
};

// Who counts (dissertation 4.3). With `outgoing_voters` it is a joint configuration: every decision
// needs a majority of `voters` and a majority of `outgoing_voters`.
// Invariants (checked by `valid`): members ascend by id without repeats; voters, outgoing_voters
// and learners are disjoint but for voters that are in both halves; each names a member, and each
// member is named; there is at least one voter.
struct Configuration {
  std::vector<Member> members{};
  std::vector<ServerId> voters{};           // ascending
  std::vector<ServerId> outgoing_voters{};  // ascending; empty unless joint
  std::vector<ServerId> learners{};         // ascending; replicated to, never counted

  bool joint() const { return !outgoing_voters.empty(); }
  // In either half.
  bool is_voter(const ServerId& id) const;
  const Member* find(const ServerId& id) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

bool valid(const Configuration& configuration);

// The configuration of a new cluster, all of whose members vote. Sorts; requires distinct ids.
Configuration founding_configuration(std::vector<Member> founders);

}  // namespace anchor::raft
