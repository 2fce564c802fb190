#include "core/lease_expiry.h"

#include <algorithm>

namespace anchor {

void LeaseExpiry::begin(const kv::Leases& leases, Instant now) {
  end();
  leads_ = true;
  for (auto at = leases.table().tree().begin(); at.valid(); at.next()) {
    const auto lease = kv::Leases::lease_of(*at.item());
    kept(lease->id, lease->ttl, now);
  }
}

void LeaseExpiry::end() {
  leads_ = false;
  ends_.clear();
  ending_.clear();
}

void LeaseExpiry::kept(kv::LeaseId id, Duration ttl, Instant now) {
  if (leads_) ends_.set(id, now + lengthened(ttl, drift_ppm_));
}

void LeaseExpiry::ended(kv::LeaseId id) {
  ends_.erase(id);
  ending_.erase(id);
}

// A lease of a key goes with that, which says so to nobody.
void LeaseExpiry::forget_ended(const kv::Leases& leases) {
  constexpr std::size_t kFew = 1000;
  if (ends_.size() <= 2 * leases.size() + kFew) return;
  ends_.erase_if([&](kv::LeaseId id) { return !leases.find(id); });
}

Duration LeaseExpiry::remaining(kv::LeaseId id, Instant now) const {
  const auto ends = ends_.of(id);
  return ends ? std::max(Duration(), shortened(*ends - now, drift_ppm_)) : Duration();
}

kv::ExpireLeases LeaseExpiry::take_due(const kv::Leases& leases, Instant now, std::uint64_t term) {
  // Applied in one go, while all else waits; the lease that has more keys goes alone.
  constexpr std::size_t kLeasesAtOnce = 1000;
  constexpr std::size_t kKeysAtOnce = 10'000;
  kv::ExpireLeases expire{.term = term, .leases = {}};
  std::size_t keys = 0;
  while (ends_.next() && *ends_.next() <= now && expire.leases.size() < kLeasesAtOnce) {
    const kv::LeaseId id = ends_.first();
    if (!leases.find(id)) {
      ends_.erase(id);
      continue;
    }
    keys += leases.key_count(id);
    if (keys > kKeysAtOnce && !expire.leases.empty()) break;
    ends_.erase(id);
    ending_.insert(id);
    expire.leases.push_back(id);
  }
  return expire;
}

void LeaseExpiry::put_off(const kv::ExpireLeases& taken, Instant until) {
  for (const kv::LeaseId id : taken.leases) {
    ending_.erase(id);
    ends_.set(id, until);
  }
}

}  // namespace anchor
