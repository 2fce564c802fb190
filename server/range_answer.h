#pragma once

#include <cstdint>

#include "core/kv/range_view.h"
#include "io/http_message.h"

namespace anchor::server {

// How the keys of a range are listed: a page at a time, which ends at the limit, or when it has
// grown to some megabytes.
struct PageOptions {
  std::uint64_t limit = 0;  // zero: none
  bool keys_only = false;
  bool count_only = false;
  bool reverse = false;
};

// The JSON of a page, made as the client takes it: however long it is, no more than a part of it is
// there at a time, and the store goes on.
io::HttpParts list_parts(kv::RangeView view, const PageOptions& page);

}  // namespace anchor::server
