#include "core/codec/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/base/crc32c.h"
#include "proto/record.capnp.h"
#include "tests/core/codec/damage.h"

namespace anchor::codec {
namespace {

// A message of two words: the root's pointer, and a text of up to eight bytes.
Bytes frame_of_text(std::size_t guess_bytes) {
  return encode_frame<proto::Member>(guess_bytes, [](proto::Member::Builder member) {
    member.setIncarnation(5);
    member.setId("n1");
  });
}

TEST(Frame, BeginsWithChecksumAndLengthInWords) {
  const Bytes frame = frame_of_text(64);
  const ByteView bytes = frame.view();
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i > 0; --i) {
      value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i - 1]);
    }
    return value;
  };
  EXPECT_EQ(number(0), crc32c(bytes.subspan(4)));
  EXPECT_EQ(number(4) * 8, frame.size() - kFrameHeaderBytes);
}

TEST(Frame, HoldsTheMessageAsASlice) {
  const Bytes frame = frame_of_text(64);
  const auto message = open_frame(frame);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->data(), frame.data() + kFrameHeaderBytes);
  EXPECT_EQ(message->size(), frame.size() - kFrameHeaderBytes);
}

TEST(Frame, IsTheSameWhateverTheGuessAtItsSize) {
  const Bytes frame = frame_of_text(4096);
  for (std::size_t guess = 0; guess < 128; ++guess) {
    EXPECT_EQ(frame_of_text(guess), frame) << guess;
  }
}

TEST(Frame, IsRefusedWhenCutShortOrWithAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(frame_of_text(64), open_frame));
}

TEST(Frame, IsRefusedWithBytesAfterIt) {
  const Bytes frame = frame_of_text(64);
  for (const std::size_t count : {1, 7, 8, 4096}) {
    EXPECT_FALSE(open_frame(Bytes::copy_of(std::string(frame.text()) + std::string(count, '\0'))));
  }
}

TEST(Frame, OpensAtAnyAddress) {
  const auto message = open_frame(misaligned(frame_of_text(64)));
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->text(), open_frame(frame_of_text(64))->text());
}

TEST(Frame, StatedLengthCannotOverflow) {
  std::string frame(kFrameHeaderBytes, '\0');
  // 2^29 words more than there are: as many bytes in 32 bits as none.
  frame[7] = 0x20;
  const std::uint32_t checksum = crc32c(as_bytes(frame).subspan(4));
  for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>(checksum >> (8 * i));
  EXPECT_FALSE(open_frame(Bytes::copy_of(frame)));
}

}  // namespace
}  // namespace anchor::codec
