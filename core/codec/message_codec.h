#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/raft/message.h"

namespace anchor::codec {

// A message as a frame: 4 bytes CRC32C of what follows, 4 bytes length of the Cap'n Proto message
// in words (both little-endian), and the message (proto/message.capnp), with the cluster's id
// inside.
Bytes encode_message(raft::ClusterId cluster_id, const raft::Message& message);

// Trusts nothing: a frame that was damaged, cut short or made by somebody else is an error, as is
// one of another cluster. Payloads of entries are slices of the frame's buffer.
Result<raft::Message> decode_message(raft::ClusterId cluster_id, const Bytes& frame);

}  // namespace anchor::codec
