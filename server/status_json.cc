#include "server/status_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "server/http_error.h"
#include "server/http_target.h"
#include "server/json_answer.h"

namespace anchor::server {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json peer_json(const NodeStatus::PeerStatus& peer) {
  Json json;
  json["id"] = peer.id;
  json["address"] = peer.address;
  json["http_address"] = peer.http_address;
  json["role"] = role_name(peer.role);
  json["connected"] = peer.connected;
  json["match_index"] = or_null(peer.match_index);
  json["last_contact_ms"] = or_null(peer.last_contact_ms);
  return json;
}

}  // namespace

std::string_view role_name(NodeStatus::Role role) {
  switch (role) {
    case NodeStatus::Role::kLeader:
      return "Leader";
    case NodeStatus::Role::kFollower:
      return "Follower";
    case NodeStatus::Role::kCandidate:
      return "Candidate";
    case NodeStatus::Role::kLearner:
      break;
  }
  return "Learner";
}

io::HttpResponse render_status(const NodeStatus& status) {
  Json json;
  json["node_id"] = status.node_id;
  json["role"] = role_name(status.role);
  json["term"] = status.term;
  json["commit_index"] = status.commit_index;
  json["applied_index"] = status.applied_index;
  json["leader_id"] = or_null(status.leader_id);
  json["leader_http_address"] = or_null(status.leader_http_address);
  json["peers"] = Json::array();
  for (const auto& peer : status.peers) json["peers"].push_back(peer_json(peer));
  json["replication_lag"] = Json::object();
  for (const auto& [id, lag] : status.replication_lag) json["replication_lag"][id] = lag;
  json["revision"] = status.revision;
  // Numbers of 64 bits do not survive in every JSON parser.
  json["digest"] = hex16(status.digest);
  json["state_trusted"] = status.state_trusted;
  json["short_of_disk"] = status.short_of_disk;
  json["fsync_p99_us"] = status.fsync_p99_us;
  json["version"] = status.version;
  json["cluster_id"] = hex16(status.cluster_id);
  json["boot"] = status.boot;

  io::HttpResponse response = json_answer(json);
  response.add_header("Cache-Control", "no-store");
  return response;
}

io::HttpResponse render_health(const std::vector<HealthCheck>& checks,
                               const std::vector<std::string>& excluded) {
  for (const std::string& name : excluded) {
    if (std::ranges::find(checks, name, &HealthCheck::name) != checks.end()) continue;
    return render_error(
        {.code = "bad_parameter", .message = "there is no check " + in_quotes(name)},
        ErrorStyle::kJson);
  }
  io::HttpResponse response;
  std::string lines;
  for (const HealthCheck& check : checks) {
    if (std::ranges::find(excluded, check.name) != excluded.end()) {
      lines += "[+]" + check.name + " excluded\n";
    } else if (check.failure) {
      lines += "[-]" + check.name + " " + *check.failure + "\n";
      response.status = 503;
    } else {
      lines += "[+]" + check.name + " ok\n";
    }
  }
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.add_header("Cache-Control", "no-store");
  response.body = std::move(lines);
  return response;
}

}  // namespace anchor::server
