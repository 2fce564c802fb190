#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/base/time.h"

namespace anchor::bench {

// What a process takes, from /proc; zero if it is gone.
std::uint64_t resident_bytes(pid_t pid);
// Of all its threads, in user and system mode, since it began.
Duration cpu_time(pid_t pid);

}  // namespace anchor::bench
