#include "io/percent_encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace anchor::io {
namespace {

TEST(PercentEncoded, LeavesOnlyWhatHasNoMeaningInAUri) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("config/db url?#%+"), "config%2Fdb%20url%3F%23%25%2B");
  EXPECT_EQ(percent_encoded(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(PercentDecoded, TakesDigitsOfEitherCaseAndLeavesThePlus) {
  EXPECT_EQ(percent_decoded("a%2Fb%2fc+d"), "a/b/c+d");
}

TEST(PercentDecoded, RefusesWhatIsNoEncoding) {
  for (const char* text : {"%", "a%2", "%2x", "%x2", "%-1", "%+1", "% 1", "%%41"}) {
    EXPECT_EQ(percent_decoded(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(PercentEncoding, DecodesToWhatWasEncoded, (const std::string& bytes)) {
  RC_ASSERT(percent_decoded(percent_encoded(bytes)) == bytes);
}

}  // namespace
}  // namespace anchor::io
