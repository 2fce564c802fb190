#include "core/session_expiry.h"

namespace anchor {

void SessionExpiry::begin(const kv::Sessions& sessions, Instant now) {
  end();
  leads_ = true;
  for (auto at = sessions.table().tree().begin(); at.valid(); at.next()) {
    const auto session = kv::Sessions::session_of(*at.item());
    used(session->id, session->ttl, now);
  }
}

void SessionExpiry::end() {
  leads_ = false;
  ends_.clear();
}

void SessionExpiry::used(SessionId id, Duration ttl, Instant now) {
  if (leads_) ends_.set(id, now + lengthened(ttl, drift_ppm_));
}

std::optional<Instant> SessionExpiry::due() const {
  return leads_ ? ends_.next() : std::nullopt;
}

void SessionExpiry::put_off(const kv::ExpireSessions& taken, Instant until) {
  for (const auto& idle : taken.sessions) ends_.set(idle.id, until);
}

kv::ExpireSessions SessionExpiry::take_due(const kv::Sessions& sessions, Instant now) {
  constexpr std::size_t kAtOnce = 1000;
  kv::ExpireSessions expire;
  while (ends_.next() && *ends_.next() <= now && expire.sessions.size() < kAtOnce) {
    const SessionId id = ends_.first();
    const auto session = sessions.find(id);
    if (!session) {  // it has been closed
      ends_.erase(id);
      continue;
    }
    ends_.set(id, now + lengthened(session->ttl, drift_ppm_));
    expire.sessions.push_back({id, session->last_sequence});
  }
  return expire;
}

}  // namespace anchor
