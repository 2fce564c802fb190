#include "core/codec/frame.h"

#include "core/base/crc32c.h"

namespace anchor::codec {
namespace {

constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kWordBytes = 8;

void store_little_endian(std::byte* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint32_t load_little_endian(const std::byte* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

}  // namespace

Bytes seal_frame(wire::FlatBuilder& builder) {
  std::size_t size = 0;
  Buffer buffer = builder.finish(&size);
  const auto words = static_cast<std::uint32_t>((size - kFrameHeaderBytes) / kWordBytes);
  store_little_endian(buffer.data() + kChecksumBytes, words);
  const ByteView covered(buffer.data() + kChecksumBytes, size - kChecksumBytes);
  store_little_endian(buffer.data(), crc32c(covered));
  return std::move(buffer).freeze(size);
}

std::uint64_t stated_frame_bytes(ByteView header) {
  return kFrameHeaderBytes + load_little_endian(header.data() + kChecksumBytes) * kWordBytes;
}

Result<Bytes> open_frame(const Bytes& frame) {
  if (frame.size() < kFrameHeaderBytes) return failure("the frame is cut short");
  const std::size_t size = frame.size() - kFrameHeaderBytes;
  if (stated_frame_bytes(frame.view()) != frame.size()) {
    return failure("the frame's length is not the one that it states");
  }
  if (load_little_endian(frame.data()) != crc32c(frame.view().subspan(kChecksumBytes))) {
    return failure("the frame's checksum does not match");
  }
  return frame.slice(kFrameHeaderBytes, size);
}

}  // namespace anchor::codec
