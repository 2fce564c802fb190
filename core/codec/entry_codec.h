#pragma once

#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/raft/types.h"
#include "proto/record.capnp.h"

namespace anchor::codec {

// An entry's place in a schema, in messages as in the log.
void write_entry(proto::Entry::Builder builder, const raft::Entry& entry);
// The command is a slice of `buffer`, which the reader reads from.
Result<raft::Entry> read_entry(proto::Entry::Reader reader, const Bytes& buffer);
// A guess at the bytes that write_entry takes.
std::size_t entry_size_bytes(const raft::Entry& entry);

void write_configuration(proto::Configuration::Builder builder,
                         const raft::Configuration& configuration);
// Also an error: one that contradicts itself.
Result<raft::SharedConfiguration> read_configuration(proto::Configuration::Reader reader);

// Names are not empty and at most 255 bytes.
Result<raft::ServerId> read_server_id(capnp::Text::Reader text);
// Requires: the list has as many places as there are ids.
void write_ids(capnp::List<capnp::Text>::Builder builder, const std::vector<raft::ServerId>& ids);
Result<std::vector<raft::ServerId>> read_ids(capnp::List<capnp::Text>::Reader reader);

}  // namespace anchor::codec
