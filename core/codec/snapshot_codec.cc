#include "core/codec/snapshot_codec.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/kv/item_codec.h"

namespace anchor::codec {
namespace {

// A frame's header stands for the frame: its checksum and its length.
std::uint64_t hash_frame(const Bytes& frame, std::uint64_t hash) {
  return hash_bytes(frame.view().first(kFrameHeaderBytes), hash);
}

std::uint64_t checksum_of(std::uint64_t frames_hash, std::uint64_t digest) {
  return mix64(frames_hash ^ mix64(digest));
}

}  // namespace

// --- To bytes -----------------------------------------------------------------------------------

SnapshotWriter::SnapshotWriter(SnapshotMeta meta, kv::Store store)
    : meta_(std::move(meta)),
      store_(std::move(store)),
      item_(store_.tree().begin()),
      lease_(store_.leases().table().tree().begin()),
      session_(store_.sessions().table().tree().begin()) {
  ANCHOR_ASSERT(meta_.configuration != nullptr);
}

std::optional<Bytes> SnapshotWriter::next() {
  switch (part_) {
    case Part::kHeader:
      part_ = Part::kBlocks;
      return header();
    case Part::kBlocks:
      if (auto encoded = block()) return encoded;
      part_ = Part::kEnd;
      return footer();
    case Part::kEnd:
      break;
  }
  return std::nullopt;
}

const SnapshotFile& SnapshotWriter::file() const {
  ANCHOR_ASSERT(part_ == Part::kEnd);
  return file_;
}

Bytes SnapshotWriter::header() {
  return encode(SnapshotHeader{.configuration_index = meta_.configuration_index,
                               .configuration = meta_.configuration,
                               .state = {.revision = store_.revision(),
                                         .compacted = store_.history().compacted(),
                                         .next_lease = store_.leases().next_id(),
                                         .next_session = store_.sessions().next_id(),
                                         .settings = store_.settings(),
                                         .digest_check = store_.digest_check()},
                               .item_count = store_.tree().size()});
}

std::optional<Bytes> SnapshotWriter::block() {
  std::size_t size = 0;
  const auto take_items = [&](kv::Tree::Cursor& at) {
    std::vector<kv::ItemRef> items;
    for (; size < kSnapshotBlockBytes && at.valid(); at.next()) {
      size += kv::written_bytes(*at.item());
      items.push_back(at.item());
    }
    return items;
  };
  SnapshotBlock block{.ordinal = block_count_};
  if (item_.valid()) {
    block.content = SnapshotItems{take_items(item_)};
  } else if (change_ < store_.history().size()) {
    SnapshotChanges content;
    for (; size < kSnapshotBlockBytes && change_ < store_.history().size(); ++change_) {
      content.changes.push_back(store_.history()[change_]);
      size += snapshot_change_bytes(content.changes.back());
    }
    block.content = std::move(content);
  } else if (lease_.valid()) {
    block.content = SnapshotLeases{take_items(lease_)};
  } else if (session_.valid()) {
    block.content = SnapshotSessions{take_items(session_)};
  } else {
    return std::nullopt;
  }
  ++block_count_;
  return encode(std::move(block));
}

Bytes SnapshotWriter::footer() {
  const std::uint64_t digest = store_.digest();
  file_.position = meta_.position;
  file_.checksum = checksum_of(frames_hash_, digest);
  return encode(SnapshotFooter{.block_count = block_count_,
                               .item_count = store_.tree().size(),
                               .digest = digest,
                               .checksum = file_.checksum});
}

Bytes SnapshotWriter::encode(SnapshotPart part) {
  Bytes bytes = encode_snapshot_frame({meta_.cluster_id, meta_.position, std::move(part)});
  frames_hash_ = hash_frame(bytes, frames_hash_);
  file_.size_bytes += bytes.size();
  return bytes;
}

// --- From bytes ---------------------------------------------------------------------------------

Result<void> SnapshotReader::take(ByteView bytes) {
  if (!error_) {
    if (const Result<void> gathered = gather(bytes); !gathered) error_ = gathered.error();
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<void> SnapshotReader::gather(ByteView bytes) {
  while (!bytes.empty()) {
    if (snapshot_) return failure("something follows its end");
    const std::size_t size = std::min(frame_.size() - gathered_bytes_, bytes.size());
    std::memcpy(frame_.data() + gathered_bytes_, bytes.data(), size);
    gathered_bytes_ += size;
    size_bytes_ += size;
    bytes = bytes.subspan(size);
    if (gathered_bytes_ < frame_.size()) return {};
    if (gathered_bytes_ == kFrameHeaderBytes) {
      if (Result<void> grown = grow_frame(); !grown) return grown;
      continue;
    }
    Buffer whole = std::exchange(frame_, Buffer(kFrameHeaderBytes));
    gathered_bytes_ = 0;
    if (Result<void> taken = take_frame(std::move(whole).freeze()); !taken) return taken;
  }
  return {};
}

// Makes room for the frame whose header is there.
Result<void> SnapshotReader::grow_frame() {
  const std::uint64_t size = stated_frame_bytes(frame_.span());
  if (size == kFrameHeaderBytes || size > kSnapshotFrameBytes) {
    return failure("a frame states that it has " + std::to_string(size) + " bytes");
  }
  Buffer grown(size);
  std::memcpy(grown.data(), frame_.data(), frame_.size());
  frame_ = std::move(grown);
  return {};
}

Result<void> SnapshotReader::take_frame(const Bytes& bytes) {
  Result<SnapshotFrame> frame = decode_snapshot_frame(bytes);
  if (!frame) return std::unexpected(frame.error());
  if (begun_ &&
      (frame->cluster_id != begun_->meta.cluster_id || frame->position != begun_->meta.position)) {
    return failure("a frame is of another snapshot");
  }
  const auto* header = std::get_if<SnapshotHeader>(&frame->part);
  if ((header != nullptr) == begun_.has_value()) return failure("its header is not in its place");

  Result<void> taken;
  if (header != nullptr) {
    taken = take_part(*frame, *header);
  } else if (auto* block = std::get_if<SnapshotBlock>(&frame->part)) {
    taken = take_part(*block);
  } else {
    taken = take_part(std::get<SnapshotFooter>(frame->part));
  }
  frames_hash_ = hash_frame(bytes, frames_hash_);
  return taken;
}

Result<void> SnapshotReader::take_part(const SnapshotFrame& frame, const SnapshotHeader& header) {
  if (header.configuration_index > frame.position.index ||
      header.state.compacted == kv::Revision() || header.state.compacted > header.state.revision) {
    return failure("its header contradicts itself");
  }
  begun_.emplace(SnapshotMeta{.cluster_id = frame.cluster_id,
                              .position = frame.position,
                              .configuration_index = header.configuration_index,
                              .configuration = header.configuration},
                 header.item_count, kv::Store::Restorer(header.state));
  return {};
}

Result<void> SnapshotReader::take_part(SnapshotBlock& block) {
  if (block.ordinal != block_count_) {
    return failure("block " + std::to_string(block.ordinal) + " stands where block " +
                   std::to_string(block_count_) + " should");
  }
  ++block_count_;
  if (block.content.index() < content_) return failure("its blocks are not in their order");
  content_ = block.content.index();
  return std::visit([this](auto& content) { return take_content(content); }, block.content);
}

Result<void> SnapshotReader::take_content(SnapshotItems& block) {
  item_count_ += block.items.size();
  for (kv::ItemRef& item : block.items) {
    if (Result<void> added = begun_->restorer.add(std::move(item)); !added) return added;
  }
  return {};
}

Result<void> SnapshotReader::take_content(SnapshotChanges& block) {
  for (kv::Change& change : block.changes) {
    if (Result<void> added = begun_->restorer.add(std::move(change)); !added) return added;
  }
  return {};
}

Result<void> SnapshotReader::take_content(SnapshotLeases& block) {
  for (kv::ItemRef& lease : block.leases) {
    if (Result<void> added = begun_->restorer.add_lease(std::move(lease)); !added) return added;
  }
  return {};
}

Result<void> SnapshotReader::take_content(SnapshotSessions& block) {
  for (kv::ItemRef& session : block.sessions) {
    if (Result<void> added = begun_->restorer.add_session(std::move(session)); !added) return added;
  }
  return {};
}

Result<void> SnapshotReader::take_part(const SnapshotFooter& footer) {
  if (footer.block_count != block_count_ || footer.item_count != item_count_ ||
      begun_->item_count != item_count_) {
    return failure("blocks or items are missing");
  }
  Result<kv::Store> store = begun_->restorer.finish();
  if (!store) return std::unexpected(store.error());
  if (footer.digest != store->digest()) return failure("its digest is not that of its state");
  const SnapshotFile file{.position = begun_->meta.position,
                          .size_bytes = size_bytes_,
                          .checksum = checksum_of(frames_hash_, footer.digest)};
  if (footer.checksum != file.checksum) return failure("its checksum is not that of its frames");
  snapshot_.emplace(std::move(begun_->meta), *std::move(store), file);
  return {};
}

Result<Snapshot> SnapshotReader::finish() {
  if (error_) return std::unexpected(*error_);
  if (!snapshot_) return failure("it is cut short");
  return *std::move(snapshot_);
}

Result<SnapshotFile> read_snapshot_footer(raft::ClusterId cluster_id, raft::LogPosition position,
                                          std::uint64_t size_bytes, const Bytes& footer) {
  const Result<SnapshotFrame> frame = decode_snapshot_frame(footer);
  if (!frame) return std::unexpected(frame.error());
  const auto* part = std::get_if<SnapshotFooter>(&frame->part);
  if (part == nullptr) return failure("it does not end with a footer");
  if (frame->cluster_id != cluster_id) return failure("it is of another cluster");
  if (frame->position != position) return failure("it is of another position");
  return SnapshotFile{.position = position, .size_bytes = size_bytes, .checksum = part->checksum};
}

}  // namespace anchor::codec
