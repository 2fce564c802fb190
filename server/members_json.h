#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/raft/admin.h"
#include "core/replica.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// What GET /members tells, filled in by the node.
struct ClusterMembers {
  struct Member {
    std::string id{};
    std::string address{};
    std::string http_address{};
    bool learner = false;
    bool leader = false;
  };
  // A change that has not come to its end.
  struct Change {
    std::string kind{};
    std::string phase{};
    // Whom it concerns, where it is one alone.
    std::optional<std::string> id{};
    // Of catching up, from 0 to 1; known to the leader only.
    std::optional<double> progress{};
  };

  std::uint64_t cluster_id = 0;
  std::vector<Member> members{};
  std::optional<Change> change{};
};

io::HttpResponse render_members(const ClusterMembers& members);

// The answer to a change of members or of the leader; `leader` is who leads after it, if known.
io::HttpResponse render_admin(const raft::AdminRequest& request, const Outcome& outcome,
                              const std::optional<LeaderInfo>& leader);
// The error shape, with what all answers to such requests have.
io::HttpResponse render_admin_error(const ApiError& error,
                                    const std::optional<LeaderInfo>& leader = std::nullopt);

}  // namespace anchor::server
