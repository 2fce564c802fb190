#include "sim/profile.h"

#include <algorithm>
#include <array>

namespace anchor::sim {
namespace {

bool coin(Choices& choices) {
  return choices.below(2, Stream::kMix) == 0;
}

template <typename T, std::size_t N>
T one_of(const T (&values)[N], Choices& choices) {
  return values[choices.below(N, Stream::kMix)];
}

Mix draw_cluster(Choices& choices) {
  Mix mix;
  mix.nodes = one_of({3, 3, 5, 5, 4, 2, 1, 7}, choices);
  mix.clients = 1 + choices.below(8, Stream::kMix);
  mix.watchers = choices.below(4, Stream::kMix);
  mix.keys = one_of({1, 2, 8, 32}, choices);
  mix.think_most = one_of({20ms, 50ms, 200ms}, choices);
  mix.value_bytes_most = one_of({16, 64, 400}, choices);
  mix.reads = one_of({35, 35, 85}, choices);
  mix.lease_reads = one_of({30, 30, 90}, choices);
  const Duration timeout = one_of({150ms, 300ms, 300ms, 1000ms}, choices);
  mix.raft.election_timeout = timeout;
  mix.raft.heartbeat_interval = timeout / static_cast<int>(4 + choices.below(6, Stream::kMix));
  // Small bounds, so that what happens at a bound happens.
  mix.raft.append_bytes = one_of({1 << 20, 4096, 512, 1}, choices);
  mix.raft.window_messages = one_of({256, 16, 3, 1}, choices);
  mix.raft.window_bytes = one_of({16 << 20, 8192}, choices);
  mix.raft.uncommitted_bytes = one_of({64 << 20, 64 << 20, 16 << 10}, choices);
  mix.apply_bytes = one_of({1 << 20, 1000, 1}, choices);
  mix.waiting_requests = one_of({100'000, 100'000, 60}, choices);
  mix.waiting_bytes = one_of({128 << 20, 128 << 20, 50'000}, choices);
  mix.digest_interval = one_of({500ms, 2000ms, 10'000ms}, choices);
  return mix;
}

// Small ones, so that there are many.
void add_snapshots(Mix& mix, Choices& choices) {
  mix.snapshot_bytes = one_of({1 << 10, 10 << 10, 100 << 10}, choices);
  mix.raft.trailing_bytes = one_of({0, 1 << 10, 10 << 10}, choices);
  mix.raft.snapshot_chunk_bytes = one_of({100, 1000, 256 << 10}, choices);
  mix.raft.snapshot_window_bytes = one_of({1, 2000, 2 << 20}, choices);
  mix.raft.snapshot_bytes_per_second = one_of({20 << 10, 1 << 20, 128 << 20}, choices);
  if (!coin(choices)) return;
  // A log that is soon at its bound is not kept for long: else nothing would be served for as long.
  mix.raft.log_bytes = one_of({8, 32}, choices) * (mix.snapshot_bytes + mix.raft.trailing_bytes);
  mix.raft.snapshot_window_bytes = 2 << 20;
  mix.raft.snapshot_bytes_per_second = 128 << 20;
}

// While a snapshot is on its way others write more than the next one leaves of the log.
void add_slow_snapshots(Mix& mix, Choices& choices) {
  mix.clients = 8;
  mix.keys = 32;
  mix.think_most = 20ms;
  mix.value_bytes_most = 400;
  mix.snapshot_bytes = 1 << 10;
  mix.raft.trailing_bytes = 0;
  mix.raft.snapshot_chunk_bytes = one_of({100, 1000}, choices);
  mix.raft.snapshot_bytes_per_second = 20 << 10;
  mix.raft.append_bytes = one_of({512, 1}, choices);
  mix.raft.window_messages = one_of({3, 1}, choices);
}

// Leaders are deposed with long logs that nobody shares; the others write little meanwhile, and cut
// their logs at once.
void add_deposed_leaders(Mix& mix, Choices& choices) {
  mix.clients = 2;
  mix.think_most = 200ms;
  mix.snapshot_bytes = 1 << 10;
  mix.raft.trailing_bytes = 0;
  mix.faults.partitions = {.every = one_of({500ms, 1000ms}, choices),
                           .longest = one_of({500ms, 2000ms}, choices)};
  mix.faults.crowd = 200;
}

void add_network_faults(Faults& faults, Choices& choices) {
  if (coin(choices)) faults.loss_ppm = one_of({1'000, 10'000, 50'000, 200'000}, choices);
  if (coin(choices)) faults.duplicate_ppm = one_of({1'000, 50'000, 200'000}, choices);
  if (coin(choices)) faults.corrupt_ppm = one_of({1'000, 20'000}, choices);
  faults.ordered_links = coin(choices);
  if (coin(choices)) faults.delay_most = one_of({1ms, 10ms, 60ms}, choices);
  if (coin(choices)) {
    faults.straggler_ppm = one_of({1'000, 20'000, 100'000}, choices);
    faults.straggler_most = one_of({100ms, 1000ms, 5000ms}, choices);
  }
  if (coin(choices)) {
    faults.partitions = {.every = one_of({500ms, 2000ms, 5000ms}, choices),
                         .longest = one_of({500ms, 2000ms, 8000ms}, choices)};
    faults.crowd = one_of({0, 0, 10, 200}, choices);
  }
  if (coin(choices)) faults.resets = {.every = one_of({100ms, 1000ms}, choices), .longest = {}};
}

void add_node_faults(Faults& faults, Choices& choices) {
  if (coin(choices)) {
    faults.crashes = {.every = one_of({300ms, 1000ms, 4000ms}, choices),
                      .longest = one_of({20ms, 500ms, 3000ms}, choices)};
  }
  if (coin(choices)) faults.crash_in_step_ppm = one_of({100, 1'000, 5'000}, choices);
  if (coin(choices)) {
    faults.pauses = {.every = one_of({500ms, 2000ms, 5000ms}, choices),
                     .longest = one_of({100ms, 1000ms, 4000ms}, choices)};
  }
  if (coin(choices)) faults.drift_ppm = one_of({1'000, 10'000, 50'000, 200'000}, choices);
  faults.drift_at_bound = coin(choices);
  // Rarely: then nothing that depends on clocks is promised.
  if (coin(choices) && coin(choices)) {
    faults.clock_jumps = {.every = 2000ms, .longest = one_of({50ms, 2000ms}, choices)};
  }
}

void add_disk_faults(Faults& faults, Choices& choices) {
  if (coin(choices)) faults.disk_most = one_of({2ms, 10ms, 50ms, 300ms}, choices);
  if (coin(choices)) {
    faults.slow_disks = {.every = one_of({1000ms, 4000ms}, choices),
                         .longest = one_of({500ms, 3000ms}, choices)};
    faults.slow_disk_most = one_of({50ms, 500ms, 2000ms}, choices);
  }
  if (coin(choices) && coin(choices)) {
    faults.disk_shortages = {.every = one_of({1000ms, 4000ms}, choices),
                             .longest = one_of({500ms, 3000ms}, choices)};
  }
}

void add_changes(Mix& mix, Choices& choices) {
  mix.spares = one_of({1, 2, 4}, choices);
  mix.faults.changes = {.every = one_of({100ms, 500ms, 2000ms}, choices),
                        .longest = one_of({100ms, 3000ms}, choices)};
}

Mix with_sound_clocks(Mix mix) {
  mix.raft.max_clock_drift_ppm = std::max(mix.raft.max_clock_drift_ppm, mix.faults.drift_ppm);
  if (!clocks_sound(mix)) mix.lease_reads = 0;
  return mix;
}

// States that differ, one at a time, so that a majority is always right. Logs are kept whole, since
// whoever lacks entries might be sent a snapshot of a state whose damage has not been found yet.
Mix draw_damage(Choices& choices) {
  Mix mix = draw_cluster(choices);
  mix.nodes = one_of({3, 3, 5}, choices);
  add_snapshots(mix, choices);
  mix.raft.trailing_bytes = 1 << 30;
  mix.raft.log_bytes = 1 << 30;
  mix.digest_interval = one_of({300ms, 1000ms}, choices);
  if (coin(choices)) add_network_faults(mix.faults, choices);
  if (coin(choices)) add_node_faults(mix.faults, choices);
  if (coin(choices)) add_disk_faults(mix.faults, choices);
  mix.faults.damages = {.every = one_of({1000ms, 4000ms}, choices), .longest = {}};
  return with_sound_clocks(mix);
}

Mix draw_everything(Choices& choices) {
  if (choices.below(16, Stream::kMix) == 0) return draw_damage(choices);
  Mix mix = draw_cluster(choices);
  if (coin(choices)) add_changes(mix, choices);
  const std::uint64_t kind = choices.below(16, Stream::kMix);
  if (kind == 0) {
    add_slow_snapshots(mix, choices);
  } else if (kind != 1 && coin(choices)) {
    add_snapshots(mix, choices);
  }
  add_network_faults(mix.faults, choices);
  if (kind == 1) add_deposed_leaders(mix, choices);
  add_node_faults(mix.faults, choices);
  add_disk_faults(mix.faults, choices);
  mix.election_timeouts_differ = coin(choices);
  return with_sound_clocks(mix);
}

Mix draw_calm(Choices& choices) {
  return draw_cluster(choices);
}

Mix draw_network(Choices& choices) {
  Mix mix = draw_cluster(choices);
  add_network_faults(mix.faults, choices);
  return mix;
}

Mix draw_crash(Choices& choices) {
  Mix mix = draw_cluster(choices);
  add_node_faults(mix.faults, choices);
  add_disk_faults(mix.faults, choices);
  return with_sound_clocks(mix);
}

Mix draw_snapshots(Choices& choices) {
  Mix mix = draw_cluster(choices);
  add_snapshots(mix, choices);
  if (coin(choices)) add_network_faults(mix.faults, choices);
  if (coin(choices)) add_node_faults(mix.faults, choices);
  if (coin(choices)) add_disk_faults(mix.faults, choices);
  return with_sound_clocks(mix);
}

Mix draw_members(Choices& choices) {
  Mix mix = draw_cluster(choices);
  add_changes(mix, choices);
  if (coin(choices)) add_snapshots(mix, choices);
  if (coin(choices)) add_network_faults(mix.faults, choices);
  if (coin(choices)) add_node_faults(mix.faults, choices);
  return with_sound_clocks(mix);
}

// Everything that a lease must outlive, and clocks that may differ by as much as is allowed.
Mix draw_leases(Choices& choices) {
  Mix mix = draw_cluster(choices);
  mix.nodes = one_of({3, 3, 5}, choices);
  // Enough that some still read from a leader that is cut off, after others have waited there.
  mix.clients = 32;
  mix.keys = one_of({1, 2}, choices);
  mix.think_most = 20ms;
  mix.reads = 90;
  mix.lease_reads = 95;
  mix.faults.drift_ppm = one_of({10'000, 50'000, 200'000}, choices);
  mix.faults.drift_at_bound = true;
  mix.faults.partitions = {.every = one_of({300ms, 1000ms}, choices), .longest = 1500ms};
  if (coin(choices)) mix.faults.crashes = {.every = 1000ms, .longest = 50ms};
  if (coin(choices)) mix.faults.pauses = {.every = 1000ms, .longest = 1000ms};
  // Slow clocks lose elections: without transfers the leader's is always a fast one.
  add_changes(mix, choices);
  if (coin(choices)) mix.faults.delay_most = one_of({1ms, 10ms}, choices);
  if (coin(choices)) mix.faults.duplicate_ppm = 50'000;
  if (coin(choices)) {
    mix.faults.straggler_ppm = 20'000;
    mix.faults.straggler_most = one_of({100ms, 1000ms}, choices);
  }
  mix.election_timeouts_differ = coin(choices);
  return with_sound_clocks(mix);
}

// The same, with clocks far beyond what they are taken for: here lease reads must break, or the
// profile "leases" shows nothing.
Mix draw_skew(Choices& choices) {
  Mix mix = draw_leases(choices);
  mix.faults.drift_ppm = 400'000;
  mix.raft.max_clock_drift_ppm = 10'000;
  return mix;
}

Duration draw_election_timeout(const Mix& mix, Choices& choices, std::size_t node) {
  const Duration timeout = mix.raft.election_timeout;
  if (!mix.election_timeouts_differ) return timeout;
  const std::uint64_t kind = choices.below(3, Stream::kSetup, node);
  if (kind == 1) return 2 * timeout;
  // As short as goes with the heartbeats.
  return kind == 2 && 3 * mix.raft.heartbeat_interval < timeout / 2 ? timeout / 2 : timeout;
}

constexpr std::array kProfiles = {
    Profile{"default", "every kind of fault, each on or off by the seed", draw_everything},
    Profile{"calm", "no faults: what a cluster does when it is left alone", draw_calm},
    Profile{"network", "loss, delay, duplication, reordering, corruption, partitions, resets",
            draw_network},
    Profile{"crash", "crashes, pauses, clocks that drift and jump, slow disks", draw_crash},
    Profile{"snapshots", "logs that are cut early, and snapshots sent to whoever lacks entries",
            draw_snapshots},
    Profile{"members", "servers join, leave, are replaced and hand leadership over", draw_members},
    Profile{"leases", "lease reads under whatever deposes leaders, clocks at their bound",
            draw_leases},
    Profile{"damage", "states that differ: found out, answered by nobody, and put right",
            draw_damage},
    Profile{"skew", "clocks beyond their bound: lease reads break, and must be seen to", draw_skew,
            false},
};

}  // namespace

Replica::Options draw_replica_options(const Mix& mix, Choices& choices, std::size_t node) {
  raft::Options raft = mix.raft;
  raft.election_timeout = draw_election_timeout(mix, choices, node);
  return {.raft = raft,
          .seed = choices.draw(Stream::kSetup, node),
          .leader_wait = 4 * mix.raft.election_timeout,
          .waiting_requests = mix.waiting_requests,
          .waiting_bytes = mix.waiting_bytes,
          .apply_bytes = mix.apply_bytes,
          .snapshot_bytes = mix.snapshot_bytes,
          .digest_interval = mix.digest_interval,
          .check_invariants = true};
}

Duration longest_election_timeout(const Mix& mix) {
  return (mix.election_timeouts_differ ? 2 : 1) * mix.raft.election_timeout;
}

bool clocks_sound(const Mix& mix) {
  return mix.faults.clock_jumps.every == Duration{} &&
         mix.faults.drift_ppm <= mix.raft.max_clock_drift_ppm;
}

// It matters most where something has changed, which is in few steps.
std::uint64_t draw_crash_point(const Faults& faults, bool changed, std::uint64_t points,
                               Choices& choices, std::size_t node) {
  constexpr std::uint32_t kMoreOften = 20;
  const std::uint32_t ppm = faults.crash_in_step_ppm * (changed ? kMoreOften : 1);
  if (!choices.chance(ppm, Stream::kCrashPoint, node)) return points;
  return choices.below(points, Stream::kCrashPoint, node);
}

Duration draw_clock_offset(Choices& choices, std::size_t node) {
  return choices.between(0s, 3600s, Stream::kSetup, node);
}

std::int32_t draw_drift_ppm(const Faults& faults, Choices& choices, std::size_t node) {
  const auto most = static_cast<std::int32_t>(faults.drift_ppm);
  if (faults.drift_at_bound) return choices.below(2, Stream::kSetup, node) == 0 ? most : -most;
  const std::uint64_t drift = choices.below(2 * faults.drift_ppm + 1, Stream::kSetup, node);
  return static_cast<std::int32_t>(drift) - most;
}

std::span<const Profile> profiles() {
  return kProfiles;
}

const Profile* find_profile(std::string_view name) {
  const auto found = std::ranges::find(kProfiles, name, &Profile::name);
  return found == kProfiles.end() ? nullptr : &*found;
}

}  // namespace anchor::sim
