#include "core/base/crc32c.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace anchor {
namespace {

using std::string_view_literals::operator""sv;

// The same by both ways, or a failed test.
std::uint32_t checksum(std::string_view text) {
  const std::uint32_t quick = crc32c(as_bytes(text));
  EXPECT_EQ(quick, crc32c_portable(as_bytes(text)));
  return quick;
}

// The vectors of RFC 3720, appendix B.4.
TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  EXPECT_EQ(checksum(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(checksum(std::string(32, '\xff')), 0x62a8ab43U);

  std::string counted;
  for (char byte = 0; byte < 32; ++byte) counted.push_back(byte);
  EXPECT_EQ(checksum(counted), 0x46dd794eU);
  std::ranges::reverse(counted);
  EXPECT_EQ(checksum(counted), 0x113fdb5cU);

  // An iSCSI SCSI Read (10) command.
  constexpr std::string_view kRead =
      "\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
      "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"sv;
  EXPECT_EQ(checksum(kRead), 0xd9963a56U);
}

TEST(Crc32c, AgreesWithTheCheckValueOfItsCatalogue) {
  EXPECT_EQ(checksum("123456789"), 0xe3069283U);
  EXPECT_EQ(checksum(""), 0U);
}

RC_GTEST_PROP(Crc32cProperty, IsTheSameWithAndWithoutTheProcessorsHelp,
              (const std::string& text, std::uint32_t crc)) {
  RC_ASSERT(crc32c(as_bytes(text), crc) == crc32c_portable(as_bytes(text), crc));
}

RC_GTEST_PROP(Crc32cProperty, IsTheSameAtAnyAlignment, (const std::string& text)) {
  for (std::size_t offset = 0; offset < 8; ++offset) {
    const std::string shifted = std::string(offset, 'x') + text;
    RC_ASSERT(crc32c(as_bytes(shifted).subspan(offset)) == crc32c(as_bytes(text)));
  }
}

RC_GTEST_PROP(Crc32cProperty, ContinuesFromAnEarlierOne,
              (const std::string& first, const std::string& second)) {
  RC_ASSERT(crc32c(as_bytes(second), crc32c(as_bytes(first))) == crc32c(as_bytes(first + second)));
}

RC_GTEST_PROP(Crc32cProperty, NoticesEverySingleFlippedBit, (std::string text)) {
  RC_PRE(!text.empty());
  const std::uint32_t before = crc32c(as_bytes(text));
  const auto place = *rc::gen::inRange<std::size_t>(0, text.size());
  const int bit = *rc::gen::inRange(0, 8);
  text[place] = static_cast<char>(text[place] ^ (1 << bit));
  RC_ASSERT(crc32c(as_bytes(text)) != before);
}

}  // namespace
}  // namespace anchor
