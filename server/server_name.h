#pragma once

#include <string_view>

#include "core/base/result.h"

namespace anchor::server {

// Whether others may know a server by this name, and dial this address ("host:port").
Result<void> check_server_id(std::string_view text);
Result<void> check_dialled_address(std::string_view text);

}  // namespace anchor::server
