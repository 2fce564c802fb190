#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace anchor::server {

// Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool valid_utf8(std::string_view text);

// RFC 4648, section 4, with padding.
std::string base64(ByteView bytes);

// 16 lower-case hexadecimal digits.
std::string hex16(std::uint64_t value);

}  // namespace anchor::server
