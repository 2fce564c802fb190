#include "sim/lease_checks.h"

#include <algorithm>
#include <string>
#include <variant>

#include "sim/violation.h"

namespace anchor::sim {

bool LeaseChecks::over(const Open& lease, Instant now) const {
  constexpr std::int64_t kMillion = 1'000'000;
  return (now - lease.kept) * (kMillion - *max_drift_) >= lease.ttl * kMillion;
}

void LeaseChecks::committed(const kv::Command& command, const kv::CommandResult& result,
                            Instant now) {
  if (const auto* granted = std::get_if<kv::LeaseGranted>(&result)) {
    open_[granted->id] = {.ttl = granted->ttl, .kept = now};
  } else if (const auto* put = std::get_if<kv::Put>(&command.body)) {
    const auto* done = std::get_if<kv::PutDone>(&result);
    const bool first = done != nullptr && put->ttl != Duration();
    // A session's retry has the first answer again.
    if (first) open_.try_emplace(done->lease, Open{.ttl = put->ttl, .kept = now});
  } else if (std::holds_alternative<kv::LeaseRevoked>(result)) {
    open_.erase(std::get<kv::RevokeLease>(command.body).id);
  } else if (std::holds_alternative<kv::LeasesExpired>(result)) {
    for (const kv::LeaseId id : std::get<kv::ExpireLeases>(command.body).leases) {
      const auto lease = open_.find(id);
      if (lease == open_.end()) continue;
      check(!max_drift_ || over(lease->second, now), "lease-ends-too-early",
            "lease " + std::to_string(id.value()));
      open_.erase(lease);
    }
  }
}

void LeaseChecks::told(const kv::LeaseQuery& query, const kv::LeaseAnswer& answer, bool exists,
                       Instant asked, Instant now) {
  const std::string what = "lease " + std::to_string(query.id.value());
  if (!answer) gone_.try_emplace(query.id, now);
  const auto gone = gone_.find(query.id);
  check(!answer || gone == gone_.end() || asked < gone->second, "lease-stays-gone", what);
  const auto lease = open_.find(query.id);
  if (lease == open_.end()) return;
  if (!answer) {
    check(!exists || !max_drift_ || over(lease->second, now), "lease-told-gone-too-early", what);
    return;
  }
  check(answer->ttl == lease->second.ttl, "lease-told-as-it-is", what);
  if (query.keep_alive) lease->second.kept = std::max(lease->second.kept, asked);
}

}  // namespace anchor::sim
