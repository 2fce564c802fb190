#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace anchor::cli {

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
};

// "host:port" or "[address]:port".
Result<HostPort> split_endpoint(std::string_view endpoint);

// "a:1,http://b:2/" to {"a:1", "b:2"}: every part a host and a port, none twice.
Result<std::vector<std::string>> parse_endpoints(std::string_view list);

}  // namespace anchor::cli
