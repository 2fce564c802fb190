#include "core/base/hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/random.h"

namespace anchor {

std::uint64_t hash_bytes(ByteView bytes, std::uint64_t hash) {
  hash = mix64(hash ^ bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), sizeof(std::uint64_t));
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), size);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    hash = mix64(hash ^ word);
    bytes = bytes.subspan(size);
  }
  return hash;
}

}  // namespace anchor
