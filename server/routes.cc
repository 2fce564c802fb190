#include "server/routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "server/admin_request.h"
#include "server/http_target.h"
#include "server/kv_json.h"
#include "server/kv_request.h"
#include "server/members_json.h"

namespace anchor::server {
namespace {

using io::HttpMethod;
using io::HttpResponse;

HttpResponse not_allowed(ErrorStyle style, std::string_view allowed) {
  HttpResponse response = render_error(
      {.status = 405, .code = "method_not_allowed", .message = "allowed: " + std::string(allowed)},
      style);
  response.add_header("Allow", allowed);
  return response;
}

bool only_reads(HttpMethod method) {
  return method == HttpMethod::kGet || method == HttpMethod::kHead;
}

ParsedRequest parse_kv(const io::HttpRequest& request, const HttpTarget& target) {
  if (request.method == HttpMethod::kOther) {
    return not_allowed(error_style(request), "GET, HEAD, PUT, POST, DELETE");
  }
  auto parsed = parse_kv_request(request, target);
  if (!parsed) return render_error(parsed.error(), error_style(request));
  return std::move(*parsed);
}

std::optional<ApiError> check_parameters(const HttpTarget& target, std::string_view allowed = {}) {
  for (const QueryParameter& parameter : target.parameters) {
    if (!allowed.empty() && parameter.name == allowed) continue;
    return ApiError{.code = "bad_parameter",
                    .message = "the parameter " + in_quotes(parameter.text) + " is unknown"};
  }
  return std::nullopt;
}

// "a,b" to its parts.
std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t size = std::min(list.find(','), list.size());
    names.emplace_back(list.substr(0, size));
    list.remove_prefix(std::min(size + 1, list.size()));
  }
  return names;
}

ParsedRequest parse_status(const io::HttpRequest& request, const HttpTarget& target) {
  if (!only_reads(request.method)) return not_allowed(ErrorStyle::kJson, "GET, HEAD");
  if (const auto error = check_parameters(target)) return render_error(*error, ErrorStyle::kJson);
  return StatusRequest{};
}

ParsedRequest parse_members(const io::HttpRequest& request, const HttpTarget& target) {
  if (!only_reads(request.method)) return not_allowed(ErrorStyle::kJson, "GET, HEAD");
  if (const auto error = check_parameters(target)) return render_error(*error, ErrorStyle::kJson);
  return MembersRequest{};
}

ParsedRequest parse_admin(const io::HttpRequest& request, const HttpTarget& target) {
  if (request.method != HttpMethod::kPost) return not_allowed(ErrorStyle::kJson, "POST");
  if (const auto error = check_parameters(target)) return render_admin_error(*error);
  auto parsed = parse_admin_request(target.path, request);
  if (!parsed) return render_admin_error(parsed.error());
  return std::move(*parsed);
}

ParsedRequest parse_health(const io::HttpRequest& request, const HttpTarget& target) {
  if (!only_reads(request.method)) return not_allowed(ErrorStyle::kJson, "GET, HEAD");
  if (const auto error = check_parameters(target, "exclude")) {
    return render_error(*error, ErrorStyle::kJson);
  }
  HealthRequest parsed;
  if (target.path == "/livez") parsed.kind = HealthRequest::Kind::kLive;
  if (!target.parameters.empty()) parsed.excluded = split_names(target.parameters[0].value);
  return parsed;
}

// --- Answers ------------------------------------------------------------------------------------

std::string entity_tag(kv::Revision revision) {
  return '"' + std::to_string(revision.value()) + '"';
}

HttpResponse json_response(const nlohmann::ordered_json& body) {
  HttpResponse response;
  response.add_header("Content-Type", "application/json");
  response.body = body.dump() + "\n";
  return response;
}

HttpResponse ok() {
  HttpResponse response;
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.body = "OK\n";
  return response;
}

HttpResponse render_put(const kv::PutDone& done, const KvAnswer& answer) {
  HttpResponse response =
      answer.want_previous
          ? json_response({{"revision", done.revision.value()}, {"prev", item_json(done.previous)}})
          : ok();
  response.add_header("ETag", entity_tag(done.revision));
  response.add_header("Anchor-Revision", done.revision.value());
  return response;
}

HttpResponse render_delete(const kv::DeleteDone& done, const KvAnswer& answer) {
  const int deleted = done.deleted ? 1 : 0;
  HttpResponse response = answer.want_previous ? json_response({{"revision", done.revision.value()},
                                                                {"deleted", deleted},
                                                                {"prev", item_json(done.previous)}})
                                               : ok();
  response.add_header("Anchor-Revision", done.revision.value());
  response.add_header("Anchor-Deleted", done.deleted ? "1" : "0");
  return response;
}

HttpResponse render_condition_failed(const kv::ConditionFailed& failed, const KvAnswer& answer) {
  const bool absent = failed.mod_revision == kv::Revision(0);
  HttpResponse response = render_error(
      {.status = 412,
       .code = "condition_failed",
       .message = absent ? "there is no such key"
                         : "the key's revision is " + std::to_string(failed.mod_revision.value())},
      answer.error_style);
  response.add_header("ETag", entity_tag(failed.mod_revision));
  response.add_header("Anchor-Revision", failed.revision.value());
  return response;
}

// Values are whatever somebody stored: a browser must neither guess that one is a page nor run it.
void add_value_headers(const kv::Item& item, HttpResponse& response) {
  response.add_header("Content-Type", valid_utf8(as_text(item.value()))
                                          ? "text/plain; charset=utf-8"
                                          : "application/octet-stream");
  response.add_header("X-Content-Type-Options", "nosniff");
  response.add_header("Content-Security-Policy", "default-src 'none'; sandbox");
}

// Rounded up: data is never older than it says.
std::uint64_t whole_milliseconds(Duration age) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(age).count());
}

HttpResponse render_read(const ReadDone& done, const KvAnswer& answer) {
  HttpResponse response;
  if (!done.item) {
    response = render_error({.status = 404, .code = "not_found", .message = "no such key"},
                            answer.error_style);
  } else {
    const kv::Revision revision = done.item->mod_revision();
    const auto& known = answer.known;
    const bool same =
        known.any || std::ranges::find(known.revisions, revision) != known.revisions.end();
    if (same) {
      response.status = 304;
    } else {
      add_value_headers(*done.item, response);
      response.body = done.item;
    }
    response.add_header("ETag", entity_tag(revision));
    response.add_header("Cache-Control", "no-cache");
    response.add_header("Anchor-Create-Revision", done.item->create_revision().value());
    response.add_header("Anchor-Version", done.item->version());
    response.add_header("Anchor-Lease", done.item->lease().value());
  }
  response.add_header("Anchor-Revision", done.revision.value());
  response.add_header("X-Applied-Index", done.applied_index.value());
  if (done.age) response.add_header("Anchor-Age-Ms", whole_milliseconds(*done.age));
  return response;
}

HttpResponse render_future(const RevisionInFuture& future, const KvAnswer& answer) {
  HttpResponse response =
      render_error({.code = "bad_parameter",
                    .message = "min_revision is in the future: the store's revision is " +
                               std::to_string(future.revision.value())},
                   answer.error_style);
  response.add_header("Anchor-Revision", future.revision.value());
  response.add_header("X-Applied-Index", future.applied_index.value());
  return response;
}

HttpResponse no_leader(ErrorStyle style, const std::optional<LeaderInfo>& leader) {
  return render_error({.status = 503,
                       .code = "no_leader",
                       .message = "no leader could take the request; it was not applied",
                       .retry_after_ms = kRetryAfterMs},
                      style, leader);
}

struct Renderer {
  const KvAnswer& answer;
  const std::optional<LeaderInfo>& leader;

  HttpResponse operator()(const WriteApplied& applied) const {
    return std::visit(*this, applied.result);
  }
  HttpResponse operator()(const kv::PutDone& done) const { return render_put(done, answer); }
  HttpResponse operator()(const kv::DeleteDone& done) const { return render_delete(done, answer); }
  HttpResponse operator()(const kv::ConditionFailed& failed) const {
    return render_condition_failed(failed, answer);
  }
  HttpResponse operator()(const kv::InvalidCommand&) const {
    return render_error(
        {.status = 500, .code = "internal", .message = "the store refused the command"},
        answer.error_style);
  }
  HttpResponse operator()(const ReadDone& done) const { return render_read(done, answer); }
  HttpResponse operator()(const RevisionInFuture& future) const {
    return render_future(future, answer);
  }
  HttpResponse operator()(const NotApplied& refused) const {
    switch (refused.reason) {
      case Refusal::kNoLeader:
        return no_leader(answer.error_style, leader);
      case Refusal::kOverloaded:
        break;
    }
    return render_error({.status = 503,
                         .code = "overloaded",
                         .message = "the leader has as much to do as it can bear; the request was "
                                    "not applied",
                         .retry_after_ms = kRetryAfterMs},
                        answer.error_style, leader);
  }
  HttpResponse operator()(const AdminDone&) const {
    ANCHOR_ASSERT(false, "no answer to a request for keys");
    return {};
  }
  HttpResponse operator()(const OutcomeUnknown&) const {
    // A read that nobody answered has changed nothing.
    if (answer.kind == KvAnswer::Kind::kRead) return no_leader(answer.error_style, leader);
    return render_error({.status = 504,
                         .code = "unknown_outcome",
                         .message = "the write may or may not be applied, now or later",
                         .outcome_unknown = true},
                        answer.error_style, leader);
  }
};

}  // namespace

ParsedRequest parse_request(const io::HttpRequest& request) {
  const auto target = parse_target(request.target);
  if (!target) {
    return render_error({.code = "bad_parameter", .message = target.error().message},
                        error_style(request));
  }
  const std::string_view path = target->path;
  if (path.starts_with("/kv/")) return parse_kv(request, *target);
  if (is_admin_path(path)) return parse_admin(request, *target);
  if (path == "/members") return parse_members(request, *target);
  if (path == "/status") return parse_status(request, *target);
  if (path == "/livez" || path == "/readyz" || path == "/health") {
    return parse_health(request, *target);
  }
  return render_error({.status = 404, .code = "not_found", .message = "no such route"},
                      error_style(request));
}

HttpResponse render(const Outcome& outcome, const KvAnswer& answer,
                    const std::optional<LeaderInfo>& leader) {
  return std::visit(Renderer{answer, leader}, outcome);
}

HttpResponse render_redirect(const KvRequest& request, const std::optional<LeaderInfo>& leader) {
  ANCHOR_ASSERT(request.redirect_target);
  if (!leader || leader->http_address.empty()) {
    return no_leader(request.answer.error_style, leader);
  }
  HttpResponse response{.status = 307};
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.add_header("Location", "http://" + leader->http_address + *request.redirect_target);
  response.add_header("X-Raft-Leader", leader->id);
  response.body = "the leader is " + leader->id + "\n";
  return response;
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

ApiError removed_from_cluster() {
  return {.status = 503,
          .code = "not_ready",
          .message =
              "this node was removed from its cluster; ask one of its members. The request "
              "was not applied"};
}

}  // namespace anchor::server
