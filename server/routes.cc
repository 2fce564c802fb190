#include "server/routes.h"

#include <algorithm>
#include <array>
#include <expected>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "server/admin_request.h"
#include "server/http_target.h"
#include "server/json_fields.h"
#include "server/kv_request.h"
#include "server/lease_request.h"
#include "server/lock_request.h"
#include "server/members_json.h"
#include "server/request_headers.h"
#include "server/transaction_request.h"

namespace anchor::server {
namespace {

using io::HttpMethod;
using io::HttpResponse;

using Parsed = std::expected<ParsedRequest, ApiError>;

ApiError bad_request(std::string message) {
  return {.code = "bad_request", .message = std::move(message)};
}

// --- What each route asks for -------------------------------------------------------------------

Parsed parse_kv(const io::HttpRequest& request, const HttpTarget& target) {
  return parse_kv_request(request, target);
}

Parsed parse_status(const io::HttpRequest& /*request*/, const HttpTarget& /*target*/) {
  return StatusRequest{};
}

Parsed parse_members(const io::HttpRequest& /*request*/, const HttpTarget& /*target*/) {
  return MembersRequest{};
}

// A write that is none of one key.
KvRequest write_of(kv::CommandBody body,
                   const std::optional<kv::SessionWrite>& session = std::nullopt) {
  KvRequest parsed;
  parsed.body = kv::Command(std::move(body), session);
  parsed.answer = {.kind = KvAnswer::Kind::kPut, .error_style = ErrorStyle::kJson};
  return parsed;
}

Parsed parse_txn(const io::HttpRequest& request, const HttpTarget& /*target*/) {
  const auto session = session_write_of(request);
  if (!session) return std::unexpected(session.error());
  auto transaction = parse_transaction(request);
  if (!transaction) return std::unexpected(std::move(transaction.error()));
  const bool large = returns_items(*transaction);
  KvRequest parsed = write_of(*std::move(transaction), *session);
  parsed.answer.large = large;
  return ParsedRequest(std::move(parsed));
}

Parsed parse_watch(const io::HttpRequest& request, const HttpTarget& target) {
  return parse_watch_request(request, target);
}

Parsed parse_session(const io::HttpRequest& /*request*/, const HttpTarget& /*target*/) {
  return write_of(kv::OpenSession{});
}

Parsed parse_lease(const io::HttpRequest& request, const HttpTarget& target) {
  if (request.method != HttpMethod::kPost) {
    if (!target.parameters.empty()) {
      return std::unexpected(
          ApiError{.code = "bad_parameter", .message = "ttl is for POST, which grants a lease"});
    }
    KvRequest parsed;
    parsed.body = Read{.of = AllLeases()};
    parsed.answer = {.kind = KvAnswer::Kind::kRead,
                     .large = request.version_1_0,
                     .error_style = ErrorStyle::kJson};
    return ParsedRequest(std::move(parsed));
  }
  if (target.parameters.empty()) {
    return std::unexpected(
        ApiError{.code = "bad_parameter", .message = "say how long it is: ?ttl=30s"});
  }
  const auto ttl = parse_ttl(target.parameters[0].value);
  if (!ttl) {
    return std::unexpected(
        ApiError{.code = "bad_parameter", .message = "ttl " + ttl.error().message});
  }
  return write_of(kv::GrantLease{*ttl});
}

constexpr std::string_view kOneLease = "/lease/";
constexpr std::string_view kKeepAlive = "/keepalive";

Parsed query_of(std::string_view text, bool keep_alive) {
  const auto id = parse_lease_id(text);
  if (!id) return std::unexpected(bad_request(in_quotes(text) + " is no lease's id"));
  KvRequest parsed;
  parsed.body = kv::LeaseQuery{.id = *id, .keep_alive = keep_alive};
  parsed.answer = {.kind = keep_alive ? KvAnswer::Kind::kPut : KvAnswer::Kind::kRead,
                   .large = !keep_alive,
                   .error_style = ErrorStyle::kJson,
                   .lease = *id};
  return parsed;
}

Parsed parse_keep_alive(const io::HttpRequest& /*request*/, const HttpTarget& target) {
  std::string_view text = target.path.substr(kOneLease.size());
  text.remove_suffix(kKeepAlive.size());
  return query_of(text, true);
}

Parsed parse_one_lease(const io::HttpRequest& request, const HttpTarget& target) {
  const std::string_view text = target.path.substr(kOneLease.size());
  if (request.method != HttpMethod::kDelete) return query_of(text, false);
  const auto id = parse_lease_id(text);
  if (!id) return std::unexpected(bad_request(in_quotes(text) + " is no lease's id"));
  return write_of(kv::RevokeLease{*id});
}

Parsed parse_lock(const io::HttpRequest& request, const HttpTarget& target) {
  auto lock = parse_lock_request(request, target);
  if (!lock) return std::unexpected(std::move(lock.error()));
  KvRequest parsed;
  parsed.body =
      std::visit([](auto& asked) { return decltype(parsed.body)(std::move(asked)); }, *lock);
  parsed.answer = {.kind = KvAnswer::Kind::kPut, .error_style = ErrorStyle::kJson};
  return ParsedRequest(std::move(parsed));
}

constexpr std::string_view kOneSession = "/session/";

Parsed parse_one_session(const io::HttpRequest& /*request*/, const HttpTarget& target) {
  const std::string_view text = target.path.substr(kOneSession.size());
  const auto id = parse_number(text);
  if (!id) return std::unexpected(bad_request(in_quotes(text) + " is no session's id"));
  return write_of(kv::CloseSession{kv::SessionId(*id)});
}

Parsed parse_settings(const io::HttpRequest& request, const HttpTarget& /*target*/) {
  if (request.method != HttpMethod::kPut) return SettingsRequest{};
  auto fields = read_json_body(request);
  if (!fields) return std::unexpected(std::move(fields.error()));
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
  if (auto error = fields->error()) return std::unexpected(*std::move(error));
  return write_of(std::move(change));
}

template <raft::AdminRequest (*Read)(JsonFields&)>
Parsed parse_admin(const io::HttpRequest& request, const HttpTarget& /*target*/) {
  auto fields = read_json_body(request);
  if (!fields) return std::unexpected(std::move(fields.error()));
  raft::AdminRequest parsed = Read(*fields);
  if (auto error = fields->error()) return std::unexpected(*std::move(error));
  return parsed;
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

Parsed parse_health(const io::HttpRequest& /*request*/, const HttpTarget& target) {
  HealthRequest parsed;
  if (target.path == "/livez") parsed.kind = HealthRequest::Kind::kLive;
  if (!target.parameters.empty()) parsed.excluded = split_names(target.parameters[0].value);
  return parsed;
}

// --- The routes ---------------------------------------------------------------------------------

constexpr std::array kMethods = {HttpMethod::kGet, HttpMethod::kHead, HttpMethod::kPut,
                                 HttpMethod::kPost, HttpMethod::kDelete};
using MethodSet = std::uint32_t;
constexpr MethodSet set_of(HttpMethod method) {
  return MethodSet{1} << static_cast<unsigned>(method);
}
constexpr MethodSet kNone = 0;
constexpr MethodSet kReads = set_of(HttpMethod::kGet) | set_of(HttpMethod::kHead);
constexpr MethodSet kPut = set_of(HttpMethod::kPut);
constexpr MethodSet kPost = set_of(HttpMethod::kPost);
constexpr MethodSet kDelete = set_of(HttpMethod::kDelete);
constexpr MethodSet kAll = kReads | kPut | kPost | kDelete;

// Requests of one path, or of all that begin with it if it ends with a slash, and end so. What they
// do not take is refused before they are parsed.
struct Route {
  std::string_view path;
  MethodSet methods;
  Parsed (*parse)(const io::HttpRequest&, const HttpTarget&);
  MethodSet with_body = kNone;
  MethodSet with_session = kNone;
  std::string_view parameter{};  // the one that it knows; "*": it looks at them itself
  bool administers = false;
  std::string_view ending{};
};

constexpr std::string_view kAnyParameter = "*";
constexpr auto kRoutes = std::to_array<Route>({
    {"/kv/", kAll, parse_kv, kAll, kAll, kAnyParameter},
    {"/txn", kPost, parse_txn, kPost, kPost},
    {"/watch", set_of(HttpMethod::kGet), parse_watch, kNone, kNone, kAnyParameter},
    {"/lease", kReads | kPost, parse_lease, kNone, kNone, "ttl"},
    {.path = kOneLease, .methods = kPost, .parse = parse_keep_alive, .ending = kKeepAlive},
    {kOneLease, kReads | kDelete, parse_one_lease},
    {"/lock/", kPost | kDelete, parse_lock, kNone, kNone, kAnyParameter},
    {"/session", kPost, parse_session},
    {kOneSession, kDelete, parse_one_session},
    {"/settings", kReads | kPut, parse_settings, kPut},
    {"/join", kPost, parse_admin<read_join>, kPost, kNone, {}, true},
    {"/remove", kPost, parse_admin<read_remove>, kPost, kNone, {}, true},
    {"/promote", kPost, parse_admin<read_promote>, kPost, kNone, {}, true},
    {"/transfer", kPost, parse_admin<read_transfer>, kPost, kNone, {}, true},
    {"/members", kReads, parse_members},
    {"/status", kReads, parse_status},
    {"/livez", kReads, parse_health, kNone, kNone, "exclude"},
    {"/readyz", kReads, parse_health, kNone, kNone, "exclude"},
    {"/health", kReads, parse_health, kNone, kNone, "exclude"},
});

// Null: there is none for this target.
const Route* find_route(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto found = std::ranges::find_if(kRoutes, [&](const Route& route) {
    const bool begins =
        route.path.ends_with('/') ? path.starts_with(route.path) : path == route.path;
    return begins && path.substr(route.path.size()).ends_with(route.ending);
  });
  return found == kRoutes.end() ? nullptr : &*found;
}

HttpResponse render(const ApiError& error, const Route* route, const io::HttpRequest& request) {
  if (route != nullptr && route->administers) return render_admin_error(error);
  return render_error(error, error_style(request));
}

HttpResponse not_allowed(const Route& route, const io::HttpRequest& request) {
  std::string allowed;
  for (const HttpMethod method : kMethods) {
    if ((route.methods & set_of(method)) == 0) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += io::method_name(method);
  }
  HttpResponse response =
      render({.status = 405, .code = "method_not_allowed", .message = "allowed: " + allowed},
             &route, request);
  response.add_header("Allow", allowed);
  return response;
}

std::optional<ApiError> check_parameters(const Route& route, const HttpTarget& target) {
  if (route.parameter == kAnyParameter) return std::nullopt;
  for (const QueryParameter& parameter : target.parameters) {
    if (!route.parameter.empty() && parameter.name == route.parameter) continue;
    return ApiError{.code = "bad_parameter",
                    .message = "the parameter " + in_quotes(parameter.text) + " is unknown"};
  }
  return std::nullopt;
}

Parsed parse(const Route& route, const io::HttpRequest& request) {
  const auto target = parse_target(request.target);
  if (!target) {
    return std::unexpected(ApiError{.code = "bad_parameter", .message = target.error().message});
  }
  if (auto error = check_parameters(route, *target)) return std::unexpected(*std::move(error));
  const MethodSet method = set_of(request.method);
  if ((route.with_body & method) == 0 && !request.body.empty()) {
    return std::unexpected(bad_request("no body is taken here"));
  }
  if ((route.with_session & method) == 0) {
    const auto session = session_write_of(request);
    if (!session) return std::unexpected(session.error());
    if (*session) return std::unexpected(bad_request("Anchor-Session is for writes of keys"));
  }
  return route.parse(request, *target);
}

}  // namespace

ParsedRequest parse_request(const io::HttpRequest& request) {
  const Route* route = find_route(request.target);
  if (route == nullptr) {
    return render({.status = 404, .code = "not_found", .message = "no such route"}, nullptr,
                  request);
  }
  if ((route->methods & set_of(request.method)) == 0) return not_allowed(*route, request);
  Parsed parsed = parse(*route, request);
  if (!parsed) return render(parsed.error(), route, request);
  return *std::move(parsed);
}

HttpResponse render_refusal(const io::HttpRefusal& refusal, const io::HttpRequest* partial) {
  ApiError error{
      .status = refusal.status, .code = refusal.code, .message = std::string(refusal.message)};
  if (refusal.status == 503) error.retry_after_ms = kRetryAfterMs;
  if (partial == nullptr) return render_error(error, ErrorStyle::kLine);
  return render(error, find_route(partial->target), *partial);
}

}  // namespace anchor::server
