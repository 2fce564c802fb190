#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace anchor::cli {

// "a:1,http://b:2/" to {"a:1", "b:2"}: every part a host and a port, none twice.
Result<std::vector<std::string>> parse_endpoints(std::string_view list);

}  // namespace anchor::cli
