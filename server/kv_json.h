#pragma once

#include <nlohmann/json.hpp>

#include "core/kv/item.h"

namespace anchor::server {

// A key-value as JSON; null for null. Key and value are strings where they are UTF-8, and else
// base64, with "key_encoding" or "encoding" beside them.
nlohmann::ordered_json item_json(const kv::ItemRef& item, bool key_only = false);

}  // namespace anchor::server
