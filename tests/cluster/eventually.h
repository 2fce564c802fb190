#pragma once

#include <chrono>
#include <concepts>
#include <thread>

#include "core/base/time.h"

namespace anchor::cluster {

// For what must happen at last. Nothing waits as long unless it is broken; the machine may be busy.
inline constexpr Duration kPatience = 60s;

// Asks until the answer is yes, or the patience is at its end: real processes tell nobody when they
// are ready.
bool eventually(std::predicate auto condition, Duration patience = kPatience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace anchor::cluster
