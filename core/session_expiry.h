#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.h"
#include "core/deadlines.h"
#include "core/kv/command.h"
#include "core/kv/sessions.h"

namespace anchor {

// When the leader takes an open session for idle: once it has not been written by for its time-out.
// (A retry puts that off, but is not sure to: it leaves no trace that the end would be held to.)
// The replicated state knows no instants; they are the leader's, by its own clock. A new leader
// gives every session all of its time anew, but for those whose end its predecessor had put in the
// log.
class SessionExpiry {
 public:
  // The time-outs are lengthened, so that none is short by a client's clock.
  explicit SessionExpiry(std::int64_t max_clock_drift_ppm) : drift_ppm_(max_clock_drift_ppm) {}

  // This server leads.
  void begin(const kv::Sessions& sessions, Instant now);
  // It does not, or no more.
  void end();
  // The session was opened, or a write of it was applied.
  void used(kv::SessionId id, Duration ttl, Instant now);

  // None: it does not lead, or no session is open.
  std::optional<Instant> due() const;
  // What was taken could not be proposed: it is due again after this time.
  void put_off(const kv::ExpireSessions& taken, Instant until);
  // Those that are due, some at a time; each is due again only after another time-out, in which it
  // should have ended.
  kv::ExpireSessions take_due(const kv::Sessions& sessions, Instant now);

 private:
  using SessionId = kv::SessionId;

  std::int64_t drift_ppm_;
  bool leads_ = false;
  Deadlines<SessionId> ends_;
};

}  // namespace anchor
