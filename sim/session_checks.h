#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/kv/command.h"

namespace anchor::sim {

// A session's write that was answered so has used up its sequence number: whatever is said of it is
// said again.
bool uses_sequence(const kv::CommandResult& result);

// That no session is ended before its time-out is over by the slowest clock that is allowed,
// whatever leaders there were since it was last written by, and however fast their clocks ran.
class SessionChecks {
 public:
  // None: no bound on clocks' drift holds, or states are damaged, and nothing is promised.
  explicit SessionChecks(std::optional<std::uint32_t> max_drift_ppm) : max_drift_(max_drift_ppm) {}

  // The command was committed, and is answered so.
  void committed(const kv::Command& command, const kv::CommandResult& result, Instant now);

 private:
  struct Open {
    Duration ttl{};
    std::uint64_t last_sequence = 0;
    Instant used{};
  };

  bool over(const Open& session, Instant now) const;

  std::optional<std::uint32_t> max_drift_;
  std::map<kv::SessionId, Open> open_;
};

}  // namespace anchor::sim
