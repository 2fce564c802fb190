// The file "hardstate" with slots that hold anything under checksums that match. What must hold of
// one that reads: the slot to be written next is not the one that holds the state, so that the
// state outlives a torn write, and what is written there is what is read next.

#include "core/codec/hard_state_file.h"

#include <algorithm>
#include <array>

#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

constexpr std::size_t kBlockBytes = 4096;

// The state is not used: both slots are overwritten.
Bytes empty_file() {
  const codec::StableState any{.cluster_id = raft::ClusterId(7),
                               .self = {raft::ServerId("n1"), raft::Incarnation(0)},
                               .boot = raft::Boot(1),
                               .hard_state = {}};
  return codec::new_hard_state_file(any);
}

void store(std::span<std::byte> target, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) target[i] = std::byte(value >> (8 * i));
}

// A slot as write_hard_state_slot lays it out; the first byte is its sequence number.
void fill_slot(std::span<std::byte> block, ByteView input) {
  std::ranges::fill(block, std::byte{0});
  if (input.empty()) return;
  const Bytes frame = mend_frame(input.subspan(1, std::min<std::size_t>(input.size() - 1, 4000)));
  store(block.subspan(4), frame.size(), 4);
  block[8] = input[0];
  std::ranges::copy(frame.view(), block.begin() + 16);
  store(block, crc32c(block.subspan(4, 12 + frame.size())), 4);
}

Bytes overwritten(const Bytes& file, std::uint64_t offset, ByteView with) {
  Buffer changed(file.size());
  std::ranges::copy(file.view(), changed.data());
  std::ranges::copy(with, changed.data() + offset);
  return std::move(changed).freeze();
}

void check(const Bytes& file) {
  const auto read = codec::read_hard_state_file(file);
  if (!read) return;
  codec::StableState next = read->state;
  if (next.hard_state.term == raft::Term(UINT64_MAX)) return;
  next.hard_state = {.term = next.hard_state.term.next(), .vote = {}};

  const codec::HardStateWrite write = codec::write_hard_state_slot(read->next, next);
  const auto written =
      codec::read_hard_state_file(overwritten(file, write.offset, write.bytes.view()));
  ANCHOR_ASSERT(written && written->state == next);
  const auto torn =
      codec::read_hard_state_file(overwritten(file, write.offset, write.bytes.view().first(20)));
  ANCHOR_ASSERT(torn && (torn->state == read->state || torn->state == next));
}

}  // namespace
}  // namespace anchor::fuzz

// The first half is for the first slot, the second for the second.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using anchor::fuzz::kBlockBytes;
  const auto input = anchor::fuzz::as_view(data, size);
  const anchor::Bytes empty = anchor::fuzz::empty_file();
  std::array<std::byte, 2 * kBlockBytes> slots{};
  anchor::fuzz::fill_slot(std::span(slots).first(kBlockBytes), input.first(size / 2));
  anchor::fuzz::fill_slot(std::span(slots).last(kBlockBytes), input.subspan(size / 2));
  anchor::fuzz::check(anchor::fuzz::overwritten(empty, kBlockBytes, slots));
  if (size <= empty.size()) anchor::fuzz::check(anchor::fuzz::overwritten(empty, 0, input));
  return 0;
}
