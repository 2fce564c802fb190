#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "core/base/time.h"
#include "core/deadlines.h"
#include "core/kv/command.h"
#include "core/kv/leases.h"

namespace anchor {

// When the leader takes a lease to have ended: once nobody has kept it alive for its time. The
// replicated state knows no instants; they are the leader's, by its own clock, and lengthened, so
// that none is short by a client's. A new leader gives every lease all of its time anew, but for
// those whose end its predecessor had put in the log.
class LeaseExpiry {
 public:
  explicit LeaseExpiry(std::int64_t max_clock_drift_ppm) : drift_ppm_(max_clock_drift_ppm) {}

  // This server leads.
  void begin(const kv::Leases& leases, Instant now);
  // It does not, or no more.
  void end();
  // It was granted, or is kept alive.
  void kept(kv::LeaseId id, Duration ttl, Instant now);
  // It is there no more.
  void ended(kv::LeaseId id);
  // Forgets leases that have ended otherwise, now and then.
  void forget_ended(const kv::Leases& leases);

  // Its end is proposed: it is kept alive no more.
  bool ending(kv::LeaseId id) const { return ending_.contains(id); }
  bool any_ending() const { return !ending_.empty(); }
  // How long it still is by its client's clock, whatever that is, if nobody keeps it alive.
  Duration remaining(kv::LeaseId id, Instant now) const;

  // None: this server does not lead, or there is no lease.
  std::optional<Instant> due() const { return leads_ ? ends_.next() : std::nullopt; }
  // Some of those that are due, to be ended in one entry of this term.
  kv::ExpireLeases take_due(const kv::Leases& leases, Instant now, std::uint64_t term);
  // What was taken could not be proposed: it is due again after this time.
  void put_off(const kv::ExpireLeases& taken, Instant until);

 private:
  std::int64_t drift_ppm_;
  bool leads_ = false;
  Deadlines<kv::LeaseId> ends_;
  std::set<kv::LeaseId> ending_;
};

}  // namespace anchor
