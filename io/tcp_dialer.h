#pragma once

#include <kj/async.h>

#include <string>

#include "io/kj_event_port.h"
#include "io/kj_stream.h"

namespace anchor::io {

// Resolves `address` ("host:port") and connects to the first of its addresses that answers. The
// promise is broken if none does. Whoever gives it up frees the socket at once. It has no time
// limit of its own. `open_handles` counts what the loop holds of it.
kj::Promise<kj::Own<KjStream>> dial_tcp(KjEventPort& port, HandleCount& open_handles,
                                        const std::string& address);

}  // namespace anchor::io
