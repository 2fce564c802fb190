#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/record_codec.h"

namespace anchor::codec {

// The file "hardstate", a second copy of what the database holds under "stable": a header with the
// format's version, and two slots that are written in turn, each in a block of its own. A write
// that is torn can damage only the slot that held the older copy.

// Which slot is written next, and what it will count.
struct HardStateSlot {
  std::size_t number = 0;
  std::uint64_t sequence = 0;

  HardStateSlot next() const { return {1 - number, sequence + 1}; }
  friend bool operator==(const HardStateSlot&, const HardStateSlot&) = default;
};

// The higher term wins; at equal terms the copy with a vote, then the later boot, then
// the longer promise.
bool more_recent(const StableState& a, const StableState& b);

struct HardStateFile {
  StableState state;
  HardStateSlot next;  // never the one that holds `state`
  // The other slot was written and is damaged. That may be a write which a crash has torn, of a
  // state that nobody has heard of; or a newer state than this one.
  bool other_damaged = false;
};
// The newest state whose checksum holds, or an error if none does or the version is unknown.
Result<HardStateFile> read_hard_state_file(const Bytes& file);

// A whole new file. The slot to be written next is kSecondHardStateSlot.
Bytes new_hard_state_file(const StableState& state);
inline constexpr HardStateSlot kSecondHardStateSlot{1, 2};

struct HardStateWrite {
  std::uint64_t offset;  // in the file
  Bytes bytes;
};
HardStateWrite write_hard_state_slot(HardStateSlot slot, const StableState& state);

}  // namespace anchor::codec
