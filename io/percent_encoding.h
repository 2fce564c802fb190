#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace anchor::io {

// The bytes as they may stand in a URI: all but RFC 3986's unreserved characters are encoded, '/'
// too, for a key is one segment and nothing on the way should think it a path.
std::string percent_encoded(std::string_view bytes);

// The bytes that `text` stands for; none if a '%' is not followed by two hexadecimal digits. A '+'
// stays a '+': it stands for a space in forms only.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace anchor::io
