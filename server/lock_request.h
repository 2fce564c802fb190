#pragma once

#include <expected>
#include <variant>

#include "core/lock_request.h"
#include "io/http_message.h"
#include "server/http_error.h"
#include "server/http_target.h"

namespace anchor::server {

// POST and DELETE of /lock/{name}.
std::expected<std::variant<AcquireLock, ReleaseLock>, ApiError> parse_lock_request(
    const io::HttpRequest& request, const HttpTarget& target);

}  // namespace anchor::server
