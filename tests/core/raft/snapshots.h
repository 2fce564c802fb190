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

// A leader of three with committed entries up to 6. 3 is at the log's beginning, was silent for so
// long that the log was cut, and has just been sent the first of a snapshot at 4.
inline Server make_sender(Options options = kSmall, std::uint64_t bytes = 250) {
  Server leader(Start{.log_terms = {1, 1, 1, 1, 1}, .options = options});
  make_leader(leader);
  leader.complete_writes();
  leader.hear(2, leader.term(), AppendAccepted{Index(6), Round(0)});
  pass(leader, kTimeout, {2});
  save(leader, snapshot_at(4, 1, bytes));
  leader.hear(3, leader.term(),
              AppendRejected{.previous_index = Index(5), .hint = position(0, 0), .round = {}});
  return leader;
}

inline std::uint64_t base(const Server& server) {
  return server.raft().log().base().index.value();
}

}  // namespace anchor::raft
