#pragma once

#include "core/base/time.h"
#include "tests/chaos/history.h"

namespace anchor::chaos {

// A lease lasts for certain until then if it was granted or kept alive by a request that was sent
// at this time, and was answered: less 2% for clocks that are fast or slow.
inline TimePoint sure_end(TimePoint sent, Duration ttl) {
  return sent + ttl - ttl / 50;
}

}  // namespace anchor::chaos
