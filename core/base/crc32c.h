#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace anchor {

// CRC32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continued from `crc`: crc32c(b, crc32c(a))
// is the checksum of a followed by b. The same on every machine; quicker where the CPU has it.
std::uint32_t crc32c(ByteView bytes, std::uint32_t crc = 0);

// The same by table, on any CPU: what the quicker one is tested against.
std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t crc = 0);

}  // namespace anchor
