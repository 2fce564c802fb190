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
// blocks with the items in the order of their keys, with the changes, the leases and the sessions,
// then the footer.

struct SnapshotHeader {
  // In force at the snapshot's position, not null, and the index of the entry that it is from.
  raft::Index configuration_index;
  raft::SharedConfiguration configuration;
  kv::Store::Restorer::Begin state;
  std::uint64_t item_count = 0;
};

struct SnapshotItems {
  std::vector<kv::ItemRef> items{};
};
struct SnapshotChanges {
  std::vector<kv::Change> changes{};
};
struct SnapshotLeases {
  std::vector<kv::ItemRef> leases{};
};
struct SnapshotSessions {
  std::vector<kv::ItemRef> sessions{};
};

struct SnapshotBlock {
  std::uint64_t ordinal = 0;  // from zero
  std::variant<SnapshotItems, SnapshotChanges, SnapshotLeases, SnapshotSessions> content{};
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

// What a change takes up in a block.
std::size_t snapshot_change_bytes(const kv::Change& change);
// A block is closed once what is in it takes up this much.
inline constexpr std::size_t kSnapshotBlockBytes = 64 << 10;
// No frame is larger: a block that lacked a byte and got what is largest, and what is around them.
// A change has two items, a session an answer.
inline constexpr std::size_t kSnapshotFrameBytes = kSnapshotBlockBytes + (4 << 20);
static_assert(kSnapshotFrameBytes >
                  kSnapshotBlockBytes + (64 << 10) + 2 * (kv::kKeyBytes + kv::kValueBytes) &&
              kSnapshotFrameBytes > kSnapshotBlockBytes + (64 << 10) + kv::kAnswerBytes);
// A footer's frame is always this large.
inline constexpr std::size_t kSnapshotFooterBytes = 88;

Bytes encode_snapshot_frame(const SnapshotFrame& frame);
// Trusts nothing. Also an error: a header of another format version.
Result<SnapshotFrame> decode_snapshot_frame(const Bytes& frame);

}  // namespace anchor::codec
