#include "cli/text.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace anchor::cli {
namespace {

TEST(ParseDuration, TakesAWholeNumberAndAUnit) {
  EXPECT_EQ(parse_duration("300ms"), 300ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("2m"), Duration(120s));
  EXPECT_EQ(parse_duration("1h"), Duration(std::chrono::hours(1)));
}

TEST(ParseDuration, NamesWhatItDoesNotTake) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "1.5s", "5sec", "99999999999s"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message,
              "'" + std::string(text) + "' is no duration such as 300ms, 5s or 1m");
  }
}

TEST(PercentEncoded, LeavesOnlyWhatHasNoMeaningInAUrl) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("config/db url?#%+"), "config%2Fdb%20url%3F%23%25%2B");
  EXPECT_EQ(percent_encoded(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(IsUtf8, TellsTextFromBytes) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f"));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
}

TEST(Base64, IsThatOfRfc4648) {
  EXPECT_EQ(base64(as_bytes("")), "");
  EXPECT_EQ(base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64_decoded("Zm8"), std::nullopt);
  EXPECT_EQ(base64_decoded("Zm*="), std::nullopt);
  EXPECT_EQ(base64_decoded("===="), std::nullopt);
  EXPECT_EQ(base64_decoded("Z==="), std::nullopt);
  EXPECT_EQ(base64_decoded("Zg==Zg=="), std::nullopt);
}

RC_GTEST_PROP(Base64, DecodesToWhatWasEncoded, (const std::string& bytes)) {
  RC_ASSERT(base64_decoded(base64(as_bytes(bytes))) == bytes);
}

}  // namespace
}  // namespace anchor::cli
