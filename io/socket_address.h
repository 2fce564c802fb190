#pragma once

#include <uv.h>

#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "io/host_port.h"

namespace anchor::io {

// The first address of a name; port 0 stays 0. Blocks while the name is looked up, so it is for
// programs that have nothing else to do yet.
Result<sockaddr_storage> resolve_now(uv_loop_t* loop, const HostPort& address);

// None: the host is a name, and has to be looked up.
std::optional<sockaddr_storage> numeric_address(const HostPort& address);

// The port that a socket is bound to.
std::uint16_t local_port(const uv_tcp_t& tcp);

// "127.0.0.1:80" or "[::1]:80".
std::string to_text(const sockaddr_storage& address);

}  // namespace anchor::io
