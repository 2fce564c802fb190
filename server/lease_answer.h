#pragma once

#include "core/kv/lease_query.h"
#include "core/kv/leases.h"
#include "core/lock_request.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// What is answered of leases and locks.

io::HttpResponse render_granted(kv::LeaseId id, Duration ttl);
// How long it still is, and the keys that go with it.
io::HttpResponse render_lease(kv::LeaseId id, const kv::LeaseStatus& lease);
// The JSON of all of them, made as the client takes it.
io::HttpParts lease_parts(kv::Leases leases);

io::HttpResponse render_lock(const LockAnswer& answer, ErrorStyle style);

}  // namespace anchor::server
