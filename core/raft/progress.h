#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>

#include "core/base/time.h"
#include "core/raft/options.h"
#include "core/raft/types.h"

namespace anchor::raft {

// The leader does not know where the follower's log agrees with its own, and asks with one
// AppendEntries at a time.
struct Probe {
  // One with entries is out; until it is answered there are only heartbeats, which ask the same.
  bool waiting = false;
};

// The logs agree up to `next` - 1, so far as the leader has heard, and AppendEntries follow one
// another without waiting (dissertation 10.2.1), within a window.
struct Replicate {
  struct InFlight {
    Index last;
    std::uint64_t bytes;
    Instant sent;
  };
  // Ascending by `last`; all above the match index.
  std::deque<InFlight> in_flight;
  // Invariant: the sum over in_flight.
  std::uint64_t bytes_in_flight = 0;

  bool window_open(const Options& options) const;
  void sent(Index last, std::uint64_t bytes, Instant now);
  void acknowledged(Index match);
};

// The follower lacks entries that the log has no more, and is sent a snapshot.
struct SendSnapshot {
  SnapshotFile file;
  // The follower has so much, and this much has been sent.
  std::uint64_t acknowledged_bytes = 0;
  std::uint64_t sent_bytes = 0;
  // How often it had all of it, and found it damaged.
  int refused = 0;
  // When it was last sent anew what it had not acknowledged.
  Instant resent{};
};

// The leader keeps its log for the follower, which lacks entries that a snapshot stands for: until
// it has come as far as the newest one, or is silent for long.
struct KeptLog {
  Index after;
  // It was sent a snapshot, which is not to have been for nothing: rather than cut the log before
  // it has caught up the leader slows writes down, as long as it takes something now and then.
  bool sent_snapshot = false;
};

// A learner's way to the log's end, in rounds: in each it gets what the log held when the round
// began. Once a round takes less than an election timeout the rest is little (dissertation 4.2.1).
struct CatchUp {
  Index target;
  Instant began;
};

// What a leader knows of one follower.
// Invariant: match < next <= the leader's last index + 1.
struct Progress {
  Peer peer{};
  // The newest boot that answered in this term: an older one's acknowledgements are void, since
  // what it had may not have survived.
  Boot boot{};
  Index next{};
  // The follower's log is durable and the same as the leader's up to here.
  Index match{};
  // The newest rounds it was asked and has answered.
  Round round_asked{};
  Round round{};
  Instant last_heard{};
  // When the newest round began that it has answered: then this leader still led. And until when,
  // by the leader's clock, it votes for nobody else.
  Instant led_at{};
  Instant promised_until{};
  // When it sent the newest of its answers, by the clock of its boot.
  Instant echo{};
  // The highest commit index that it was told.
  Index commit_told{};
  std::variant<Probe, Replicate, SendSnapshot> state{};
  std::optional<KeptLog> kept_log{};
  // Not zero: whatever its log has, it needs a snapshot, of this entry or a later one.
  Index snapshot_wanted{};
  // Disks that hold the same are full at the same time: until it has said so, as the leader's.
  bool short_of_disk = false;
  // When it was last sent a chunk of a snapshot. Those who are sent one take turns; and who is
  // given up, and begins again, has no more of them than others.
  Instant chunk_sent{};
  // When it last acknowledged more, of the log or of a snapshot.
  Instant progressed{};
  // Only of a learner that awaits its promotion.
  std::optional<CatchUp> catch_up{};

  bool replicating() const { return std::holds_alternative<Replicate>(state); }
  bool heard_within(Duration time, Instant now) const { return now - last_heard < time; }
  void probe_from(Index from);
  // What was on its way to it may be lost.
  void connection_lost();
  // What it had acknowledged may not have outlived its process.
  void restarted(Boot newest);
};

}  // namespace anchor::raft
