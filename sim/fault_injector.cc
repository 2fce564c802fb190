#include "sim/fault_injector.h"

#include <algorithm>
#include <utility>

namespace anchor::sim {

FaultInjector::FaultInjector(const Mix& mix, Cluster& cluster, Workload& workload, Choices& choices,
                             FaultCounts& counts)
    : faults_(mix.faults),
      cluster_(cluster),
      workload_(workload),
      choices_(choices),
      counts_(counts) {}

void FaultInjector::start() {
  repeat(faults_.partitions, [this] { partition(any_node()); });
  repeat(faults_.resets, [this] {
    const std::size_t from = any_node();
    const std::size_t to = any_node();
    if (from == to) return;
    ++counts_.resets;
    cluster_.reset_connection(from, to);
  });
  cluster_.on_crash([this](std::size_t node) { restart_later(node); });
  repeat(faults_.crashes, [this] {
    const std::size_t node = any_node();
    if (!cluster_.node(node).up()) return;
    ++counts_.crashes;
    cluster_.crash(node);
    restart_later(node);
  });
  repeat(faults_.pauses, [this] {
    const std::size_t node = any_node();
    ++counts_.pauses;
    cluster_.pause(node);
    end_after(faults_.pauses, [this, node] { cluster_.resume(node); });
  });
  repeat(faults_.slow_disks, [this] {
    const std::size_t node = any_node();
    ++counts_.slow_disks;
    cluster_.set_slow_disk(node, true);
    end_after(faults_.slow_disks, [this, node] { cluster_.set_slow_disk(node, false); });
  });
  repeat(faults_.disk_shortages, [this] {
    // Disks of one size that hold the same are full at the same time.
    const std::size_t first = any_node();
    const bool all = choices_.below(2, Stream::kFault) == 0;
    ++counts_.disk_shortages;
    for (std::size_t node = 0; node < cluster_.size(); ++node) {
      if (node != first && !all) continue;
      cluster_.set_short_of_disk(node, true);
      end_after(faults_.disk_shortages, [this, node] { cluster_.set_short_of_disk(node, false); });
    }
  });
  repeat(faults_.damages, [this] {
    const std::size_t node = any_node();
    if (!cluster_.node(node).up() || cluster_.any_damaged()) return;
    ++counts_.damages;
    cluster_.crash(node);
    cluster_.damage(node);
    restart_later(node);
  });
  repeat(faults_.clock_jumps, [this] {
    ++counts_.clock_jumps;
    const Duration forward = choices_.between(0us, faults_.clock_jumps.longest, Stream::kFaultTime);
    cluster_.jump_clock(any_node(), forward);
  });
}

void FaultInjector::repeat(const Episodes& episodes, std::function<void()> begin) {
  if (episodes.every == Duration{}) return;
  const Duration wait = choices_.between(0us, 2 * episodes.every, Stream::kFaultTime);
  cluster_.after(wait, [this, &episodes, begin = std::move(begin)] {
    if (stopped_) return;
    begin();
    repeat(episodes, begin);
  });
}

void FaultInjector::end_after(const Episodes& episodes, std::function<void()> end) {
  const Duration lasts = choices_.between(0us, episodes.longest, Stream::kFaultTime);
  cluster_.after(lasts, [this, end = std::move(end)] {
    if (!stopped_) end();
  });
}

void FaultInjector::partition(std::size_t node) {
  cluster_.network().partition(node);
  end_after(faults_.partitions, [this] { cluster_.network().heal(); });
  if (faults_.crowd == 0 || !cluster_.node(node).up()) return;
  ++counts_.crowds;
  workload_.crowd(node, faults_.crowd);
}

void FaultInjector::restart_later(std::size_t node) {
  // Many are back before anybody has missed them.
  constexpr Duration kShort = 20ms;
  constexpr Duration kLong = 500ms;
  const bool at_once = choices_.below(2, Stream::kFault) == 0;
  const Duration longest = at_once ? kShort : std::max(faults_.crashes.longest, kLong);
  const Episodes down{.every = {}, .longest = longest};
  end_after(down, [this, node] { cluster_.restart(node); });
}

// Often a leader: what happens to it matters most.
std::size_t FaultInjector::any_node() {
  const auto any = static_cast<std::size_t>(choices_.below(cluster_.size(), Stream::kFault));
  if (choices_.below(2, Stream::kFault) == 0) return any;
  for (std::size_t offset = 0; offset < cluster_.size(); ++offset) {
    const std::size_t node = (any + offset) % cluster_.size();
    if (cluster_.node(node).up() && cluster_.node(node).replica->raft().is_leader()) return node;
  }
  return any;
}

}  // namespace anchor::sim
