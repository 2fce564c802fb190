#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "core/kv/command.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// A header that must not be repeated. None: it is not there.
std::expected<std::optional<std::string_view>, ApiError> single_header(
    const io::HttpRequest& request, std::string_view name);

// Anchor-Session and Anchor-Sequence, which go together. None: the write is of no session.
std::expected<std::optional<kv::SessionWrite>, ApiError> session_write_of(
    const io::HttpRequest& request);

}  // namespace anchor::server
