#pragma once

#include <cstdint>

#include "core/base/time.h"

namespace anchor::server {

// What the core must be given, because it takes nothing from the machine by itself.

// CLOCK_BOOTTIME: monotonic, and it goes on while the machine is suspended.
Instant boottime_now();

// From the kernel's generator.
std::uint64_t fresh_seed();

// For libuv's timers: not too early. Zero if it is past.
std::uint64_t ceil_ms(Duration duration);

}  // namespace anchor::server
