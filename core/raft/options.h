#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor::raft {

// How a server behaves, on a LAN by default. Nothing here decides what an entry does when it is
// applied. Requires (checked by `Raft`): heartbeat_interval < election_timeout / 3.
struct Options {
  // A follower that hears nothing for a time drawn from [T, 2T) campaigns.
  Duration election_timeout = 300ms;
  Duration heartbeat_interval = 50ms;

  // One AppendEntries carries at most this many bytes of entries, but always at least one entry.
  std::uint64_t append_bytes = 1 << 20;
  // A follower has at most so many unacknowledged AppendEntries and bytes of entries in flight.
  std::uint64_t window_messages = 256;
  std::uint64_t window_bytes = 16 << 20;
  // A leader with more bytes of entries uncommitted than this refuses proposals.
  std::uint64_t uncommitted_bytes = 64 << 20;
};

}  // namespace anchor::raft
