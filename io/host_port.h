#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace anchor::io {

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "host:port" or "[ipv6]:port", with a port from 1 to 65535. The host is anything that holds no
// colon outside of brackets: whether it exists is the resolver's to say.
Result<HostPort> parse_host_port(std::string_view text);

// Whether this is an address to listen on everywhere, to which nobody can connect from elsewhere:
// 0.0.0.0 or ::, however it is spelt.
bool is_wildcard(const std::string& host);

// What parse_host_port() takes apart.
std::string to_text(const HostPort& address);

}  // namespace anchor::io
