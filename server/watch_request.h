#pragma once

#include <expected>
#include <optional>

#include "core/kv/types.h"
#include "core/watches.h"
#include "io/http_message.h"
#include "server/http_error.h"
#include "server/http_target.h"

namespace anchor::server {

struct WatchRequest {
  WatchedKeys keys;
  // The first revision that is to be shown; none: from now on.
  std::optional<kv::Revision> from{};
  // Events carry the key-value as it was before.
  bool previous = false;
  // While there are none, marks say up to which revision there were none.
  bool progress = false;
};

// GET /watch.
std::expected<WatchRequest, ApiError> parse_watch_request(const io::HttpRequest& request,
                                                          const HttpTarget& target);

}  // namespace anchor::server
