#include "sim/lock_checks.h"

#include <algorithm>

#include "core/locks.h"
#include "sim/violation.h"

namespace anchor::sim {

bool LockChecks::over(const Holder& holder, Instant now) const {
  constexpr std::int64_t kMillion = 1'000'000;
  return (now - holder.kept) * (kMillion - *max_drift_) >= holder.ttl * kMillion;
}

void LockChecks::acquired(const AcquireLock& request, const LockAcquired& lock, const Model& model,
                          raft::Index commit_index, Instant now) {
  const std::string what =
      "lock " + request.name + " with token " + std::to_string(lock.token.value());
  for (const auto& [key, state] :
       model.range(kv::KeyRange::of_prefix(Locks::line_of(request.name)), commit_index)) {
    check(state.create_revision >= lock.token, "lock-out-of-turn",
          what + " though there is " + std::to_string(state.create_revision.value()));
  }
  // Of its time hardly anything is over when it is given: a tenth, by a node's clock.
  const Duration since =
      max_drift_ ? request.ttl / 10 + request.ttl * *max_drift_ / 1'000'000 : Duration();
  const auto [last, first] = holders_.try_emplace(request.name);
  Holder& holder = last->second;
  if (!first && max_drift_) {
    check(lock.token > holder.token, "fencing-token-grows",
          what + " after " + std::to_string(holder.token.value()));
    check(holder.released || over(holder, now), "lock-held-twice",
          what + " while it is " + std::to_string(holder.token.value()) + "'s");
  }
  holder = {.token = lock.token, .lease = lock.lease, .ttl = request.ttl, .kept = now - since};
}

void LockChecks::kept(kv::LeaseId lease, Instant asked) {
  const auto holder =
      std::ranges::find(holders_, lease, [](const auto& each) { return each.second.lease; });
  if (holder != holders_.end()) holder->second.kept = std::max(holder->second.kept, asked);
}

void LockChecks::released(const ReleaseLock& release) {
  const auto holder = holders_.find(release.name);
  if (holder != holders_.end() && holder->second.token == release.token) {
    holder->second.released = true;
  }
}

}  // namespace anchor::sim
