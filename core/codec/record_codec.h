#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/raft/configuration.h"
#include "core/raft/step.h"
#include "core/raft/types.h"

namespace anchor::codec {

// Frames as in message_codec.h, of proto/record.capnp.

// A record of the log. The cluster's id, the index and the term are under the checksum.
Bytes encode_log_record(raft::ClusterId cluster_id, const raft::Entry& entry);
// Also an error: a record of another cluster, or of another index than the one it was found at.
Result<raft::Entry> decode_log_record(raft::ClusterId cluster_id, raft::Index index,
                                      const Bytes& record);

// What a server that has joined was told of the members.
Bytes encode_membership(raft::ClusterId cluster_id, const raft::Configuration& configuration);
Result<raft::SharedConfiguration> decode_membership(raft::ClusterId cluster_id,
                                                    const Bytes& record);

// What identifies a data directory and must outlive everything: kept twice on disk.
struct StableState {
  raft::ClusterId cluster_id;
  raft::Peer self;
  raft::Boot boot;
  raft::HardState hard_state;

  friend bool operator==(const StableState&, const StableState&) = default;
};
Bytes encode_stable_state(const StableState& state);
Result<StableState> decode_stable_state(const Bytes& record);

}  // namespace anchor::codec
