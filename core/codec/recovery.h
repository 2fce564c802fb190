#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/record_codec.h"
#include "core/codec/snapshot_directory.h"
#include "core/codec/snapshot_files.h"
#include "core/kv/store.h"
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
  std::vector<StoredRecord> records;  // in the order of the database
};

struct RecoveredMember {
  raft::Recovered raft{};
  // The state of the newest snapshot.
  kv::Store store{};
  // No record of the log continues the newest snapshot, which came from a leader: all are to be
  // removed, durably, before another is written.
  bool records_obsolete = false;
  std::vector<DamagedSnapshot> damaged_snapshots{};
};

// How the member goes on, in its next boot. An error says what is damaged or missing, and what the
// operator can do: a member that does not know what it promised must not go on as if it did.
Result<RecoveredMember> recover(const StoredMember& stored, SnapshotFiles& snapshots);

// `what` happened to this member's state, and what the operator can do about it.
std::unexpected<Error> refusal(const std::string& what);

// What both copies must say before the member does.
StableState stable_state_of(const raft::Recovered& recovered);

}  // namespace anchor::codec
