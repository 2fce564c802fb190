#include "core/session_expiry.h"

namespace anchor {

void SessionExpiry::begin(const kv::Sessions& sessions, Instant now) {
  end();
  leads_ = true;
  for (auto at = sessions.tree().begin(); at.valid(); at.next()) {
    const auto session = kv::Sessions::session_of(*at.item());
    used(session->id, session->ttl, now);
  }
}

void SessionExpiry::end() {
  leads_ = false;
  ends_.clear();
  order_.clear();
}

void SessionExpiry::used(SessionId id, Duration ttl, Instant now) {
  if (leads_) set(id, now + lengthened(ttl));
}

// A client's clock may run slow where the leader's runs fast, each by as much as is allowed.
Duration SessionExpiry::lengthened(Duration ttl) const {
  constexpr std::int64_t kMillion = 1'000'000;
  return ttl * (kMillion + drift_ppm_) / (kMillion - drift_ppm_) + 1ms;
}

void SessionExpiry::set(SessionId id, Instant ends) {
  // Mostly it is the newest, of which there may be many: when a leader begins.
  const std::size_t before = ends_.size();
  const auto found = ends_.try_emplace(ends_.end(), id, ends);
  if (ends_.size() == before) {
    order_.erase({found->second, id});
    found->second = ends;
  }
  order_.emplace_hint(order_.end(), ends, id);
}

std::optional<Instant> SessionExpiry::due() const {
  if (!leads_ || order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

void SessionExpiry::put_off(const kv::ExpireSessions& taken, Instant until) {
  for (const auto& idle : taken.sessions) set(idle.id, until);
}

kv::ExpireSessions SessionExpiry::take_due(const kv::Sessions& sessions, Instant now) {
  constexpr std::size_t kAtOnce = 1000;
  kv::ExpireSessions expire;
  while (!order_.empty() && order_.begin()->first <= now && expire.sessions.size() < kAtOnce) {
    const SessionId id = order_.begin()->second;
    const auto session = sessions.find(id);
    if (!session) {  // it has been closed
      order_.erase(order_.begin());
      ends_.erase(id);
      continue;
    }
    set(id, now + lengthened(session->ttl));
    expire.sessions.push_back({id, session->last_sequence});
  }
  return expire;
}

}  // namespace anchor
