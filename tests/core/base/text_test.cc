#include "core/base/text.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <limits>

namespace anchor {
namespace {

using std::string_view_literals::operator""sv;

TEST(ValidUtf8, TakesWhatIsWellFormed) {
  for (const auto good : {""sv, "a"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
                          "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
                          "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "gr\xc3\xbc\xc3\x9f"sv}) {
    EXPECT_TRUE(valid_utf8(good)) << base64(as_bytes(good));
    EXPECT_TRUE(valid_utf8("12345678" + std::string(good) + "abcdefg"));
  }
}

TEST(ValidUtf8, RefusesOverlongFormsSurrogatesAndWhatIsCutOff) {
  for (const auto bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc0\xaf"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv,
        "\xe0\x9f\xbf"sv, "\xe1\x80"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv, "\xf1\x80\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv}) {
    EXPECT_FALSE(valid_utf8(bad)) << base64(as_bytes(bad));
    EXPECT_FALSE(valid_utf8("12345678" + std::string(bad)));
    EXPECT_FALSE(valid_utf8(std::string(bad) + "12345678"));
  }
}

TEST(Base64, IsThatOfRfc4648) {
  // The vectors of its section 10, and the digits that no letter reaches.
  EXPECT_EQ(base64(as_bytes("")), "");
  EXPECT_EQ(base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(as_bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(base64(as_bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(base64(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64(as_bytes("\xff\xfe\xfd")), "//79");
}

RC_GTEST_PROP(Base64, DecodesToWhatWasEncoded, (const std::string& bytes)) {
  RC_ASSERT(base64_decoded(base64(as_bytes(bytes))) == bytes);
}

TEST(Base64, DecodesNothingThatItWouldNotHaveEncoded) {
  for (const char* text : {"Zm8", "Zm*=", "====", "Z===", "Zg==Zg==", "Zg=a", "Zg==\n"}) {
    EXPECT_EQ(base64_decoded(text), std::nullopt) << text;
  }
  // The bits that padding leaves over are zero.
  EXPECT_EQ(base64_decoded("Zh=="), std::nullopt);
  EXPECT_EQ(base64_decoded("Zm9="), std::nullopt);
}

TEST(Hex16, WritesSixteenDigits) {
  EXPECT_EQ(hex16(0), "0000000000000000");
  EXPECT_EQ(hex16(0x0123456789abcdef), "0123456789abcdef");
}

TEST(ParseNumber, TakesDigitsAndNothingElse) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("010"), 10U);
  EXPECT_EQ(parse_number("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(ParseNumber, NamesTheBoundsThatItKeeps) {
  EXPECT_EQ(parse_number("1", 1, 9), 1U);
  EXPECT_EQ(parse_number("9", 1, 9), 9U);
  for (const char* text : {"0", "10", "", "x"}) {
    const auto parsed = parse_number(text, 1, 9);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "'" + std::string(text) + "' is not a number from 1 to 9");
  }
}

TEST(ParseDuration, TakesAWholeNumberAndAUnit) {
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("300ms"), 300ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("2m"), Duration(120s));
  EXPECT_EQ(parse_duration("1h"), Duration(std::chrono::hours(1)));
}

TEST(ParseDuration, NamesWhatItDoesNotTake) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "1.5s", "5sec", "5S", "99999999999s"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message,
              "'" + std::string(text) + "' is no duration such as 300ms, 5s or 1m");
  }
}

TEST(ParseDuration, TakesNoneOfWhichTwoWouldOverflow) {
  const auto longest = parse_duration("1000000000h");
  ASSERT_TRUE(longest);
  EXPECT_LE(*longest, Duration::max() / 2);
  EXPECT_FALSE(parse_duration("1000000001h"));
}

}  // namespace
}  // namespace anchor
