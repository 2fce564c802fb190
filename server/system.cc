#include "server/system.h"

#include <algorithm>
#include <ctime>
#include <random>

#include "core/base/assert.h"

namespace anchor::server {

Instant boottime_now() {
  timespec now{};
  ANCHOR_ASSERT(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::seconds(now.tv_sec) +
                                                      std::chrono::nanoseconds(now.tv_nsec)));
}

std::uint64_t fresh_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32 | device();
}

std::uint64_t ceil_ms(Duration duration) {
  using std::chrono::milliseconds;
  return static_cast<std::uint64_t>(
      std::chrono::ceil<milliseconds>(std::max(duration, Duration())).count());
}

}  // namespace anchor::server
