#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/frame.h"
#include "core/codec/snapshot_frame.h"
#include "core/kv/store.h"
#include "core/kv/tree.h"
#include "core/raft/types.h"

namespace anchor::codec {

// Snapshots to the bytes of a file and back.

// What a snapshot is of.
struct SnapshotMeta {
  raft::ClusterId cluster_id;
  raft::LogPosition position;  // the last entry whose effect is in it
  // In force at `position`, not null, and the index of the entry that it is from.
  raft::Index configuration_index;
  raft::SharedConfiguration configuration;
};

// Its checksum is of the state's digest, and of all frames before the footer by what their headers
// say of them: length and CRC32C.
using raft::SnapshotFile;

struct Snapshot {
  SnapshotMeta meta;
  kv::Store store;
  SnapshotFile file;
};

// Makes a snapshot's file, a frame at a time. The same meta and state make the same bytes on every
// node.
class SnapshotWriter {
 public:
  // The store is a copy, which costs nothing: what is written is the state as it was then.
  SnapshotWriter(SnapshotMeta meta, kv::Store store);

  // The file's next frame; none after the footer.
  std::optional<Bytes> next();

  // Requires: next() has returned the footer.
  const SnapshotFile& file() const;

 private:
  enum class Part : std::uint8_t { kHeader, kBlocks, kEnd };

  Bytes header();
  // None: everything is in one.
  std::optional<Bytes> block();
  Bytes footer();
  Bytes encode(SnapshotPart part);

  SnapshotMeta meta_;
  kv::Store store_;
  // How far it has come in the store, which is not changed.
  kv::Tree::Cursor item_;
  std::size_t change_ = 0;
  kv::Tree::Cursor lease_;
  kv::Tree::Cursor session_;
  Part part_ = Part::kHeader;
  std::uint64_t block_count_ = 0;
  std::uint64_t frames_hash_ = 0;
  SnapshotFile file_;
};

// Takes a file's bytes in pieces, however they are cut, and trusts none of them.
class SnapshotReader {
 public:
  // An error says what is wrong with the file, and is final.
  Result<void> take(ByteView bytes);

  // What the file holds, or an error if all that was taken is not all of it. Of which cluster and
  // position it is remains for the caller to judge. Call once.
  Result<Snapshot> finish();

 private:
  // What the header says, and the store that grows from it.
  struct Begun {
    SnapshotMeta meta;
    std::uint64_t item_count;
    kv::Store::Restorer restorer;
  };

  Result<void> gather(ByteView bytes);
  Result<void> grow_frame();
  Result<void> take_frame(const Bytes& bytes);
  Result<void> take_part(const SnapshotFrame& frame, const SnapshotHeader& header);
  Result<void> take_part(SnapshotBlock& block);
  Result<void> take_content(SnapshotItems& block);
  Result<void> take_content(SnapshotChanges& block);
  Result<void> take_content(SnapshotLeases& block);
  Result<void> take_content(SnapshotSessions& block);
  Result<void> take_part(const SnapshotFooter& footer);

  // The frame that is being gathered; of one whose header is not there yet, the header.
  Buffer frame_{kFrameHeaderBytes};
  std::size_t gathered_bytes_ = 0;

  std::optional<Begun> begun_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t block_count_ = 0;
  std::size_t content_ = 0;  // which kind the last block had
  std::uint64_t item_count_ = 0;
  std::uint64_t frames_hash_ = 0;
  // Set by the footer.
  std::optional<Snapshot> snapshot_;
  std::optional<Error> error_;
};

// The id of the file that ends with `footer`, its last kSnapshotFooterBytes bytes. An error if that
// is none, or of another cluster or position. What stands before it remains to be verified.
Result<SnapshotFile> read_snapshot_footer(raft::ClusterId cluster_id, raft::LogPosition position,
                                          std::uint64_t size_bytes, const Bytes& footer);

}  // namespace anchor::codec
