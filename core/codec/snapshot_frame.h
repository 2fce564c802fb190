#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/kv/item.h"
#include "core/kv/store.h"
#include "core/kv/types.h"
#include "core/raft/types.h"

namespace anchor::codec {

// The frames (frame.h) that a snapshot's file is a row of, of proto/snapshot.capnp: the header,
// blocks with the items in the order of their keys, the footer.

struct SnapshotHeader {
  // In force at the snapshot's position, not null, and the index of the entry that it is from.
  raft::Index configuration_index;
  raft::SharedConfiguration configuration;
  kv::Revision revision;
  std::uint64_t item_count = 0;
};

struct SnapshotBlock {
  std::uint64_t ordinal = 0;  // from zero
  std::vector<kv::ItemRef> items;
};

struct SnapshotFooter {
  std::uint64_t block_count = 0;
  std::uint64_t item_count = 0;
  std::uint64_t digest = 0;    // of the store
  std::uint64_t checksum = 0;  // of the file; see SnapshotFile
};

using SnapshotPart = std::variant<SnapshotHeader, SnapshotBlock, SnapshotFooter>;

struct SnapshotFrame {
  raft::ClusterId cluster_id;
  raft::LogPosition position;
  SnapshotPart part;
};

// What an item takes up in a block.
std::size_t snapshot_item_bytes(const kv::Item& item);
// A block is closed once its items take up this much.
inline constexpr std::size_t kSnapshotBlockBytes = 64 << 10;
// No frame is larger: a block that lacked a byte and got the largest item, and what is around them.
inline constexpr std::size_t kSnapshotFrameBytes =
    kSnapshotBlockBytes + kv::kKeyBytes + kv::kValueBytes + 256;
// A footer's frame is always this large.
inline constexpr std::size_t kSnapshotFooterBytes = 88;

Bytes encode_snapshot_frame(const SnapshotFrame& frame);
// Trusts nothing. Also an error: a header of another format version.
Result<SnapshotFrame> decode_snapshot_frame(const Bytes& frame);

}  // namespace anchor::codec
