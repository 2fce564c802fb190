#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/lock_request.h"
#include "sim/model.h"

namespace anchor::sim {

// That a lock has one holder at a time, each with a higher token than those before, and that nobody
// is passed over who stands in line. Who was given it has it until it asks to release it, or until
// its lease may be over by the slowest clock that is allowed, counted from when its holder last
// asked for it to be kept alive and was told that it is.
class LockChecks {
 public:
  // As for LeaseChecks.
  explicit LockChecks(std::optional<std::uint32_t> max_drift_ppm) : max_drift_(max_drift_ppm) {}

  // It is given to a client now. `model` has all that is committed, up to `commit_index`.
  void acquired(const AcquireLock& request, const LockAcquired& lock, const Model& model,
                raft::Index commit_index, Instant now);
  // A leader said at some time after `asked` that the lease is kept alive.
  void kept(kv::LeaseId lease, Instant asked);
  // Its holder asks for that.
  void released(const ReleaseLock& release);

 private:
  struct Holder {
    kv::Revision token;
    kv::LeaseId lease;
    Duration ttl{};
    Instant kept{};
    bool released = false;
  };

  bool over(const Holder& holder, Instant now) const;

  std::optional<std::uint32_t> max_drift_;
  // By name: who was given it last.
  std::map<std::string, Holder> holders_;
};

}  // namespace anchor::sim
