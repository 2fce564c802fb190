#include "core/raft/progress.h"

#include <algorithm>

namespace anchor::raft {

bool Replicate::window_open(const Options& options) const {
  return in_flight.size() < options.window_messages && bytes_in_flight < options.window_bytes;
}

void Replicate::sent(Index last, std::uint64_t bytes, Instant now) {
  in_flight.push_back({last, bytes, now});
  bytes_in_flight += bytes;
}

void Replicate::acknowledged(Index match) {
  while (!in_flight.empty() && in_flight.front().last <= match) {
    bytes_in_flight -= in_flight.front().bytes;
    in_flight.pop_front();
  }
}

void Progress::probe_from(Index from) {
  state = Probe{};
  next = std::max(from, match.next());
}

void Progress::connection_lost() {
  if (auto* sending = std::get_if<SendSnapshot>(&state)) {
    sending->sent_bytes = sending->acknowledged_bytes;
  } else {
    // Where it is being asked, the question goes on where it was: nothing may be known to match.
    probe_from(replicating() ? match.next() : next);
  }
}

void Progress::restarted(Boot newest) {
  boot = newest;
  match = {};
  echo = {};
  auto* sending = std::get_if<SendSnapshot>(&state);
  if (sending == nullptr) return probe_from(next);
  // The part of the snapshot that it had is gone too.
  sending->acknowledged_bytes = 0;
  sending->sent_bytes = 0;
}

}  // namespace anchor::raft
