#include "server/text.h"

#include <gtest/gtest.h>

#include <string>

namespace anchor::server {
namespace {

TEST(Text, KnowsWellFormedUtf8) {
  using std::string_view_literals::operator""sv;
  for (const auto good : {""sv, "a"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
                          "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
                          "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv}) {
    EXPECT_TRUE(valid_utf8(good)) << base64(as_bytes(good));
    EXPECT_TRUE(valid_utf8("12345678" + std::string(good) + "abcdefg"));
  }
  for (const auto bad : {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv,
                         "\xe0\x9f\xbf"sv, "\xe1\x80"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv,
                         "\xf1\x80\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv}) {
    EXPECT_FALSE(valid_utf8(bad)) << base64(as_bytes(bad));
    EXPECT_FALSE(valid_utf8("12345678" + std::string(bad)));
    EXPECT_FALSE(valid_utf8(std::string(bad) + "12345678"));
  }
}

// The vectors of RFC 4648, section 10.
TEST(Text, EncodesBase64) {
  EXPECT_EQ(base64(as_bytes("")), "");
  EXPECT_EQ(base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(base64(as_bytes("\xff\xfe\xfd")), "//79");
}

TEST(Text, WritesSixteenHexadecimalDigits) {
  EXPECT_EQ(hex16(0), "0000000000000000");
  EXPECT_EQ(hex16(0x0123456789abcdef), "0123456789abcdef");
}

}  // namespace
}  // namespace anchor::server
