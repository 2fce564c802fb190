#pragma once

#include "core/kv/item.h"
#include "proto/command.capnp.h"

namespace anchor::kv {

// An item's place in a schema, in answers as in snapshots.
void write_item(proto::KeyValue::Builder to, const Item& item);
ItemRef read_item(proto::KeyValue::Reader from);

}  // namespace anchor::kv
