#include "server/lock_request.h"

#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/locks.h"
#include "io/percent_encoding.h"
#include "server/lease_request.h"

namespace anchor::server {
namespace {

// A connection is kept for each that waits.
constexpr Duration kWaitMost = std::chrono::hours(1);
// Numbers in JSON are exact below this.
constexpr std::uint64_t kRevisionMost = (std::uint64_t{1} << 53) - 1;

std::unexpected<ApiError> bad_parameter(std::string message) {
  return std::unexpected(ApiError{.code = "bad_parameter", .message = std::move(message)});
}
std::unexpected<ApiError> unknown(const QueryParameter& parameter, std::string_view to) {
  return bad_parameter("the parameter " + in_quotes(parameter.text) + " is unknown to " +
                       std::string(to) + " of a lock");
}

using Parsed = std::expected<std::variant<AcquireLock, ReleaseLock>, ApiError>;

Parsed parse_acquire(std::string name, const HttpTarget& target) {
  AcquireLock acquire{.name = std::move(name)};
  for (const QueryParameter& parameter : target.parameters) {
    if (parameter.name == "ttl") {
      const auto ttl = parse_ttl(parameter.value);
      if (!ttl) return bad_parameter("ttl " + ttl.error().message);
      acquire.ttl = *ttl;
    } else if (parameter.name == "wait") {
      const auto wait = parse_duration(parameter.value);
      if (!wait) return bad_parameter("wait must be a duration such as 500ms or 5s");
      if (*wait > kWaitMost) return bad_parameter("wait must be at most 1h");
      acquire.wait = *wait;
    } else {
      return unknown(parameter, "POST");
    }
  }
  if (acquire.ttl != Duration()) return acquire;
  return bad_parameter("say how long the lock is kept if nobody keeps it alive: ?ttl=10s");
}

Parsed parse_release(std::string name, const HttpTarget& target) {
  std::optional<std::uint64_t> token;
  for (const QueryParameter& parameter : target.parameters) {
    if (parameter.name != "token") return unknown(parameter, "DELETE");
    const auto number = parse_number(parameter.value, 1, kRevisionMost);
    if (!number) return bad_parameter("token must be a lock's token: a number above 0");
    token = *number;
  }
  if (!token) return bad_parameter("say under which token the lock is held: ?token=");
  return ReleaseLock{std::move(name), kv::Revision(*token)};
}

}  // namespace

Parsed parse_lock_request(const io::HttpRequest& request, const HttpTarget& target) {
  auto name = io::percent_decoded(target.path.substr(std::string_view("/lock/").size()));
  if (!name || name->empty() || name->size() > Locks::kNameBytes) {
    return std::unexpected(ApiError{.code = "bad_key",
                                    .message = !name ? "the lock's name has a bad percent-encoding"
                                                     : "a lock's name has from 1 to 4000 bytes"});
  }
  const bool acquires = request.method == io::HttpMethod::kPost;
  return acquires ? parse_acquire(*std::move(name), target)
                  : parse_release(*std::move(name), target);
}

}  // namespace anchor::server
