// Snapshot files as a disk or another node could give them back. A fuzzer guesses no checksum, so
// the frames' are mended. What must hold: a frame that decodes says the same when it is encoded and
// decoded again; how a file is cut makes no difference; and whatever reads at all is a sound store,
// which writes and reads again as the same.

#include "core/codec/snapshot_codec.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/raft/configuration.h"
#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

Result<codec::Snapshot> read(const Bytes& file, std::size_t piece_bytes) {
  codec::SnapshotReader reader;
  for (std::size_t offset = 0; offset < file.size(); offset += piece_bytes) {
    const std::size_t size = std::min(piece_bytes, file.size() - offset);
    if (const auto taken = reader.take(file.view().subspan(offset, size)); !taken) {
      return std::unexpected(taken.error());
    }
  }
  return reader.finish();
}

Bytes written(const codec::Snapshot& snapshot) {
  std::string file;
  codec::SnapshotWriter writer(snapshot.meta, snapshot.store);
  while (const std::optional<Bytes> frame = writer.next()) file += frame->text();
  return Bytes::copy_of(file);
}

bool same(const codec::Snapshot& a, const codec::Snapshot& b) {
  return a.meta.cluster_id == b.meta.cluster_id && a.meta.position == b.meta.position &&
         a.meta.configuration_index == b.meta.configuration_index &&
         *a.meta.configuration == *b.meta.configuration && a.store.digest() == b.store.digest();
}

void check(const Bytes& file) {
  constexpr std::size_t kOddBytes = 13;
  const auto whole = read(file, std::max<std::size_t>(file.size(), 1));
  const auto in_pieces = read(file, kOddBytes);
  ANCHOR_ASSERT(whole.has_value() == in_pieces.has_value());
  if (!whole) {
    ANCHOR_ASSERT(whole.error() == in_pieces.error());
    return;
  }
  ANCHOR_ASSERT(whole->file == in_pieces->file && same(*whole, *in_pieces));
  ANCHOR_ASSERT(whole->file.size_bytes == file.size());
  whole->store.tree().check_invariants();
  ANCHOR_ASSERT(whole->store.digest() == whole->store.recomputed_digest());
  const auto again = read(written(*whole), file.size());
  ANCHOR_ASSERT(again.has_value(), again.error().message);
  ANCHOR_ASSERT(same(*whole, *again));
}

void check_frame(const Bytes& frame) {
  const auto same_bytes = [](const codec::SnapshotFrame& a, const codec::SnapshotFrame& b) {
    return codec::encode_snapshot_frame(a) == codec::encode_snapshot_frame(b);
  };
  check_round_trip(frame, codec::decode_snapshot_frame, codec::encode_snapshot_frame, same_bytes);
}

// Each frame with the checksum that it should have, and looked at by itself. One that states more
// than there is gets the rest, with its length mended too.
Bytes mend_frames(ByteView input) {
  std::string file;
  while (input.size() >= codec::kFrameHeaderBytes) {
    const std::uint64_t stated = codec::stated_frame_bytes(input);
    const std::size_t size = std::min<std::uint64_t>(stated, input.size());
    const Bytes frame = mend_frame(input.first(size));
    check_frame(frame);
    file += frame.text();
    input = input.subspan(size);
  }
  return Bytes::copy_of(file + std::string(as_text(input)));
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = anchor::fuzz::as_view(data, size);
  anchor::fuzz::check(anchor::Bytes::copy_of(input));
  anchor::fuzz::check(anchor::fuzz::mend_frames(input));
  return 0;
}
