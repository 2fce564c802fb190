#pragma once

#include <string>
#include <variant>

#include "core/base/time.h"
#include "core/kv/types.h"

// Locks that clients of the whole cluster take, one at a time for each name (core/locks.h).
namespace anchor {

// Waits in line for the lock, no longer than that.
struct AcquireLock {
  std::string name;
  Duration ttl{};
  Duration wait{};
};

struct ReleaseLock {
  std::string name;
  kv::Revision token;
};

// It is the client's, until its lease ends or it is released. Nobody who had it before has as high
// a token: what it is there to guard can tell whoever is late.
struct LockAcquired {
  kv::Revision token;
  kv::LeaseId lease;
};
// Others had it for as long as was waited, or the place in line was lost. None is kept.
struct LockHeld {};
struct LockReleased {};
// There is nothing under this token, or nothing any more.
struct LockNotHeld {};

using LockAnswer = std::variant<LockAcquired, LockHeld, LockReleased, LockNotHeld>;

}  // namespace anchor
