#pragma once

#include <cstdint>
#include <vector>

#include "tests/core/raft/members.h"

namespace anchor::raft {

using Positions = std::vector<LogPosition>;

// Nothing trails behind a snapshot, which is sent in small chunks.
inline constexpr Options kSmall{.snapshot_chunk_bytes = 100,
                                .snapshot_window_bytes = 200,
                                .snapshot_bytes_per_second = 1 << 30,
                                .trailing_bytes = 0};
inline constexpr Duration kTimeout = kSmall.election_timeout;
inline constexpr Duration kResend = 4 * kSmall.heartbeat_interval;

inline SnapshotFile snapshot_at(std::uint64_t index, std::uint64_t term,
                                std::uint64_t bytes = 250) {
  return {.position = position(index, term), .size_bytes = bytes, .checksum = index};
}

inline void save(Server& server, const SnapshotFile& file) {
  server.step([&](Raft& raft) { raft.snapshot_saved(file); });
}

inline std::uint64_t base(const Server& server) {
  return server.raft().log().base().index.value();
}

}  // namespace anchor::raft
