#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/time.h"
#include "core/raft/options.h"
#include "core/replica.h"
#include "sim/choices.h"

namespace anchor::sim {

// A kind of fault that comes now and then and lasts a while; never, if `every` is zero.
struct Episodes {
  Duration every{};  // on average, over the whole cluster
  Duration longest{};
};

// What goes wrong in one simulation.
struct Faults {
  // The network, by message.
  std::uint32_t loss_ppm = 0;
  std::uint32_t duplicate_ppm = 0;
  std::uint32_t corrupt_ppm = 0;
  Duration delay_least = 50us;
  Duration delay_most = 300us;
  // Some messages take much longer, and overtake is what others do to them.
  std::uint32_t straggler_ppm = 0;
  Duration straggler_most{};
  // Messages of one link arrive in the order in which they left, as over one TCP connection.
  bool ordered_links = false;

  Episodes partitions;
  // So many writes come to a server just when it is cut off, if it is: a leader that is deposed by
  // this leaves a long log that nobody shares.
  std::uint64_t crowd = 0;
  Episodes resets;  // a connection is lost, and what was on it
  Episodes crashes;
  Episodes pauses;
  Episodes slow_disks;
  Episodes disk_shortages;  // of one server, or of all
  Episodes clock_jumps;
  // A restart with a state that is not what its log and snapshot make. Then clients' answers are
  // not judged: those that come before it is found out are wrong.
  Episodes damages;
  // An operator changes the members, or moves leadership.
  Episodes changes;
  // A crash within a step's output being carried out, by step.
  std::uint32_t crash_in_step_ppm = 0;

  Duration disk_least = 100us;
  Duration disk_most = 400us;
  // A slow disk's writes take up to so long.
  Duration slow_disk_most{};
  // Clocks run up to so much too fast or too slow; or just so much, each of them.
  std::uint32_t drift_ppm = 0;
  bool drift_at_bound = false;
};

// At which of so many points in carrying out a step's output a node crashes; `points`: at none.
std::uint64_t draw_crash_point(const Faults& faults, bool changed, std::uint64_t points,
                               Choices& choices, std::size_t node);
// From where the clock of a node counts.
Duration draw_clock_offset(Choices& choices, std::size_t node);
// By how much it runs too fast.
std::int32_t draw_drift_ppm(const Faults& faults, Choices& choices, std::size_t node);

// One simulation's cluster, load and faults.
struct Mix {
  std::size_t nodes = 5;
  // Servers that are not there at first, and may be added.
  std::size_t spares = 0;
  std::size_t clients = 4;
  std::size_t watchers = 0;
  std::size_t keys = 8;
  // Between a client's answer and its next request, at most.
  Duration think_most = 100ms;
  std::size_t value_bytes_most = 64;
  // Each start of a server is with this election timeout; or with half of it, or twice as much.
  bool election_timeouts_differ = false;
  // Of the requests so many are reads, and of these so many by lease, in percent. Lease reads are
  // linearizable only while clocks keep to their bound.
  std::uint64_t reads = 35;
  std::uint64_t lease_reads = 30;
  raft::Options raft{};
  std::uint64_t apply_bytes = 1 << 20;
  std::size_t waiting_requests = 100'000;
  std::size_t waiting_bytes = 128 << 20;
  std::uint64_t snapshot_bytes = 64 << 20;
  Duration digest_interval = 10s;
  Faults faults{};
};

// Of one start of a node.
Replica::Options draw_replica_options(const Mix& mix, Choices& choices, std::size_t node);
Duration longest_election_timeout(const Mix& mix);

// Lease reads are promised for clocks within the bound only, and a jump is beyond any.
bool clocks_sound(const Mix& mix);

// No state is damaged: then all answers are to be right, and nobody has a reason to distrust
// itself.
inline bool states_sound(const Mix& mix) {
  return mix.faults.damages.every == Duration{};
}

// A name for a family of mixes, from which each seed draws one (swarm testing: Groce and others,
// 2012): with every fault always on, some would hide what others show.
struct Profile {
  std::string_view name;
  std::string_view description;
  Mix (*draw)(Choices& choices);
  // False: it goes beyond what is promised, to show that the promise has a reason.
  bool holds = true;
};

std::span<const Profile> profiles();
// Null: there is none of that name.
const Profile* find_profile(std::string_view name);

}  // namespace anchor::sim
