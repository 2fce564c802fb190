#include "sim/network.h"

#include <algorithm>
#include <utility>

namespace anchor::sim {

void FaultCounts::add(const FaultCounts& other) {
  lost += other.lost;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  delayed += other.delayed;
  cut += other.cut;
  partitions += other.partitions;
  crowds += other.crowds;
  resets += other.resets;
  crashes += other.crashes;
  crashes_in_step += other.crashes_in_step;
  pauses += other.pauses;
  slow_disks += other.slow_disks;
  disk_shortages += other.disk_shortages;
  clock_jumps += other.clock_jumps;
  damages += other.damages;
  changes += other.changes;
  transfers += other.transfers;
  snapshots_saved += other.snapshots_saved;
  snapshots_received += other.snapshots_received;
}

Network::Network(std::size_t nodes, const Faults& faults, Choices& choices, FaultCounts& counts)
    : nodes_(nodes), faults_(faults), choices_(choices), counts_(counts), links_(nodes * nodes) {}

std::vector<Delivery> Network::send(std::size_t from, std::size_t to, const Bytes& frame,
                                    Instant now) {
  Link& on = link(from, to);
  const std::size_t of = from * nodes_ + to;
  if (on.cut) {
    ++counts_.cut;
    return {};
  }
  if (on.perfect) return {{now + faults_.delay_least, frame, on.connection}};
  if (choices_.chance(faults_.loss_ppm, Stream::kLoss, of)) {
    ++counts_.lost;
    return {};
  }
  std::vector<Delivery> deliveries;
  const auto deliver = [&](const Bytes& what) {
    Instant at = now + delay(of);
    if (faults_.ordered_links) at = on.last_arrival = std::max(at, on.last_arrival);
    deliveries.push_back({at, what, on.connection});
  };
  deliver(frame);
  if (choices_.chance(faults_.duplicate_ppm, Stream::kDuplicate, of)) {
    ++counts_.duplicated;
    deliver(duplicate(on, frame, of));
  }
  if (choices_.chance(faults_.corrupt_ppm, Stream::kCorrupt, of)) {
    ++counts_.corrupted;
    deliveries.front().frame = corrupted(frame, of);
  }
  return deliveries;
}

Bytes Network::duplicate(Link& on, const Bytes& frame, std::size_t of) {
  const std::uint64_t choice = choices_.below(2 * on.past.size(), Stream::kDuplicate, of);
  if (choice >= on.past.size()) return frame;
  const Bytes old = std::exchange(on.past[choice], frame);
  return old.size() == 0 ? frame : old;
}

Duration Network::delay(std::size_t of) {
  if (choices_.chance(faults_.straggler_ppm, Stream::kDelay, of)) {
    ++counts_.delayed;
    return choices_.between(faults_.delay_most, faults_.straggler_most, Stream::kDelay, of);
  }
  return choices_.between(faults_.delay_least, faults_.delay_most, Stream::kDelay, of);
}

// A few bits flipped, or the end missing.
Bytes Network::corrupted(const Bytes& frame, std::size_t of) {
  if (choices_.below(4, Stream::kCorrupt, of) == 0) {
    return frame.slice(0, choices_.below(frame.size(), Stream::kCorrupt, of));
  }
  Buffer copy(frame.size());
  std::ranges::copy(frame.view(), copy.data());
  const std::uint64_t flips = 1 + choices_.below(3, Stream::kCorrupt, of);
  // A bit apart each: the same one twice would mend it.
  const std::uint64_t first = choices_.below(frame.size() * 8, Stream::kCorrupt, of);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(flips, frame.size()); ++i) {
    const std::uint64_t bit = (first + i * 8) % (frame.size() * 8);
    copy.data()[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
  return std::move(copy).freeze();
}

void Network::partition(std::size_t node) {
  heal();
  partitioned_ = true;
  ++counts_.partitions;
  const auto pick = [&] {
    return static_cast<std::size_t>(choices_.below(nodes_, Stream::kFault));
  };
  const std::uint64_t kind = choices_.below(6, Stream::kFault);
  const bool both_ways = choices_.below(3, Stream::kFault) != 0;
  const auto cut = [&](std::size_t from, std::size_t to) {
    if (from == to) return;
    set_cut(from, to, true);
    if (both_ways) set_cut(to, from, true);
  };
  if (kind <= 1) {  // one node from all others
    for (std::size_t other = 0; other < nodes_; ++other) cut(node, other);
  } else if (kind == 2) {  // two halves
    const std::uint64_t side = choices_.draw(Stream::kFault);
    for (std::size_t from = 0; from < nodes_; ++from) {
      for (std::size_t to = 0; to < nodes_; ++to) {
        if ((side >> from & 1) == 1 && (side >> to & 1) == 0) cut(from, to);
      }
    }
  } else if (kind == 3) {  // a pair: a leader that still has somebody to talk to
    const std::size_t companion = pick();
    for (std::size_t other = 0; other < nodes_; ++other) {
      if (other == node || other == companion) continue;
      cut(node, other);
      cut(companion, other);
    }
  } else if (kind == 4) {  // a mesh with a hole: two that reach each other only through others
    cut(node, pick());
  } else {  // all but one middle node
    const std::size_t middle = pick();
    for (std::size_t from = 0; from < nodes_; ++from) {
      for (std::size_t to = 0; to < from; ++to) {
        if (from != middle && to != middle) cut(from, to);
      }
    }
  }
}

void Network::heal() {
  for (Link& each : links_) each.cut = false;
  partitioned_ = false;
}

void Network::heal_within(const std::vector<bool>& core) {
  for (std::size_t from = 0; from < nodes_; ++from) {
    for (std::size_t to = 0; to < nodes_; ++to) {
      if (!core[from] || !core[to]) continue;
      link(from, to).cut = false;
      link(from, to).perfect = true;
    }
  }
}

}  // namespace anchor::sim
