#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/kv/types.h"

namespace anchor::server {

// "30s": how long a lease is. The error goes on after the parameter's name.
Result<Duration> parse_ttl(std::string_view text);
// None: it is no lease's.
std::optional<kv::LeaseId> parse_lease_id(std::string_view text);

}  // namespace anchor::server
