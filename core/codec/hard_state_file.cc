#include "core/codec/hard_state_file.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "core/base/assert.h"
#include "core/base/crc32c.h"

namespace anchor::codec {
namespace {

// What a disk or a file system writes at once is not larger than this.
constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kSlotCount = 2;
constexpr std::size_t kFileBytes = (1 + kSlotCount) * kBlockBytes;

// Header: the magic, 4 bytes version, 4 bytes CRC32C of both.
constexpr std::string_view kMagic = "ANCHORHS";
constexpr std::uint32_t kVersion = 1;

// Slot: 4 bytes CRC32C of what follows, 4 bytes size of the frame, 8 bytes sequence number, the
// frame. (The frame has a checksum too, but the number must be under one.)
constexpr std::size_t kSlotHeaderBytes = 16;

// Little-endian, whatever the machine.
void store(std::span<std::byte> target, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) target[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint64_t load(ByteView source, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= std::to_integer<std::uint64_t>(source[i]) << 8 * i;
  return value;
}

struct Slot {
  StableState state;
  HardStateSlot place;
};

constexpr std::uint64_t offset_of_slot(std::size_t number) {
  return (1 + number) * kBlockBytes;
}

// None: never written, torn or damaged.
std::optional<Slot> read_slot(const Bytes& file, std::size_t number) {
  const Bytes block = file.slice(offset_of_slot(number), kBlockBytes);
  const ByteView bytes = block.view();
  const std::size_t frame_bytes = load(bytes.subspan(4), 4);
  if (frame_bytes > kBlockBytes - kSlotHeaderBytes) return std::nullopt;
  const ByteView covered = bytes.subspan(4, kSlotHeaderBytes - 4 + frame_bytes);
  if (load(bytes, 4) != crc32c(covered)) return std::nullopt;
  Result<StableState> state = decode_stable_state(block.slice(kSlotHeaderBytes, frame_bytes));
  if (!state) return std::nullopt;
  return Slot{*std::move(state), {number, load(bytes.subspan(8), 8)}};
}

// It was never written.
bool blank_slot(const Bytes& file, std::size_t number) {
  const ByteView block = file.view().subspan(offset_of_slot(number), kBlockBytes);
  return std::ranges::all_of(block, [](std::byte byte) { return byte == std::byte(0); });
}

Result<void> check_header(ByteView file) {
  const std::size_t covered = kMagic.size() + 4;
  if (file.size() != kFileBytes) return failure("it has a wrong size");
  if (as_text(file.first(kMagic.size())) != kMagic ||
      load(file.subspan(covered), 4) != crc32c(file.first(covered))) {
    return failure("its header is damaged");
  }
  const std::uint64_t version = load(file.subspan(kMagic.size()), 4);
  if (version != kVersion) {
    return failure("it has format version " + std::to_string(version) + "; this anchor knows " +
                   std::to_string(kVersion));
  }
  return {};
}

}  // namespace

bool more_recent(const StableState& a, const StableState& b) {
  const auto rank = [](const StableState& state) {
    const raft::HardState& hard_state = state.hard_state;
    return std::tuple(hard_state.term, hard_state.vote.has_value(), state.boot,
                      hard_state.longest_promise, hard_state.distrusted);
  };
  return rank(a) > rank(b);
}

Result<HardStateFile> read_hard_state_file(const Bytes& file) {
  if (const Result<void> checked = check_header(file.view()); !checked) {
    return std::unexpected(checked.error());
  }
  std::optional<Slot> newest;
  std::uint64_t last_sequence = 0;
  bool damaged = false;
  for (std::size_t number = 0; number < kSlotCount; ++number) {
    std::optional<Slot> slot = read_slot(file, number);
    if (!slot) {
      damaged = damaged || !blank_slot(file, number);
      continue;
    }
    last_sequence = std::max(last_sequence, slot->place.sequence);
    const bool newer =
        !newest || more_recent(slot->state, newest->state) ||
        (!more_recent(newest->state, slot->state) && slot->place.sequence > newest->place.sequence);
    if (newer) newest = std::move(slot);
  }
  if (!newest) return failure("neither of its copies passes its checksum");
  const HardStateSlot next{1 - newest->place.number, last_sequence + 1};
  return HardStateFile{std::move(newest->state), next, damaged};
}

HardStateWrite write_hard_state_slot(HardStateSlot slot, const StableState& state) {
  ANCHOR_ASSERT(slot.number < kSlotCount);
  const Bytes frame = encode_stable_state(state);
  ANCHOR_ASSERT(frame.size() <= kBlockBytes - kSlotHeaderBytes, "a server's id is too long");
  Buffer block(kBlockBytes);
  store(block.span().subspan(4), frame.size(), 4);
  store(block.span().subspan(8), slot.sequence, 8);
  std::ranges::copy(frame.view(), block.data() + kSlotHeaderBytes);
  store(block.span(), crc32c(block.span().subspan(4, kSlotHeaderBytes - 4 + frame.size())), 4);
  return {offset_of_slot(slot.number), std::move(block).freeze()};
}

Bytes new_hard_state_file(const StableState& state) {
  Buffer file(kFileBytes);
  std::ranges::copy(as_bytes(kMagic), file.data());
  store(file.span().subspan(kMagic.size()), kVersion, 4);
  const std::size_t covered = kMagic.size() + 4;
  store(file.span().subspan(covered), crc32c(file.span().first(covered)), 4);
  const HardStateWrite first = write_hard_state_slot({0, 1}, state);
  std::ranges::copy(first.bytes.view(), file.data() + first.offset);
  return std::move(file).freeze();
}

}  // namespace anchor::codec
