#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace anchor {

// Values to text and back, the same in every locale.

// Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool valid_utf8(std::string_view text);

// RFC 4648, section 4, with padding.
std::string base64(ByteView bytes);
// None if `text` is not what base64() makes.
std::optional<std::string> base64_decoded(std::string_view text);

// 16 lower-case hexadecimal digits.
std::string hex16(std::uint64_t value);

// Decimal digits and nothing else. None if it is no such number, or too large.
std::optional<std::uint64_t> parse_number(std::string_view text);
// The same, from `low` to `high`; an error names both.
Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high);

// "300ms", "5s", "1m": a whole number and one of the units us, ms, s, m, h.
Result<Duration> parse_duration(std::string_view text);

// "1%", "0.05%": at most four digits after the point, which are parts per million.
Result<std::uint32_t> parse_percent_ppm(std::string_view text);

// Bytes: "64MiB", "512KiB", "2GiB" or "4096": a whole number and one of the units B, KiB, MiB, GiB,
// or none.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace anchor
