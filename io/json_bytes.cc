#include "io/json_bytes.h"

namespace anchor::io {
namespace {

// As JSON demands (RFC 8259, section 7), and nothing more.
void append_escaped(std::string& json, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    json.append(text.substr(done, at - done));
    done = at + 1;
    json.push_back('\\');
    if (byte >= 0x20) {
      json.push_back(text[at]);
    } else {
      json.append("u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  json.append(text.substr(done));
}

}  // namespace

void append_bytes(std::string& json, std::string_view name, std::string_view encoding_name,
                  std::string_view bytes) {
  const bool text = valid_utf8(bytes);
  json.append(1, '"').append(name).append("\":\"");
  if (text) {
    append_escaped(json, bytes);
  } else {
    json.append(base64(as_bytes(bytes)));
  }
  json.append("\",");
  if (!text) json.append(1, '"').append(encoding_name).append("\":\"base64\",");
}

}  // namespace anchor::io
