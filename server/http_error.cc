#include "server/http_error.h"

#include <algorithm>

namespace anchor::server {
namespace {

// Whether a list of media ranges (RFC 9110, 12.5.1) has application/json, with any parameters.
bool names_json(std::string_view accept) {
  while (!accept.empty()) {
    const std::size_t size = std::min(accept.find(','), accept.size());
    std::string_view range = accept.substr(0, size);
    range = range.substr(0, range.find(';'));
    range.remove_prefix(std::min(range.find_first_not_of(" \t"), range.size()));
    if (io::equals_ignoring_case(io::without_trailing_space(range), "application/json"))
      return true;
    accept.remove_prefix(std::min(size + 1, accept.size()));
  }
  return false;
}

bool accepts_json(const io::HttpRequest& request) {
  return std::ranges::any_of(request.headers, [](const io::HttpHeader& header) {
    return io::equals_ignoring_case(header.name, "accept") && names_json(header.value);
  });
}

}  // namespace

ErrorStyle error_style(const io::HttpRequest& request) {
  if (!request.target.starts_with("/kv/")) return ErrorStyle::kJson;
  return accepts_json(request) ? ErrorStyle::kJson : ErrorStyle::kLine;
}

nlohmann::ordered_json leader_json(const std::optional<LeaderInfo>& leader) {
  if (!leader) return nullptr;
  return {{"id", leader->id}, {"http_address", leader->http_address}};
}

nlohmann::ordered_json error_json(const ApiError& error, const std::optional<LeaderInfo>& leader) {
  nlohmann::ordered_json json;
  json["error"] = error.message;
  json["code"] = error.code;
  json["outcome"] = error.outcome_unknown ? "unknown" : "not_applied";
  json["leader"] = leader_json(leader);
  if (error.retry_after_ms) json["retry_after_ms"] = *error.retry_after_ms;
  return json;
}

io::HttpResponse render_error(const ApiError& error, ErrorStyle style,
                              const std::optional<LeaderInfo>& leader) {
  io::HttpResponse response{.status = error.status};
  if (style == ErrorStyle::kJson) {
    response.add_header("Content-Type", "application/json");
    response.body =
        error_json(error, leader).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
        "\n";
  } else {
    response.add_header("Content-Type", "text/plain; charset=utf-8");
    response.body = std::string(error.code) + ": " + error.message + "\n";
  }
  if (error.retry_after_ms) {
    response.add_header("Retry-After", (*error.retry_after_ms + 999) / 1000);
  }
  if (error.status == 503 && leader) response.add_header("X-Raft-Leader", leader->id);
  return response;
}

ApiError overloaded() {
  return {.status = 503,
          .code = "overloaded",
          .message = "there is as much to do as the cluster can bear; the request was not applied",
          .retry_after_ms = kRetryAfterMs};
}

ApiError crowded() {
  return {.status = 503,
          .code = "overloaded",
          .message =
              "the clients of this node take their answers too slowly; the request was not "
              "applied",
          .retry_after_ms = kRetryAfterMs};
}

ApiError shutting_down() {
  return {.status = 503,
          .code = "not_ready",
          .message = "this node is shutting down; the request was not applied",
          .retry_after_ms = kRetryAfterMs};
}

ApiError in_no_cluster() {
  return {.status = 503,
          .code = "not_ready",
          .message = "this node belongs to no cluster yet; the request was not applied",
          .retry_after_ms = kRetryAfterMs};
}

ApiError state_distrusted() {
  return {.status = 503,
          .code = "state_distrusted",
          .message =
              "this node's state is not the majority's; until it is, ask another node. The "
              "request was not applied",
          .retry_after_ms = kRetryAfterMs};
}

ApiError removed_from_cluster() {
  return {.status = 503,
          .code = "not_ready",
          .message =
              "this node was removed from its cluster; ask one of its members. The request "
              "was not applied"};
}

}  // namespace anchor::server
