#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/text.h"

namespace anchor::io {

// Sets a member of a JSON object, of whichever library, to bytes: to a string where they are UTF-8,
// else to base64, with "base64" under `encoding_name` beside it.
template <typename Json>
void put_bytes(Json& json, const char* name, const char* encoding_name, std::string_view bytes) {
  if (valid_utf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name] = base64(as_bytes(bytes));
    json[encoding_name] = "base64";
  }
}

// The same, appended to a JSON text: `"name":"...",` with its comma. For what there is much of.
void append_bytes(std::string& json, std::string_view name, std::string_view encoding_name,
                  std::string_view bytes);

}  // namespace anchor::io
