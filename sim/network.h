#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "sim/choices.h"
#include "sim/profile.h"

namespace anchor::sim {

// How often each kind of fault happened.
struct FaultCounts {
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;  // at once, or much later
  std::uint64_t corrupted = 0;
  std::uint64_t delayed = 0;
  std::uint64_t cut = 0;  // lost in a partition
  std::uint64_t partitions = 0;
  std::uint64_t crowds = 0;
  std::uint64_t resets = 0;
  std::uint64_t crashes = 0;
  std::uint64_t crashes_in_step = 0;
  std::uint64_t pauses = 0;
  std::uint64_t slow_disks = 0;
  std::uint64_t disk_shortages = 0;
  std::uint64_t clock_jumps = 0;
  std::uint64_t damages = 0;
  // Requests of the operator that were carried out.
  std::uint64_t changes = 0;
  std::uint64_t transfers = 0;
  std::uint64_t snapshots_saved = 0;
  std::uint64_t snapshots_received = 0;

  void add(const FaultCounts& other);
};

// One copy of a frame on its way.
struct Delivery {
  Instant at;
  Bytes frame;
  // The life of the connection that it travels on.
  std::uint64_t connection = 0;
};

// The links between nodes, each with one direction.
class Network {
 public:
  Network(std::size_t nodes, const Faults& faults, Choices& choices, FaultCounts& counts);

  // When and as what the frame arrives: not at all, or once, and sometimes something else with it.
  std::vector<Delivery> send(std::size_t from, std::size_t to, const Bytes& frame, Instant now);
  // Whether what was sent then is still to be delivered now.
  bool alive(std::size_t from, std::size_t to, const Delivery& delivery) const {
    return link(from, to).connection == delivery.connection;
  }

  // Cuts links, one way or both: a random cut of some kind; if of one node from others, of `node`.
  void partition(std::size_t node);
  void heal();
  bool partitioned() const { return partitioned_; }
  // All that is on its way on this link is lost.
  void reset(std::size_t from, std::size_t to) { ++link(from, to).connection; }

  // For good: between members of the core nothing goes wrong any more.
  void heal_within(const std::vector<bool>& core);
  void set_cut(std::size_t from, std::size_t to, bool cut) { link(from, to).cut = cut; }

 private:
  struct Link {
    bool cut = false;
    bool perfect = false;
    std::uint64_t connection = 0;
    Instant last_arrival{};
    // Some of what it ever carried.
    std::array<Bytes, 8> past{};
  };

  Link& link(std::size_t from, std::size_t to) { return links_[from * nodes_ + to]; }
  const Link& link(std::size_t from, std::size_t to) const { return links_[from * nodes_ + to]; }
  // That once more, or something from long ago.
  Bytes duplicate(Link& on, const Bytes& frame, std::size_t of);
  Duration delay(std::size_t of);
  Bytes corrupted(const Bytes& frame, std::size_t of);

  std::size_t nodes_;
  const Faults& faults_;
  Choices& choices_;
  FaultCounts& counts_;
  std::vector<Link> links_;
  bool partitioned_ = false;
};

}  // namespace anchor::sim
