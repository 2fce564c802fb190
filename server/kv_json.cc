#include "server/kv_json.h"

#include "core/base/text.h"

namespace anchor::server {
namespace {

void put_bytes(nlohmann::ordered_json& json, const char* name, const char* encoding_name,
               std::string_view bytes) {
  if (valid_utf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name] = base64(as_bytes(bytes));
    json[encoding_name] = "base64";
  }
}

}  // namespace

nlohmann::ordered_json item_json(const kv::ItemRef& item) {
  if (!item) return nullptr;
  nlohmann::ordered_json json;
  put_bytes(json, "key", "key_encoding", item->key());
  put_bytes(json, "value", "encoding", as_text(item->value()));
  json["create_revision"] = item->create_revision().value();
  json["mod_revision"] = item->mod_revision().value();
  json["version"] = item->version();
  json["lease"] = item->lease().value();
  return json;
}

}  // namespace anchor::server
