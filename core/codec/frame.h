#pragma once

#include <cstdint>
#include <expected>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/flat_message.h"

namespace anchor::codec {

// A frame is what anchor stores and sends: 4 bytes CRC32C of all that follows, 4 bytes length of
// the message in words, both little-endian, and the message.
inline constexpr std::size_t kFrameHeaderBytes = 8;

// Builds a frame around a message of the schema that `fill` writes; `body_bytes` is a guess at its
// size.
template <typename Root, typename Fill>
Bytes encode_frame(std::size_t body_bytes, const Fill& fill);

// The size of the whole frame, as its header states it. Requires: kFrameHeaderBytes bytes, which
// need not be trusted.
std::uint64_t stated_frame_bytes(ByteView header);

// The message within a frame, its checksum verified; a slice of the frame.
Result<Bytes> open_frame(const Bytes& frame);

// Fills in the header of a frame whose message is in place.
Bytes seal_frame(wire::FlatBuilder& builder);

template <typename Root, typename Fill>
Bytes encode_frame(std::size_t body_bytes, const Fill& fill) {
  wire::FlatBuilder builder(kFrameHeaderBytes, body_bytes);
  fill(builder.init_root<Root>());
  return seal_frame(builder);
}

// What `read` makes of the message of the schema Root within a frame: a Result.
template <typename Root, typename Read>
auto decode_frame(const Bytes& frame, const Read& read)
    -> decltype(read(std::declval<typename Root::Reader>())) {
  auto message = open_frame(frame);
  if (!message) return std::unexpected(message.error());
  return wire::read_flat<Root>(std::move(*message), [&](typename Root::Reader reader,
                                                        const Bytes&) { return read(reader); });
}

}  // namespace anchor::codec
