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
  // Drawn by the server that joined as this member: so it is known again when it repeats its
  // request, and another server of its name, or it without its disk, is not. Zero in a founder, and
  // as long as nobody has joined as this member.
  std::uint64_t join_token = 0;
  // A learner that votes as soon as it has caught up.
  bool awaits_promotion = false;

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
  bool is_learner(const ServerId& id) const;
  const Member* find(const ServerId& id) const;
  // In the life that it leads.
  bool has(const Peer& peer) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

bool valid(const Configuration& configuration);

// --- Changes: the configuration that follows another (dissertation 4) ---------------------------

// Requires: `from` has no such member.
Configuration with_learner(Configuration from, Member member);
// The member's record is replaced. Requires: there is one of that id.
Configuration with_member(Configuration from, Member member);
// Requires: it is a learner.
Configuration without_learner(Configuration from, const ServerId& id);
// The joint configuration on the way to these voters, which are members in any order
// (dissertation 4.3). Requires: `from` is not joint.
Configuration joint_with(Configuration from, std::vector<ServerId> voters);
// What follows a joint configuration: its new voters and its learners alone.
Configuration settled(Configuration joint);

// The configuration of a new cluster, all of whose members vote. Sorts; requires distinct ids.
Configuration founding_configuration(std::vector<Member> founders);

}  // namespace anchor::raft
