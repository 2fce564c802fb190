#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace anchor {

// A 64-bit hash of `bytes`, continued from `hash`, by chaining mix64 over little-endian words. The
// same on every machine. For digests and checkers; not made to withstand an adversary.
std::uint64_t hash_bytes(ByteView bytes, std::uint64_t hash = 0);

}  // namespace anchor
