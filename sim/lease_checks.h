#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/kv/command.h"
#include "core/kv/lease_query.h"

namespace anchor::sim {

// That no lease is ended before its time is over by the slowest clock that is allowed, counted from
// when it was granted, or from when its client last asked for it to be kept alive and was told that
// it is; whatever leaders there were since, and however fast their clocks ran. And that one that is
// said to be gone does not come back.
class LeaseChecks {
 public:
  // None: no bound on clocks' drift holds, or states are damaged, and nothing is promised.
  explicit LeaseChecks(std::optional<std::uint32_t> max_drift_ppm) : max_drift_(max_drift_ppm) {}

  // The command was committed, and is answered so.
  void committed(const kv::Command& command, const kv::CommandResult& result, Instant now);
  // A leader's answer to what was asked at `asked`. `exists`: the lease is there by now, and was
  // when it was asked.
  void told(const kv::LeaseQuery& query, const kv::LeaseAnswer& answer, bool exists, Instant asked,
            Instant now);

 private:
  struct Open {
    Duration ttl{};
    Instant kept{};
  };

  bool over(const Open& lease, Instant now) const;

  std::optional<std::uint32_t> max_drift_;
  // Of those that went with their key some may still be in it.
  std::map<kv::LeaseId, Open> open_;
  // Those that a client was told are gone, and when.
  std::map<kv::LeaseId, Instant> gone_;
};

}  // namespace anchor::sim
