#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace anchor::cli {

// "300ms", "5s", "2m". Requires of the text: a whole number and one of the units us, ms, s, m, h.
Result<Duration> parse_duration(std::string_view text);

// The bytes as they may stand in a path: all but RFC 3986's unreserved characters are encoded, '/'
// too, for a key is one segment and nothing on the way should think it a path.
std::string percent_encoded(std::string_view bytes);

bool is_utf8(std::string_view bytes);

// RFC 4648, section 4, with padding.
std::string base64(ByteView bytes);
// None if `text` is not what base64() makes.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace anchor::cli
