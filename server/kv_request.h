#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "io/http_message.h"
#include "server/http_error.h"
#include "server/http_target.h"
#include "server/routes.h"

namespace anchor::server {

// The two headers by which a write belongs to a session. Requires: one of them is given.
std::expected<kv::SessionWrite, ApiError> parse_session_write(
    std::optional<std::string_view> session, std::optional<std::string_view> sequence);

// A request under /kv/, whose method is GET, HEAD, PUT, POST or DELETE.
std::expected<KvRequest, ApiError> parse_kv_request(const io::HttpRequest& request,
                                                    const HttpTarget& target);

}  // namespace anchor::server
