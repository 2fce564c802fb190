#pragma once

#include "core/raft/admin.h"
#include "server/json_fields.h"

namespace anchor::server {

// What POST /join, /remove, /promote and /transfer ask of the leader, out of the fields of their
// bodies.
raft::AdminRequest read_join(JsonFields& fields);
raft::AdminRequest read_remove(JsonFields& fields);
raft::AdminRequest read_promote(JsonFields& fields);
raft::AdminRequest read_transfer(JsonFields& fields);

}  // namespace anchor::server
