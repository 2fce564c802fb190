#pragma once

#include <expected>

#include "io/http_message.h"
#include "server/http_error.h"
#include "server/http_target.h"
#include "server/routes.h"

namespace anchor::server {

// A request under /kv/, whose method is GET, HEAD, PUT, POST or DELETE.
std::expected<KvRequest, ApiError> parse_kv_request(const io::HttpRequest& request,
                                                    const HttpTarget& target);

}  // namespace anchor::server
