#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/base/time.h"

namespace anchor {

// When each of many things is due, by an id: the earliest is at hand.
template <typename Id>
class Deadlines {
 public:
  std::size_t size() const { return of_.size(); }
  void set(Id id, Instant at) {
    // Mostly it is the newest, of which there may be many: when a leader begins.
    const std::size_t before = of_.size();
    const auto found = of_.try_emplace(of_.end(), id, at);
    if (of_.size() == before) {
      order_.erase({found->second, id});
      found->second = at;
    }
    order_.emplace_hint(order_.end(), at, id);
  }
  void erase(Id id) {
    const auto found = of_.find(id);
    if (found == of_.end()) return;
    order_.erase({found->second, id});
    of_.erase(found);
  }
  void clear() {
    of_.clear();
    order_.clear();
  }

  // None: there are none, or not for this id.
  std::optional<Instant> next() const {
    return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
  }
  std::optional<Instant> of(Id id) const {
    const auto found = of_.find(id);
    return found == of_.end() ? std::nullopt : std::optional(found->second);
  }
  // Whose deadline is the earliest. Requires: there is one.
  Id first() const { return order_.begin()->second; }
  // Forgets those for which it is true.
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(of_, [&](const auto& each) {
      if (!predicate(each.first)) return false;
      order_.erase({each.second, each.first});
      return true;
    });
  }

 private:
  std::map<Id, Instant> of_;
  std::set<std::pair<Instant, Id>> order_;
};

// time * parts / of, also where the product would overflow. Requires: parts * of is small.
constexpr Duration share(Duration time, std::int64_t parts, std::int64_t of) {
  return time / of * parts + time % of * parts / of;
}

// So long by a clock that runs fast that it is no less than `time` by one that runs slow, each by
// as much as is allowed.
constexpr Duration lengthened(Duration time, std::int64_t max_clock_drift_ppm) {
  constexpr std::int64_t kMillion = 1'000'000;
  return time + share(time, 2 * max_clock_drift_ppm, kMillion - max_clock_drift_ppm) + 1ms;
}

// What such a time is at least by the clock that runs slow.
constexpr Duration shortened(Duration time, std::int64_t max_clock_drift_ppm) {
  constexpr std::int64_t kMillion = 1'000'000;
  time -= 1ms;
  return time - share(time, 2 * max_clock_drift_ppm, kMillion + max_clock_drift_ppm);
}

}  // namespace anchor
