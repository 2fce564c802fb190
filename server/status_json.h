#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_message.h"

namespace anchor::server {

// What GET /status tells, filled in by the node.
struct NodeStatus {
  enum class Role : std::uint8_t { kLeader, kFollower, kCandidate, kLearner };

  struct PeerStatus {
    std::string id{};
    std::string address{};
    std::string http_address{};
    // As this node knows it: its own role, the leader's, and of others whether they count.
    Role role = Role::kFollower;
    bool connected = false;
    // Known to the leader only.
    std::optional<std::uint64_t> match_index{};
    std::optional<std::uint64_t> last_contact_ms{};
  };

  std::string node_id{};
  Role role = Role::kFollower;
  std::uint64_t term = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  // None while no leader is known.
  std::optional<std::string> leader_id{};
  std::optional<std::string> leader_http_address{};
  std::vector<PeerStatus> peers{};
  // Entries that each peer lacks; on the leader only.
  std::map<std::string, std::uint64_t> replication_lag{};
  std::uint64_t revision = 0;
  std::uint64_t digest = 0;
  // The digest is the majority's, as far as is known (Replica::serves).
  bool state_trusted = true;
  // Its disk is nearly full.
  bool short_of_disk = false;
  std::uint64_t fsync_p99_us = 0;
  std::string version{};
  std::uint64_t cluster_id = 0;
  std::uint64_t boot = 0;
};

std::string_view role_name(NodeStatus::Role role);
io::HttpResponse render_status(const NodeStatus& status);

// One line of /livez or /readyz.
struct HealthCheck {
  std::string name{};
  std::optional<std::string> failure{};  // why it fails; none: it does not
};

// 503 if a check fails that is not in `excluded`; 400 if `excluded` names no check.
io::HttpResponse render_health(const std::vector<HealthCheck>& checks,
                               const std::vector<std::string>& excluded);

}  // namespace anchor::server
