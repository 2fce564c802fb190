#pragma once

#include <expected>
#include <string_view>

#include "core/raft/admin.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// Whether the path is one of POST /join, /remove, /promote and /transfer.
bool is_admin_path(std::string_view path);

// What such a request asks of the leader, out of its body: a JSON object with known fields and no
// others. Requires: is_admin_path(path).
std::expected<raft::AdminRequest, ApiError> parse_admin_request(std::string_view path,
                                                                const io::HttpRequest& request);

}  // namespace anchor::server
