#include "server/routes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "server/admin_request.h"
#include "server/http_target.h"
#include "server/json_fields.h"
#include "server/kv_request.h"
#include "server/members_json.h"
#include "server/request_headers.h"
#include "server/transaction_request.h"

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

// A write that is none of one key.
ParsedRequest write_of(kv::CommandBody body,
                       const std::optional<kv::SessionWrite>& session = std::nullopt) {
  KvRequest parsed;
  parsed.body = kv::Command(std::move(body), session);
  parsed.answer = {.kind = KvAnswer::Kind::kPut, .error_style = ErrorStyle::kJson};
  return parsed;
}

std::optional<ApiError> check_no_body(const io::HttpRequest& request) {
  if (request.body.empty()) return std::nullopt;
  return ApiError{.code = "bad_request", .message = "no body is taken here"};
}

ParsedRequest parse_txn(const io::HttpRequest& request, const HttpTarget& target) {
  if (request.method != HttpMethod::kPost) return not_allowed(ErrorStyle::kJson, "POST");
  if (const auto error = check_parameters(target)) return render_error(*error, ErrorStyle::kJson);
  const auto session = session_write_of(request);
  if (!session) return render_error(session.error(), ErrorStyle::kJson);
  auto transaction = parse_transaction(request);
  if (!transaction) return render_error(transaction.error(), ErrorStyle::kJson);
  return write_of(*std::move(transaction), *session);
}

std::optional<ApiError> check_no_session(const io::HttpRequest& request) {
  const auto session = session_write_of(request);
  if (!session) return session.error();
  if (!*session) return std::nullopt;
  return ApiError{.code = "bad_request", .message = "Anchor-Session is for writes of keys"};
}

// POST /session, DELETE /session/{id}
ParsedRequest parse_session(const io::HttpRequest& request, const HttpTarget& target) {
  const bool one = target.path != "/session";
  const HttpMethod method = one ? HttpMethod::kDelete : HttpMethod::kPost;
  if (request.method != method) return not_allowed(ErrorStyle::kJson, one ? "DELETE" : "POST");
  if (const auto error = check_parameters(target)) return render_error(*error, ErrorStyle::kJson);
  if (const auto error = check_no_body(request)) return render_error(*error, ErrorStyle::kJson);
  if (const auto error = check_no_session(request)) return render_error(*error, ErrorStyle::kJson);
  if (!one) return write_of(kv::OpenSession{});
  const std::string_view text = target.path.substr(std::string_view("/session/").size());
  const auto id = parse_number(text);
  if (!id) {
    return render_error({.code = "bad_request", .message = in_quotes(text) + " is no session's id"},
                        ErrorStyle::kJson);
  }
  return write_of(kv::CloseSession{kv::SessionId(*id)});
}

ParsedRequest parse_settings(const io::HttpRequest& request, const HttpTarget& target) {
  if (!only_reads(request.method) && request.method != HttpMethod::kPut) {
    return not_allowed(ErrorStyle::kJson, "GET, HEAD, PUT");
  }
  if (const auto error = check_parameters(target)) return render_error(*error, ErrorStyle::kJson);
  if (const auto error = check_no_session(request)) return render_error(*error, ErrorStyle::kJson);
  if (request.method != HttpMethod::kPut) return SettingsRequest{};
  auto fields = read_json_body(request);
  if (!fields) return render_error(fields.error(), ErrorStyle::kJson);
  kv::ChangeSettings change;
  for (const kv::Setting& setting : kv::kSettings) {
    const std::string name(setting.name);
    const auto value = fields->optional_number(name.c_str());
    if (!value) continue;
    if (*value < setting.least || *value > setting.most) {
      fields->check(name.c_str(), failure("must be from " + std::to_string(setting.least) + " to " +
                                          std::to_string(setting.most)));
    }
    change.values.push_back({name, *value});
  }
  if (const auto error = fields->error()) return render_error(*error, ErrorStyle::kJson);
  return write_of(std::move(change));
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
  if (path == "/txn") return parse_txn(request, *target);
  if (path == "/session" || path.starts_with("/session/")) return parse_session(request, *target);
  if (path == "/settings") return parse_settings(request, *target);
  if (path == "/members") return parse_members(request, *target);
  if (path == "/status") return parse_status(request, *target);
  if (path == "/livez" || path == "/readyz" || path == "/health") {
    return parse_health(request, *target);
  }
  return render_error({.status = 404, .code = "not_found", .message = "no such route"},
                      error_style(request));
}

}  // namespace anchor::server
