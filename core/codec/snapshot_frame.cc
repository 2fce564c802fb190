#include "core/codec/snapshot_frame.h"

#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/entry_codec.h"
#include "core/codec/frame.h"
#include "core/kv/item_codec.h"
#include "core/raft/configuration.h"
#include "proto/snapshot.capnp.h"

namespace anchor::codec {
namespace {

constexpr std::uint32_t kFormatVersion = 1;

// --- To bytes -----------------------------------------------------------------------------------

struct PartWriter {
  proto::SnapshotFrame::Builder to;

  void operator()(const SnapshotHeader& header) {
    auto builder = to.initHeader();
    builder.setFormatVersion(kFormatVersion);
    builder.setConfigurationIndex(header.configuration_index.value());
    write_configuration(builder.initConfiguration(), *header.configuration);
    builder.setRevision(header.revision.value());
    builder.setItemCount(header.item_count);
  }
  void operator()(const SnapshotBlock& block) {
    auto builder = to.initBlock();
    builder.setOrdinal(block.ordinal);
    auto items = builder.initItems(static_cast<unsigned>(block.items.size()));
    for (unsigned i = 0; i < items.size(); ++i) kv::write_item(items[i], *block.items[i]);
  }
  void operator()(const SnapshotFooter& footer) {
    auto builder = to.initFooter();
    builder.setBlockCount(footer.block_count);
    builder.setItemCount(footer.item_count);
    builder.setDigest(footer.digest);
    builder.setChecksum(footer.checksum);
  }
};

// Exact for blocks, which are what there is much of; a guess for headers.
struct PartSize {
  std::size_t operator()(const SnapshotHeader& header) const {
    constexpr std::size_t kMemberBytes = 128;
    return kMemberBytes * (1 + header.configuration->members.size());
  }
  std::size_t operator()(const SnapshotBlock& block) const {
    std::size_t size = 0;
    for (const kv::ItemRef& item : block.items) size += snapshot_item_bytes(*item);
    return size;
  }
  std::size_t operator()(const SnapshotFooter&) const { return 0; }
};

// --- From bytes ---------------------------------------------------------------------------------

Result<SnapshotPart> read_header(proto::SnapshotHeader::Reader from) {
  if (from.getFormatVersion() != kFormatVersion) {
    return failure("it has format version " + std::to_string(from.getFormatVersion()) +
                   "; this anchor knows " + std::to_string(kFormatVersion));
  }
  auto configuration = read_configuration(from.getConfiguration());
  if (!configuration) return std::unexpected(configuration.error());
  return SnapshotHeader{.configuration_index = raft::Index(from.getConfigurationIndex()),
                        .configuration = std::move(*configuration),
                        .revision = kv::Revision(from.getRevision()),
                        .item_count = from.getItemCount()};
}

SnapshotBlock read_block(proto::SnapshotBlock::Reader from) {
  SnapshotBlock block{.ordinal = from.getOrdinal(), .items = {}};
  const auto items = from.getItems();
  block.items.reserve(items.size());
  for (const proto::KeyValue::Reader item : items) block.items.push_back(kv::read_item(item));
  return block;
}

Result<SnapshotPart> read_part(proto::SnapshotFrame::Reader from) {
  switch (from.which()) {
    case proto::SnapshotFrame::HEADER:
      return read_header(from.getHeader());
    case proto::SnapshotFrame::BLOCK:
      return read_block(from.getBlock());
    case proto::SnapshotFrame::FOOTER: {
      const auto footer = from.getFooter();
      return SnapshotFooter{.block_count = footer.getBlockCount(),
                            .item_count = footer.getItemCount(),
                            .digest = footer.getDigest(),
                            .checksum = footer.getChecksum()};
    }
  }
  return failure("a frame is of a kind that this version does not know");
}

}  // namespace

std::size_t snapshot_item_bytes(const kv::Item& item) {
  // A list's element, and two byte strings of whole words.
  constexpr std::size_t kElementBytes = 48;
  const auto whole_words = [](std::size_t bytes) { return (bytes + 7) / 8 * 8; };
  return kElementBytes + whole_words(item.key().size()) + whole_words(item.value().size());
}

Bytes encode_snapshot_frame(const SnapshotFrame& frame) {
  constexpr std::size_t kFixed = 80;
  const std::size_t body_bytes = kFixed + std::visit(PartSize(), frame.part);
  Bytes bytes = encode_frame<proto::SnapshotFrame>(body_bytes, [&](auto builder) {
    builder.setClusterId(frame.cluster_id.value());
    builder.setIndex(frame.position.index.value());
    builder.setTerm(frame.position.term.value());
    std::visit(PartWriter{builder}, frame.part);
  });
  ANCHOR_ASSERT(bytes.size() <= kSnapshotFrameBytes);
  ANCHOR_ASSERT(!std::holds_alternative<SnapshotFooter>(frame.part) ||
                bytes.size() == kSnapshotFooterBytes);
  return bytes;
}

Result<SnapshotFrame> decode_snapshot_frame(const Bytes& frame) {
  auto message = open_frame(frame);
  if (!message) return std::unexpected(message.error());
  return wire::read_flat<proto::SnapshotFrame>(
      std::move(*message),
      [](proto::SnapshotFrame::Reader from, const Bytes&) -> Result<SnapshotFrame> {
        auto part = read_part(from);
        if (!part) return std::unexpected(part.error());
        return SnapshotFrame{
            .cluster_id = raft::ClusterId(from.getClusterId()),
            .position = {.index = raft::Index(from.getIndex()), .term = raft::Term(from.getTerm())},
            .part = std::move(*part)};
      });
}

}  // namespace anchor::codec
