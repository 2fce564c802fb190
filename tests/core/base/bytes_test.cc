#include "core/base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace anchor {
namespace {

TEST(Bytes, ADefaultOneIsEmpty) {
  const Bytes bytes;
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(bytes.text(), "");
  EXPECT_EQ(bytes, Bytes::copy_of(""));
}

TEST(Bytes, ACopyOwnsItsContents) {
  std::string text = "abc";
  const Bytes bytes = Bytes::copy_of(text);
  text = "xyz";
  EXPECT_EQ(bytes.text(), "abc");
}

TEST(Bytes, HoldsNulBytes) {
  const std::string text("a\0b\0", 4);
  EXPECT_EQ(Bytes::copy_of(text).text(), text);
}

TEST(Bytes, AreEqualByContentsAndNotByBuffer) {
  EXPECT_EQ(Bytes::copy_of("abc"), Bytes::copy_of("abc"));
  EXPECT_NE(Bytes::copy_of("abc"), Bytes::copy_of("abd"));
  EXPECT_NE(Bytes::copy_of("abc"), Bytes::copy_of("ab"));
}

TEST(Bytes, ASliceSharesTheBuffer) {
  const Bytes whole = Bytes::copy_of("hello world");
  const Bytes part = whole.slice(6, 5);
  EXPECT_EQ(part.text(), "world");
  EXPECT_EQ(part.data(), whole.data() + 6);
}

TEST(Bytes, ASliceOutlivesWhatItWasCutFrom) {
  Bytes part;
  {
    const Bytes whole = Bytes::copy_of("hello world");
    part = whole.slice(0, 5);
  }
  EXPECT_EQ(part.text(), "hello");
}

TEST(Bytes, SlicesByAViewOfItself) {
  const Bytes whole = Bytes::copy_of("hello world");
  const Bytes part = whole.slice(whole.view().subspan(6));
  EXPECT_EQ(part.text(), "world");
  EXPECT_EQ(part.data(), whole.data() + 6);
}

TEST(Bytes, AnEmptySliceKeepsNoBufferAlive) {
  const Bytes whole = Bytes::copy_of("hello");
  EXPECT_EQ(whole.slice(5, 0).data(), nullptr);
  EXPECT_EQ(whole.slice(ByteView{}).data(), nullptr);
}

RC_GTEST_PROP(BytesProperty, ASliceOfASliceIsThatPartOfTheText, (const std::string& text)) {
  const auto place_in = [](std::size_t size) {
    return *rc::gen::inRange<std::size_t>(0, size + 1);
  };
  const Bytes whole = Bytes::copy_of(text);
  const std::size_t first = place_in(text.size());
  const std::size_t outer = place_in(text.size() - first);
  const std::size_t second = place_in(outer);
  const std::size_t inner = place_in(outer - second);
  RC_ASSERT(whole.slice(first, outer).slice(second, inner).text() ==
            text.substr(first + second, inner));
}

TEST(BytesDeathTest, ASliceBeyondTheEndIsABug) {
  const Bytes bytes = Bytes::copy_of("abc");
  EXPECT_DEATH(static_cast<void>(bytes.slice(2, 2)), "assertion failed");
  // A size that would wrap around must not pass for a small one.
  EXPECT_DEATH(static_cast<void>(bytes.slice(2, SIZE_MAX)), "assertion failed");
  const Bytes other = Bytes::copy_of("abc");
  EXPECT_DEATH(static_cast<void>(bytes.slice(other.view())), "assertion failed");
}

TEST(Buffer, StartsZeroedAndAligned) {
  Buffer buffer(13);
  EXPECT_EQ(buffer.size(), 13U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 8, 0U);
  for (const std::byte byte : buffer.span()) EXPECT_EQ(byte, std::byte{0});
}

TEST(Buffer, FreezesWithoutCopying) {
  Buffer buffer(3);
  std::memcpy(buffer.data(), "abc", 3);
  const std::byte* data = buffer.data();
  const Bytes bytes = std::move(buffer).freeze();
  EXPECT_EQ(bytes.text(), "abc");
  EXPECT_EQ(bytes.data(), data);
}

TEST(Buffer, FreezesAsMuchOfItAsWasFilled) {
  Buffer buffer(8);
  std::memcpy(buffer.data(), "abc", 3);
  EXPECT_EQ(std::move(buffer).freeze(3).text(), "abc");
}

}  // namespace
}  // namespace anchor
