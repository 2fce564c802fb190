#include "server/lease_request.h"

#include "core/base/text.h"
#include "core/kv/limits.h"

namespace anchor::server {

Result<Duration> parse_ttl(std::string_view text) {
  const auto ttl = parse_duration(text);
  if (!ttl) return failure("must be a duration such as 30s, 5m or 1h");
  if (!kv::valid_ttl(*ttl)) return failure("must be from 1s to 8784h");
  return *ttl;
}

std::optional<kv::LeaseId> parse_lease_id(std::string_view text) {
  // Numbers in JSON are exact below this.
  constexpr std::uint64_t kBound = std::uint64_t{1} << 53;
  const auto id = parse_number(text, 1, kBound - 1);
  return id ? std::optional(kv::LeaseId(*id)) : std::nullopt;
}

}  // namespace anchor::server
