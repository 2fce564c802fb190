#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/codec/frame.h"

namespace anchor::fuzz {

inline ByteView as_view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

// The input with the header that its contents should have, and without what is no whole word: no
// fuzzer guesses a checksum, and behind it is where the decoder must trust nothing.
inline Bytes mend_frame(ByteView input) {
  constexpr std::size_t kChecksumBytes = 4;
  constexpr std::size_t kWordBytes = 8;
  if (input.size() < codec::kFrameHeaderBytes) return Bytes::copy_of(input);
  const std::size_t words = input.size() / kWordBytes;
  Buffer frame(words * kWordBytes);
  std::memcpy(frame.data(), input.data(), frame.size());
  const auto store = [&](std::size_t offset, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) frame.data()[offset + i] = std::byte(value >> (8 * i));
  };
  store(kChecksumBytes, static_cast<std::uint32_t>(words - 1));
  store(0, crc32c(frame.span().subspan(kChecksumBytes)));
  return std::move(frame).freeze();
}

// Whatever decodes at all says the same when it is encoded and decoded again.
template <typename Decode, typename Encode, typename Same = std::equal_to<>>
void check_round_trip(const Bytes& bytes, const Decode& decode, const Encode& encode,
                      const Same& same = {}) {
  const auto value = decode(bytes);
  if (!value) return;
  const auto again = decode(encode(*value));
  ANCHOR_ASSERT(again.has_value(), again.error().message);
  ANCHOR_ASSERT(same(*value, *again));
}

}  // namespace anchor::fuzz
