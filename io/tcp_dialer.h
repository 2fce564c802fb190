#pragma once

#include <kj/async.h>

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "io/kj_event_port.h"
#include "io/kj_stream.h"

namespace anchor::io {

struct HostPort {
  std::string host;
  std::string port;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};
// From "host:port" or "[ipv6]:port".
Result<HostPort> parse_host_port(const std::string& address);

// Resolves `address` ("host:port") and connects to the first of its addresses that answers. The
// promise is broken if none does. Whoever gives it up frees the socket at once. It has no time
// limit of its own. `open_handles` counts what the loop holds of it.
kj::Promise<kj::Own<KjStream>> dial_tcp(KjEventPort& port, HandleCount& open_handles,
                                        const std::string& address);

}  // namespace anchor::io
