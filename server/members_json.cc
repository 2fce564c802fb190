#include "server/members_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/text.h"
#include "server/json_answer.h"

namespace anchor::server {
namespace {

using Json = nlohmann::ordered_json;

io::HttpResponse json_response(const Json& json) {
  io::HttpResponse response = json_answer(json);
  response.add_header("Cache-Control", "no-store");
  return response;
}

Json change_json(const std::optional<ClusterMembers::Change>& change) {
  if (!change) return nullptr;
  Json json{{"kind", change->kind}, {"phase", change->phase}};
  json["id"] = change->id ? Json(*change->id) : Json(nullptr);
  json["progress"] = change->progress ? Json(*change->progress) : Json(nullptr);
  return json;
}

Json leader_hint(const std::optional<LeaderInfo>& leader) {
  return leader && !leader->http_address.empty() ? Json(leader->http_address) : Json(nullptr);
}

io::HttpResponse render_success(const std::optional<LeaderInfo>& leader) {
  Json json{{"success", true}, {"leader_hint", leader_hint(leader)}, {"error", nullptr}};
  json["leader"] = leader_json(leader);
  return json_response(json);
}

// Whether it is the server in question that is not ready, and not the cluster.
bool concerns_one_server(const raft::AdminRequest& request) {
  return std::holds_alternative<raft::PromoteServer>(request) ||
         std::holds_alternative<raft::TransferLeadership>(request);
}

ApiError as_error(const raft::AdminRequest& request, const raft::AdminRefused& refused) {
  ApiError error{.status = 409, .code = "not_ready", .message = refused.message};
  switch (refused.reason) {
    case raft::AdminRefusal::kChangeInProgress:
      error.code = "change_in_progress";
      error.retry_after_ms = kRetryAfterMs;
      break;
    case raft::AdminRefusal::kQuorumAtRisk:
      error.code = "quorum_at_risk";
      break;
    case raft::AdminRefusal::kNotFound:
      error.status = 404;
      error.code = "not_found";
      break;
    case raft::AdminRefusal::kNotReady:
      if (!concerns_one_server(request)) error.status = 503;
      error.retry_after_ms = kRetryAfterMs;
      break;
    case raft::AdminRefusal::kIdentityTaken:
      break;
  }
  return error;
}

ApiError as_error(const NotApplied& refused) {
  const bool no_leader = refused.reason == Refusal::kNoLeader;
  return {.status = 503,
          .code = no_leader ? "no_leader" : "overloaded",
          .message = no_leader ? "no leader could take the request; nothing was changed"
                               : "too much is waiting; nothing was changed",
          .retry_after_ms = kRetryAfterMs};
}

ApiError unknown_outcome() {
  return {.status = 504,
          .code = "unknown_outcome",
          .message = "the change may or may not be made, now or later; GET /members shows it",
          .outcome_unknown = true};
}

}  // namespace

io::HttpResponse render_members(const ClusterMembers& members) {
  Json json{{"cluster_id", hex16(members.cluster_id)}, {"members", Json::array()}};
  for (const ClusterMembers::Member& member : members.members) {
    json["members"].push_back({{"id", member.id},
                               {"address", member.address},
                               {"http_address", member.http_address},
                               {"learner", member.learner},
                               {"leader", member.leader}});
  }
  json["change"] = change_json(members.change);
  return json_response(json);
}

io::HttpResponse render_admin(const raft::AdminRequest& request, const Outcome& outcome,
                              const std::optional<LeaderInfo>& leader) {
  if (const auto* refused = std::get_if<NotApplied>(&outcome)) {
    return render_admin_error(as_error(*refused), leader);
  }
  const auto* done = std::get_if<AdminDone>(&outcome);
  if (done == nullptr) return render_admin_error(unknown_outcome(), leader);
  if (const auto* refused = std::get_if<raft::AdminRefused>(&done->answer)) {
    return render_admin_error(as_error(request, *refused), leader);
  }
  return render_success(leader);
}

io::HttpResponse render_admin_error(const ApiError& error,
                                    const std::optional<LeaderInfo>& leader) {
  io::HttpResponse response = render_error(error, ErrorStyle::kJson, leader);
  Json json{{"success", false}, {"leader_hint", leader_hint(leader)}};
  json.update(error_json(error, leader));
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace anchor::server
