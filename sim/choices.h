#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"

namespace anchor::sim {

// What is chosen. Each choice is named by its stream, the node (or client) that it is for, and how
// many came before it there; so one that is left out leaves the others as they were.
enum class Stream : std::uint8_t {
  kMix,
  kSetup,
  kLoss,
  kDelay,
  kDuplicate,
  kCorrupt,
  kTurn,
  kDiskLatency,
  kDiskAtCrash,
  kCrashPoint,
  kFaultTime,
  kFault,
  kClient,
  kHeal,
  kOperator,
  kSnapshotWork,
  kWatcher,
  kCount,
};

// Everything random in a simulation, from one seed.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : seed_(mix64(seed)) {}

  std::uint64_t draw(Stream stream, std::size_t of = 0) {
    auto& ordinals = ordinals_[static_cast<std::size_t>(stream)];
    if (ordinals.size() <= of) ordinals.resize(of + 1);
    const std::uint64_t name = static_cast<std::uint64_t>(stream) << 32 | of;
    return mix64(seed_ ^ mix64(name ^ mix64(++ordinals[of])));
  }

  // Uniform in [0, bound), but for a bias too small to matter here. Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound, Stream stream, std::size_t of = 0) {
    return draw(stream, of) % bound;
  }
  // Uniform in [low, high].
  Duration between(Duration low, Duration high, Stream stream, std::size_t of = 0) {
    const auto span = static_cast<std::uint64_t>((high - low).count()) + 1;
    return low + Duration(static_cast<Duration::rep>(below(span, stream, of)));
  }
  // True with probability parts_per_million / 1,000,000.
  bool chance(std::uint32_t parts_per_million, Stream stream, std::size_t of = 0) {
    return parts_per_million != 0 && below(1'000'000, stream, of) < parts_per_million;
  }

 private:
  std::uint64_t seed_;
  std::array<std::vector<std::uint64_t>, static_cast<std::size_t>(Stream::kCount)> ordinals_;
};

}  // namespace anchor::sim
