#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace anchor::fuzz {

// The input, taken for a list of decisions. When it is used up all that is left is zero.
class Decisions {
 public:
  explicit Decisions(ByteView input) : input_(input) {}

  bool any_left() const { return !input_.empty(); }

  // In [0, bound). Requires: 0 < bound <= 256.
  std::uint64_t below(std::uint64_t bound) {
    if (input_.empty()) return 0;
    const auto byte = std::to_integer<std::uint64_t>(input_.front());
    input_ = input_.subspan(1);
    return byte % bound;
  }
  bool coin() { return below(2) == 1; }

 private:
  ByteView input_;
};

}  // namespace anchor::fuzz
