#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/bytes.h"

namespace anchor::codec {

// Golden bytes are kept where fuzzing finds them to begin with: fuzz/corpus/TARGET/NAME.
inline std::filesystem::path golden_path(const std::string& target, const std::string& name) {
  return std::filesystem::path(ANCHOR_SOURCES) / "fuzz/corpus" / target / name;
}

inline std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    hex += {i % 8 == 0 ? '\n' : ' ', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

// The bytes are those that earlier versions stored and sent, so that these understand them. After a
// change of the format that is meant, ANCHOR_WRITE_GOLDEN=1 makes the tests write the files anew.
inline void expect_golden(const std::string& target, const std::string& name, const Bytes& bytes) {
  const std::filesystem::path path = golden_path(target, name);
  if (std::getenv("ANCHOR_WRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.text();
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string golden(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(hex_of(bytes.text()), hex_of(golden)) << target << "/" << name;
}

}  // namespace anchor::codec
