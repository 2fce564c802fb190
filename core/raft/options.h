#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor::raft {

// How a server behaves, on a LAN by default. Nothing here decides what an entry does when it is
// applied. Requires (checked by `Raft`): heartbeat_interval < election_timeout / 3,
// and max_clock_drift_ppm < 1,000,000.
struct Options {
  // A follower that hears nothing for a time drawn from [T, 2T) campaigns.
  Duration election_timeout = 300ms;
  Duration heartbeat_interval = 50ms;
  // No server's clock runs faster or slower than time by more than this. Lease reads depend on it,
  // and nothing else does.
  std::uint32_t max_clock_drift_ppm = 10'000;

  // One AppendEntries carries at most this many bytes of entries, but always at least one entry.
  std::uint64_t append_bytes = 1 << 20;
  // A follower has at most so many unacknowledged AppendEntries and bytes of entries in flight.
  std::uint64_t window_messages = 256;
  std::uint64_t window_bytes = 16 << 20;
  // A snapshot is sent in chunks of so many bytes, of which so many may be unacknowledged, and no
  // faster than this to all followers together.
  std::uint64_t snapshot_chunk_bytes = 256 << 10;
  std::uint64_t snapshot_window_bytes = 2 << 20;
  std::uint64_t snapshot_bytes_per_second = 128 << 20;
  // Of the log that a snapshot covers, so much is kept for followers that are nearly up to date.
  std::uint64_t trailing_bytes = 8 << 20;
  // A leader whose log is longer than half of this, since no snapshot of it is done or it is kept
  // for a follower that was sent one and has yet to catch up, slows writes down; and refuses them
  // above it. Up to a quarter of this is kept for any follower that answers and lacks it.
  std::uint64_t log_bytes = 512 << 20;
  // A leader with more bytes of entries uncommitted than this refuses proposals.
  std::uint64_t uncommitted_bytes = 64 << 20;
};

}  // namespace anchor::raft
