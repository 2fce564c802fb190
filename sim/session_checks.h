#pragma once

#include <cstdint>
#include <map>

#include "core/kv/command.h"

namespace anchor::sim {

// A session's write that was answered so has used up its number: whatever is said of it is said
// again.
bool uses_number(const kv::CommandResult& result);

// That no session is ended before its time-out is over, whatever leaders there were since it was
// last written by, and however fast their clocks ran, as long as they kept to their bound.
class SessionChecks {
 public:
  explicit SessionChecks(bool clocks_sound) : clocks_sound_(clocks_sound) {}

  // The command was committed, and is answered so.
  void committed(const kv::Command& command, const kv::CommandResult& result, Instant now);

 private:
  struct Open {
    Duration ttl{};
    std::uint64_t last_sequence = 0;
    Instant used{};
  };

  bool clocks_sound_;
  std::map<kv::SessionId, Open> open_;
};

}  // namespace anchor::sim
