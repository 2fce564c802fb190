#include "server/kv_json.h"

#include "io/json_bytes.h"

namespace anchor::server {

nlohmann::ordered_json item_json(const kv::ItemRef& item, bool key_only) {
  if (!item) return nullptr;
  nlohmann::ordered_json json;
  io::put_bytes(json, "key", "key_encoding", item->key());
  if (!key_only) io::put_bytes(json, "value", "encoding", as_text(item->value()));
  json["create_revision"] = item->create_revision().value();
  json["mod_revision"] = item->mod_revision().value();
  json["version"] = item->version();
  json["lease"] = item->lease().value();
  return json;
}

}  // namespace anchor::server
