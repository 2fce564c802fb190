#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/time.h"

namespace anchor::sim {

// What is to happen, in the order of time; at the same time, in the order in which it was
// scheduled.
template <typename Event>
class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  Instant next_time() const { return heap_.front().at; }

  void schedule(Instant at, Event event) {
    heap_.push_back({at, ++last_ordinal_, std::move(event)});
    std::ranges::push_heap(heap_, std::ranges::greater{}, &Entry::order);
  }

  // Requires: not empty.
  std::pair<Instant, Event> take() {
    ANCHOR_ASSERT(!heap_.empty());
    std::ranges::pop_heap(heap_, std::ranges::greater{}, &Entry::order);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    return {entry.at, std::move(entry.event)};
  }

 private:
  struct Entry {
    Instant at;
    std::uint64_t ordinal;
    Event event;
    std::pair<Instant, std::uint64_t> order() const { return {at, ordinal}; }
  };

  std::vector<Entry> heap_;
  std::uint64_t last_ordinal_ = 0;
};

}  // namespace anchor::sim
