#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/codec/hard_state_file.h"
#include "core/codec/record_codec.h"
#include "core/codec/recovery.h"
#include "core/raft/configuration.h"
#include "core/raft/step.h"
#include "core/raft/types.h"
#include "sim/snapshot_disk.h"

namespace anchor::sim {

// What a crash leaves: the records as bytes, and what checkers want to know of them without
// decoding them.
struct DiskImage {
  struct Record {
    raft::Term term;
    Bytes bytes;
  };
  codec::StableState stable;
  Bytes stable_bytes;
  // Of a server that has joined.
  std::optional<Bytes> membership;
  // The second copy, written after the transaction (core/codec/hard_state_file.h).
  Bytes hard_state_file;
  codec::HardStateSlot next_slot;
  // Of the indexes after this one.
  raft::Index base;
  std::vector<Record> records;
  // The newest that is durable: it stands for all entries up to there.
  raft::LogPosition snapshot;

  // Of the records.
  raft::Index last_record() const { return base + records.size(); }
  raft::Index last() const { return std::max(last_record(), snapshot.index); }
  bool covers(raft::Index index) const { return index <= snapshot.index; }
  // None: it has no such record.
  std::optional<raft::Term> term_at(raft::Index index) const;
  // The records go on from the snapshot; else recovery takes them for another log's.
  bool continues_snapshot() const {
    return snapshot.index <= base || term_at(snapshot.index) == snapshot.term;
  }
  // The entry is in it, or in its snapshot, which holds what is committed and nothing else.
  bool holds(raft::LogPosition position) const {
    return covers(position.index) ||
           (continues_snapshot() && term_at(position.index) == position.term);
  }
};

// What of the transaction that was being written survives a crash.
enum class Surviving : std::uint8_t { kNothing, kDatabase, kEverything };

// A virtual disk with the store's contract: batches are written in order, those that wait become
// one transaction when the one before them is done, and at a crash a transaction is there whole or
// not at all; the second copy of the hard state follows it.
class Disk {
 public:
  // A member's directory as founding leaves it.
  Disk(codec::StableState stable, const std::vector<raft::Entry>& entries);
  // The same, as joining leaves it.
  Disk(codec::StableState stable, const raft::Configuration& members);

  const DiskImage& image() const { return image_; }

  void submit(raft::PersistBatch batch) { waiting_.push_back(std::move(batch)); }
  bool busy() const { return !writing_.empty(); }
  bool idle_with_work() const { return writing_.empty() && !waiting_.empty(); }

  // Begins a transaction with all that waits. Requires: idle_with_work().
  void begin();
  // The transaction is durable; returns its newest batch's id. `before` sees each batch, with the
  // image as the ones before it have left it. Requires: busy().
  raft::WriteId complete(const std::function<void(const raft::PersistBatch&)>& before = nullptr);

  SnapshotDisk& snapshots() { return snapshots_; }
  // Of what is under way with them; see SnapshotDisk.
  std::vector<SnapshotDisk::Done> step_snapshots();

  // The process is gone; with the power, what was not synced of the snapshots' files.
  void crash(Surviving surviving, bool power_lost, const VirtualFiles::Choose& choose);

  // Recovers as the store does, with the same code, as a new boot, which is durable when this
  // returns. Fails an assertion if that refuses: nothing here damages the image.
  codec::RecoveredMember boot();

 private:
  void write(const raft::PersistBatch& batch);
  void compact(std::size_t appended);
  void store_stable();
  void store_second_copy();

  DiskImage image_;
  // What is of no use up to here is being removed.
  raft::Index compact_to_;
  SnapshotDisk snapshots_;
  std::vector<raft::PersistBatch> waiting_;
  std::vector<raft::PersistBatch> writing_;
};

}  // namespace anchor::sim
