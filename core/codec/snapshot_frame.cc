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

constexpr std::uint32_t kFormatVersion = 3;

// --- To bytes -----------------------------------------------------------------------------------

struct ContentWriter {
  proto::SnapshotBlock::Builder to;

  void operator()(const SnapshotItems& block) {
    const auto size = static_cast<unsigned>(block.items.size());
    kv::write_items(to.initItems(size), block.items);
  }
  void operator()(const SnapshotChanges& block) {
    auto changes = to.initChanges(static_cast<unsigned>(block.changes.size()));
    for (unsigned i = 0; i < changes.size(); ++i) {
      const kv::Change& change = block.changes[i];
      changes[i].setRevision(change.revision.value());
      if (change.before) kv::write_item(changes[i].initBefore(), *change.before);
      if (change.after) kv::write_item(changes[i].initAfter(), *change.after);
    }
  }
  void operator()(const SnapshotLeases& block) {
    const auto size = static_cast<unsigned>(block.leases.size());
    kv::write_items(to.initLeases(size), block.leases);
  }
  void operator()(const SnapshotSessions& block) {
    const auto size = static_cast<unsigned>(block.sessions.size());
    kv::write_items(to.initSessions(size), block.sessions);
  }
};

struct PartWriter {
  proto::SnapshotFrame::Builder to;

  void operator()(const SnapshotHeader& header) {
    auto builder = to.initHeader();
    builder.setFormatVersion(kFormatVersion);
    builder.setConfigurationIndex(header.configuration_index.value());
    write_configuration(builder.initConfiguration(), *header.configuration);
    builder.setRevision(header.state.revision.value());
    builder.setCompactedRevision(header.state.compacted.value());
    builder.setNextLease(header.state.next_lease.value());
    builder.setNextSession(header.state.next_session.value());
    kv::write_settings(builder.initSettings(static_cast<unsigned>(kv::kSettings.size())),
                       header.state.settings);
    builder.setDigestCheckNumber(header.state.digest_check.number);
    builder.setDigestCheckDigest(header.state.digest_check.digest);
    builder.setItemCount(header.item_count);
  }
  void operator()(const SnapshotBlock& block) {
    auto builder = to.initBlock();
    builder.setOrdinal(block.ordinal);
    std::visit(ContentWriter{builder}, block.content);
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
    constexpr std::size_t kSettingBytes = 48;
    return kMemberBytes * (1 + header.configuration->members.size()) +
           kSettingBytes * kv::kSettings.size();
  }
  std::size_t operator()(const SnapshotBlock& block) const {
    return std::visit(*this, block.content);
  }
  std::size_t operator()(const SnapshotItems& block) const { return of(block.items); }
  std::size_t operator()(const SnapshotLeases& block) const { return of(block.leases); }
  std::size_t operator()(const SnapshotSessions& block) const { return of(block.sessions); }
  std::size_t operator()(const SnapshotChanges& block) const {
    std::size_t size = 0;
    for (const kv::Change& change : block.changes) size += snapshot_change_bytes(change);
    return size;
  }
  static std::size_t of(const std::vector<kv::ItemRef>& items) {
    std::size_t size = 0;
    for (const kv::ItemRef& item : items) size += kv::written_bytes(*item);
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
  const auto settings = kv::read_settings(from.getSettings());
  if (!settings) return std::unexpected(settings.error());
  return SnapshotHeader{
      .configuration_index = raft::Index(from.getConfigurationIndex()),
      .configuration = std::move(*configuration),
      .state = {.revision = kv::Revision(from.getRevision()),
                .compacted = kv::Revision(from.getCompactedRevision()),
                .next_lease = kv::LeaseId(from.getNextLease()),
                .next_session = kv::SessionId(from.getNextSession()),
                .settings = *settings,
                .digest_check = {from.getDigestCheckNumber(), from.getDigestCheckDigest()}},
      .item_count = from.getItemCount()};
}

std::vector<kv::Change> read_changes(capnp::List<proto::Change>::Reader from) {
  std::vector<kv::Change> changes;
  changes.reserve(from.size());
  for (const proto::Change::Reader change : from) {
    changes.push_back({kv::Revision(change.getRevision()),
                       change.hasBefore() ? kv::read_item(change.getBefore()) : kv::ItemRef(),
                       change.hasAfter() ? kv::read_item(change.getAfter()) : kv::ItemRef()});
  }
  return changes;
}

Result<SnapshotPart> read_block(proto::SnapshotBlock::Reader from) {
  switch (from.which()) {
    case proto::SnapshotBlock::ITEMS:
      return SnapshotBlock{from.getOrdinal(), SnapshotItems{kv::read_items(from.getItems())}};
    case proto::SnapshotBlock::CHANGES:
      return SnapshotBlock{from.getOrdinal(), SnapshotChanges{read_changes(from.getChanges())}};
    case proto::SnapshotBlock::LEASES:
      return SnapshotBlock{from.getOrdinal(), SnapshotLeases{kv::read_items(from.getLeases())}};
    case proto::SnapshotBlock::SESSIONS:
      return SnapshotBlock{from.getOrdinal(), SnapshotSessions{kv::read_items(from.getSessions())}};
  }
  return failure("a block is of a kind that this version does not know");
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

std::size_t snapshot_change_bytes(const kv::Change& change) {
  constexpr std::size_t kElementBytes = 24;
  return kElementBytes + (change.before ? kv::written_bytes(*change.before) : 0) +
         (change.after ? kv::written_bytes(*change.after) : 0);
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
