#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/kv/item.h"
#include "core/kv/settings.h"
#include "proto/command.capnp.h"

namespace anchor::kv {

// What an item takes up in a list of them: an element, and two byte strings of whole words.
constexpr std::uint64_t written_bytes(std::size_t key_bytes, std::size_t value_bytes) {
  constexpr std::uint64_t kElementBytes = 48;
  const auto whole_words = [](std::size_t bytes) { return (bytes + 7) / 8 * 8; };
  return kElementBytes + whole_words(key_bytes) + whole_words(value_bytes);
}
inline std::uint64_t written_bytes(const Item& item) {
  return written_bytes(item.key().size(), item.value().size());
}

// Where items and settings stand in a schema, in answers as in snapshots.
void write_item(proto::KeyValue::Builder to, const Item& item);
ItemRef read_item(proto::KeyValue::Reader from);
// Requires: none is null, and the list has room for all.
void write_items(capnp::List<proto::KeyValue>::Builder to, const std::vector<ItemRef>& items);
std::vector<ItemRef> read_items(capnp::List<proto::KeyValue>::Reader from);

std::vector<SettingValue> read_setting_values(capnp::List<proto::SettingValue>::Reader from);
// All settings. Requires: the list has room for kSettings.
void write_settings(capnp::List<proto::SettingValue>::Builder to, const Settings& settings);
// An error: they are not those that this version knows.
Result<Settings> read_settings(capnp::List<proto::SettingValue>::Reader from);

}  // namespace anchor::kv
