#include "server/kv_json.h"

#include "io/json_bytes.h"

namespace anchor::server {

void append_item(std::string& json, const kv::Item& item, bool key_only) {
  json.push_back('{');
  io::append_bytes(json, "key", "key_encoding", item.key());
  if (!key_only) io::append_bytes(json, "value", "encoding", as_text(item.value()));
  append_number(json, "create_revision", item.create_revision().value());
  json.push_back(',');
  append_number(json, "mod_revision", item.mod_revision().value());
  json.push_back(',');
  append_number(json, "version", item.version());
  json.push_back(',');
  append_number(json, "lease", item.lease().value());
  json.push_back('}');
}

void append_previous(std::string& json, const kv::ItemRef& previous) {
  json.append(",\"prev\":");
  if (previous) {
    append_item(json, *previous);
  } else {
    json.append("null");
  }
}

void append_items(std::string& json, const std::vector<kv::ItemRef>& items, bool keys_only) {
  json.push_back('[');
  for (const kv::ItemRef& item : items) {
    if (&item != &items.front()) json.push_back(',');
    append_item(json, *item, keys_only);
  }
  json.push_back(']');
}

void append_number(std::string& json, std::string_view name, std::uint64_t number) {
  json.append(1, '"').append(name).append("\":").append(std::to_string(number));
}

std::uint64_t whole_milliseconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

}  // namespace anchor::server
