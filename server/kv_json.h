#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/kv/item.h"

namespace anchor::server {

// Key-values as JSON, appended to a text: there may be many. Key and value are strings where they
// are UTF-8, and else base64, with "key_encoding" or "encoding" beside them.
void append_item(std::string& json, const kv::Item& item, bool key_only = false);
// `,"prev":...`; null: there was none.
void append_previous(std::string& json, const kv::ItemRef& previous);
// A list of them. Requires: none is null.
void append_items(std::string& json, const std::vector<kv::ItemRef>& items, bool keys_only = false);
// Rounded up: neither is data older, nor has a lease less time, than is said.
std::uint64_t whole_milliseconds(Duration time);
// `"name":number`
void append_number(std::string& json, std::string_view name, std::uint64_t number);

}  // namespace anchor::server
