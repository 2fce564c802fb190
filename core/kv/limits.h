#pragma once

#include <cstddef>
#include <string_view>

namespace anchor::kv {

// What apply accepts, on every node and for ever: a change to these would let replicas diverge.
inline constexpr std::size_t kKeyBytes = 4096;
inline constexpr std::size_t kValueBytes = 1 << 20;

inline bool valid_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeyBytes;
}

}  // namespace anchor::kv
