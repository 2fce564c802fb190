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

void write_items(capnp::List<proto::KeyValue>::Builder to, const std::vector<ItemRef>& items) {
  for (unsigned i = 0; i < to.size(); ++i) write_item(to[i], *items[i]);
}

std::vector<ItemRef> read_items(capnp::List<proto::KeyValue>::Reader from) {
  std::vector<ItemRef> items;
  items.reserve(from.size());
  for (const proto::KeyValue::Reader item : from) items.push_back(read_item(item));
  return items;
}

std::vector<SettingValue> read_setting_values(capnp::List<proto::SettingValue>::Reader from) {
  std::vector<SettingValue> values;
  for (const auto& value : from) {
    values.push_back({std::string(wire::as_text(value.getName())), value.getValue()});
  }
  return values;
}

void write_settings(capnp::List<proto::SettingValue>::Builder to, const Settings& settings) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setName({kSettings[i].name.data(), kSettings[i].name.size()});
    to[i].setValue(settings.*kSettings[i].value);
  }
}

Result<Settings> read_settings(capnp::List<proto::SettingValue>::Reader from) {
  Settings settings;
  const std::vector<SettingValue> values = read_setting_values(from);
  if (values.size() != kSettings.size() || !change(settings, values)) {
    return failure("its settings are not those that this anchor knows");
  }
  return settings;
}

}  // namespace anchor::kv
