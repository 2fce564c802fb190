#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/codec/hard_state_file.h"
#include "core/codec/record_codec.h"
#include "core/codec/recovery.h"
#include "core/kv/store.h"
#include "core/raft/configuration.h"
#include "core/raft/step.h"
#include "io/data_directory.h"
#include "io/file.h"
#include "io/lmdb.h"
#include "io/snapshot_files.h"

namespace anchor::io {

struct OpenedLogStore;

// The file "hardstate", open.
class HardStateCopy {
 public:
  // Writes `state`, durably, as the newest. A file that is missing or damaged is made anew.
  static Result<HardStateCopy> open(const DataDirectory& directory,
                                    const codec::StableState& state);

  // Durably.
  Result<void> write(const codec::StableState& state);

 private:
  HardStateCopy(File file, codec::HardStateSlot next) : file_(std::move(file)), next_(next) {}

  File file_;
  codec::HardStateSlot next_;
};

// A member's log and hard state on disk: the database raft.db, and the file "hardstate" with a
// second copy of the hard state. What `commit` returned from is durable. Any thread, one at a time.
class LogStore {
 public:
  // None: the directory holds no member's state. Else this start is counted, durably. An error: the
  // state is damaged, or cannot be read; nothing has been changed then.
  static Result<std::optional<OpenedLogStore>> open(const DataDirectory& directory);

  // Makes the directory a member's, and opens it. After a crash it is one wholly, or not at all.
  // Requires: it holds none, `initial.boot` is zero, the entries are contiguous from index 1
  // and none has a term above the initial one.
  static Result<OpenedLogStore> create(const DataDirectory& directory,
                                       const codec::StableState& initial,
                                       std::span<const raft::Entry> entries);
  // The same for a server that joins: it begins in term zero with nothing but what it was told of
  // the members, of whom it is one.
  static Result<OpenedLogStore> create_joiner(const DataDirectory& directory,
                                              const codec::StableState& initial,
                                              const raft::Configuration& members);

  // Writes the batches in their order, atomically: after a crash all are there, or none. An error
  // is final, and the process must end: what the disk holds is not known any more.
  Result<void> commit(std::span<const raft::PersistBatch> batches);

 private:
  LogStore(Lmdb database, HardStateCopy copy, const raft::Recovered& recovered);

  static Result<OpenedLogStore> open_member(const DataDirectory& directory);
  Result<void> write(std::span<const raft::PersistBatch> batches);
  Result<void> write_batch(LmdbBucket& logs, const raft::PersistBatch& batch);
  Result<void> compact(LmdbBucket& logs, std::size_t appended);

  Lmdb database_;
  HardStateCopy copy_;
  codec::StableState stable_;  // as both copies have it
  raft::Index last_index_;
  // Up to here the log is no longer needed; it is removed a little with each commit.
  raft::Index compact_to_;
  std::optional<Error> broken_;
};

struct OpenedLogStore {
  std::unique_ptr<LogStore> store;
  raft::Recovered recovered;
  // Of the newest snapshot.
  kv::Store state;
  SnapshotFiles snapshots;
  std::vector<codec::DamagedSnapshot> damaged_snapshots;
};

}  // namespace anchor::io
