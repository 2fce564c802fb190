#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/time.h"

namespace anchor::kv {

// What apply accepts, on every node and for ever: a change to these would let replicas diverge.
inline constexpr std::size_t kKeyBytes = 4096;
inline constexpr std::size_t kValueBytes = 1 << 20;
// What an item, and a change in the history, count beside their keys and values.
inline constexpr std::size_t kItemBytes = 48;
inline constexpr std::size_t kChangeBytes = 24;

inline constexpr Duration kLeaseTtlLeast = 1s;
inline constexpr Duration kLeaseTtlMost = std::chrono::hours(366 * 24);

inline bool valid_ttl(Duration ttl) {
  return ttl >= kLeaseTtlLeast && ttl <= kLeaseTtlMost;
}

inline bool valid_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeyBytes;
}

}  // namespace anchor::kv
