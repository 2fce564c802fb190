#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/record_codec.h"
#include "core/raft/step.h"

namespace anchor::codec {

struct StoredRecord {
  raft::Index index;
  Bytes bytes;
};

// What a member's directory held, as it was read.
struct StoredMember {
  std::optional<Bytes> stable_state;     // of the database
  std::optional<Bytes> hard_state_file;  // all of it
  // In the database: what a server that joined was told of the members.
  std::optional<Bytes> membership{};
  // Of the newest good snapshot.
  raft::LogPosition base{};
  raft::SharedConfiguration base_configuration{};
  std::vector<StoredRecord> records;  // in the order of the database
};

// How the member goes on, in its next boot. An error says what is damaged or missing, and what the
// operator can do: a member that does not know what it promised must not go on as if it did.
Result<raft::Recovered> recover(const StoredMember& stored);

// `what` happened to this member's state, and what the operator can do about it.
std::unexpected<Error> refusal(const std::string& what);

// What both copies must say before the member does.
StableState stable_state_of(const raft::Recovered& recovered);

}  // namespace anchor::codec
