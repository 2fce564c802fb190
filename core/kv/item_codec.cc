#include "core/kv/item_codec.h"

#include "core/wire/flat_message.h"

namespace anchor::kv {

void write_item(proto::KeyValue::Builder to, const Item& item) {
  to.setKey(wire::as_data(item.key()));
  to.setValue(wire::as_data(item.value()));
  to.setCreateRevision(item.create_revision().value());
  to.setModRevision(item.mod_revision().value());
  to.setVersion(item.version());
  to.setLease(item.lease().value());
}

ItemRef read_item(proto::KeyValue::Reader from) {
  const Item::Fields fields{.create_revision = Revision(from.getCreateRevision()),
                            .mod_revision = Revision(from.getModRevision()),
                            .version = from.getVersion(),
                            .lease = LeaseId(from.getLease())};
  return Item::create(anchor::as_text(wire::as_view(from.getKey())), wire::as_view(from.getValue()),
                      fields);
}

}  // namespace anchor::kv
