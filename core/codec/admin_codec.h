#pragma once

#include <cstddef>

#include "core/base/result.h"
#include "core/raft/admin.h"
#include "proto/admin.capnp.h"

namespace anchor::codec {

// Parts of messages (proto/admin.capnp).

void write_admin_request(proto::AdminRequest::Builder builder, const raft::AdminRequest& request);
Result<raft::AdminRequest> read_admin_request(proto::AdminRequest::Reader reader);

void write_admin_answer(proto::AdminAnswer::Builder builder, const raft::AdminAnswer& answer);
Result<raft::AdminAnswer> read_admin_answer(proto::AdminAnswer::Reader reader);

}  // namespace anchor::codec
