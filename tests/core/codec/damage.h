#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/base/bytes.h"

// What can happen to bytes on the way.
namespace anchor::codec {

inline Bytes with_flipped_bit(const Bytes& bytes, std::size_t bit) {
  Buffer damaged(bytes.size());
  std::ranges::copy(bytes.view(), damaged.data());
  damaged.data()[bit / 8] ^= std::byte{1} << bit % 8;
  return std::move(damaged).freeze();
}

// The same bytes at an odd address.
inline Bytes misaligned(const Bytes& bytes) {
  Buffer shifted(bytes.size() + 1);
  std::ranges::copy(bytes.view(), shifted.data() + 1);
  return std::move(shifted).freeze().slice(1, bytes.size());
}

// True if `part` lies within the buffer of `whole`.
inline bool is_slice_of(const Bytes& part, const Bytes& whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// True if what `decode` returns is an error for each shorter frame, and for each with one bit
// flipped.
template <typename Decode>
bool refuses_all_damage(const Bytes& frame, const Decode& decode) {
  for (std::size_t size = 0; size < frame.size(); ++size) {
    if (decode(frame.slice(0, size))) return false;
  }
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    if (decode(with_flipped_bit(frame, bit))) return false;
  }
  return true;
}

}  // namespace anchor::codec
