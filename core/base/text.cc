#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace anchor {
namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Unit {
  std::string_view name;
  Duration size;
};
constexpr std::array kUnits = std::to_array<Unit>({{"us", 1us},
                                                   {"ms", 1ms},
                                                   {"s", 1s},
                                                   {"m", std::chrono::minutes(1)},
                                                   {"h", std::chrono::hours(1)}});

// Of any unit; so that neither a duration nor the sum of two overflows.
constexpr std::uint64_t kMostOfAUnit = 1'000'000'000;

// The bytes of the character that begins `text`, or zero if none does (RFC 3629, section 4).
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (!text.empty()) {
    // Most text is ASCII, and long values are checked on every read.
    if (text.size() >= 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data(), sizeof(eight));
      if ((eight & kHighBits) == 0) {
        text.remove_prefix(8);
        continue;
      }
    }
    const std::size_t size = character_bytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? std::to_integer<unsigned>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= count ? kBase64Digits[group >> (18 - 6 * j) & 63] : '=');
    }
  }
  return text;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string_view digits = text;
  for (int padding = 0; padding < 2 && digits.ends_with('='); ++padding) digits.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  // Bits that do not make a byte yet.
  unsigned rest = 0;
  unsigned rest_bits = 0;
  for (const char digit : digits) {
    const std::size_t value = kBase64Digits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    rest = rest << 6 | static_cast<unsigned>(value);
    rest_bits += 6;
    if (rest_bits < 8) continue;
    rest_bits -= 8;
    bytes.push_back(static_cast<char>(rest >> rest_bits));
    rest &= (1U << rest_bits) - 1;
  }
  // Other bits than zero would be a second way to write the same bytes (RFC 4648, section 3.5).
  if (rest != 0) return std::nullopt;
  return bytes;
}

std::string hex16(std::uint64_t value) {
  std::string digits(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  return digits;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  const auto number = parse_number(text);
  if (number && *number >= low && *number <= high) return *number;
  return failure("'" + std::string(text) + "' is not a number from " + std::to_string(low) +
                 " to " + std::to_string(high));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  struct SizeUnit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr std::uint64_t kKibi = 1024;
  constexpr std::array<SizeUnit, 5> kSizes = {
      {{"", 1}, {"B", 1}, {"KiB", kKibi}, {"MiB", kKibi * kKibi}, {"GiB", kKibi * kKibi * kKibi}}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number(text.substr(0, digits));
  const auto unit = std::ranges::find(kSizes, text.substr(digits), &SizeUnit::name);
  if (!number || unit == kSizes.end() || *number > UINT64_MAX / unit->bytes) {
    return failure("'" + std::string(text) + "' is no size such as 64MiB, 512KiB or 4096");
  }
  return *number * unit->bytes;
}

Result<Duration> parse_duration(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number(text.substr(0, digits));
  const auto unit = std::ranges::find(kUnits, text.substr(digits), &Unit::name);
  if (!number || *number > kMostOfAUnit || unit == kUnits.end()) {
    return failure("'" + std::string(text) + "' is no duration such as 300ms, 5s or 1m");
  }
  return unit->size * static_cast<Duration::rep>(*number);
}

Result<std::uint32_t> parse_percent_ppm(std::string_view text) {
  constexpr std::size_t kFractionDigits = 4;
  constexpr std::uint64_t kMostPercent = 100;
  const auto bad = failure("'" + std::string(text) + "' is no percentage such as 1% or 0.5%");
  if (!text.ends_with('%')) return bad;
  text.remove_suffix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  const bool point_alone = point < text.size() && fraction.empty();
  if (point_alone || fraction.size() > kFractionDigits) return bad;
  fraction.resize(kFractionDigits, '0');
  const auto whole = parse_number(text.substr(0, point));
  const auto rest = parse_number(fraction);
  if (!whole || !rest || *whole > kMostPercent) return bad;
  return static_cast<std::uint32_t>(*whole * 10'000 + *rest);
}

}  // namespace anchor
