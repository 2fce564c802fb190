#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/kv/store.h"

// How the store's own code writes; for core/kv/store*.cc alone.
namespace anchor::kv {

class Store::Writing {
 public:
  explicit Writing(Store& store) : store_(store), revision_(store.revision_.next()) {}

  // What was there before; null: nothing. Requires: the lease, if any, is there.
  ItemRef put(std::string_view key, ByteView value, LeaseId lease);
  ItemRef erase(std::string_view key);
  // How many there were; each is shown.
  template <typename Show>
  std::uint64_t erase_range(const KeyRange& range, Show show);

  // The store's revision: a new one if anything was changed.
  Revision finish();

 private:
  void record(ItemRef before, ItemRef after);

  Store& store_;
  Revision revision_;
  bool changed_ = false;
};

template <typename Show>
std::uint64_t Store::Writing::erase_range(const KeyRange& range, Show show) {
  // The view holds what is erased as it was.
  const RangeView view = store_.view(range);
  RangeView::Reader reader(view);
  std::uint64_t count = 0;
  for (; reader.peek(); ++count) {
    const ItemRef item = reader.next();
    show(erase(item->key()));
  }
  return count;
}

}  // namespace anchor::kv
