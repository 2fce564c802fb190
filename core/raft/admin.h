#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/raft/types.h"

namespace anchor::raft {

// What an operator, or a server on its own behalf, asks of the leader, and its answers.

// Adds a server as a learner; unless it is to stay one, it votes as soon as it has caught up. Asked
// again it changes nothing but, where they differ, the addresses.
struct AddServer {
  ServerId id;
  // host:port, for peers and for HTTP clients.
  std::string address;
  std::string http_address;
  // Drawn by the server that joins, which thereby is known again; zero from an operator, who speaks
  // for a server that will join.
  std::uint64_t join_token = 0;
  bool learner = false;

  friend bool operator==(const AddServer&, const AddServer&) = default;
};

// A member is to be found elsewhere now.
struct MoveServer {
  Peer member;
  std::string address;
  std::string http_address;

  friend bool operator==(const MoveServer&, const MoveServer&) = default;
};

// Removes a voter or a learner. Refused, unless forced, if the voters that answer would be no
// quorum of those that are left.
struct RemoveServer {
  ServerId id;
  bool force = false;

  friend bool operator==(const RemoveServer&, const RemoveServer&) = default;
};

// Makes a voter of a learner that has caught up.
struct PromoteServer {
  ServerId id;

  friend bool operator==(const PromoteServer&, const PromoteServer&) = default;
};

// Hands leadership over (dissertation 3.10).
struct TransferLeadership {
  // None: to the voter that is best prepared.
  std::optional<ServerId> target;

  friend bool operator==(const TransferLeadership&, const TransferLeadership&) = default;
};

using AdminRequest =
    std::variant<AddServer, MoveServer, RemoveServer, PromoteServer, TransferLeadership>;

// The change is committed, and no joint configuration is in force any more.
struct ConfigurationChanged {
  Index index;
  SharedConfiguration configuration;

  friend bool operator==(const ConfigurationChanged& a, const ConfigurationChanged& b);
};
// Another server leads now: the one that was asked for, if one was.
struct LeadershipTransferred {
  ServerId leader;

  friend bool operator==(const LeadershipTransferred&, const LeadershipTransferred&) = default;
};
enum class AdminRefusal : std::uint8_t {
  kChangeInProgress,  // another change, or a transfer
  kNotReady,          // not yet: try again
  kNotFound,          // no such member
  kQuorumAtRisk,
  kIdentityTaken,  // the id is another server's, or was this one's before it lost its disk
};
// Nothing was changed; `message` says why.
struct AdminRefused {
  AdminRefusal reason = AdminRefusal::kNotReady;
  std::string message;

  friend bool operator==(const AdminRefused&, const AdminRefused&) = default;
};
inline std::unexpected<AdminRefused> refused(AdminRefusal reason, std::string message) {
  return std::unexpected(AdminRefused{reason, std::move(message)});
}
using AdminAnswer = std::variant<ConfigurationChanged, LeadershipTransferred, AdminRefused>;

}  // namespace anchor::raft
