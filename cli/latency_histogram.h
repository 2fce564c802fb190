#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace anchor::cli {

// Counts of durations in buckets whose width grows with the value, so that every quantile is known
// to within one part in 128, in a fixed 30 KiB and without an allocation (the idea of Gil Tene's
// HdrHistogram). Microseconds up to 128 are exact.
class LatencyHistogram {
 public:
  // Negative counts as zero; what is longer than kLargest, as that.
  void record(Duration latency);

  std::uint64_t count() const { return count_; }
  // Exact, unlike the quantiles. Zero without a record.
  Duration max() const { return max_; }
  // The latency that `parts_per_million` of the records do not exceed: of its bucket the largest,
  // but not more than max(). Zero without a record. Requires: at most 1,000,000.
  Duration quantile(std::uint32_t parts_per_million) const;

  // 71 minutes.
  static constexpr Duration kLargest{(std::int64_t{1} << 32) - 1};

 private:
  // A value's highest kSubBits + 1 bits choose its bucket.
  static constexpr unsigned kSubBits = 7;
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBits;

  static constexpr std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kSubBits) return value;
    const unsigned shift = width - kSubBits - 1;
    return (shift + 1) * kSubBuckets + (value >> shift) - kSubBuckets;
  }
  // The largest value of a bucket.
  static constexpr std::uint64_t last_of(std::size_t bucket) {
    if (bucket < kSubBuckets) return bucket;
    const auto shift = static_cast<unsigned>(bucket / kSubBuckets - 1);
    return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
  }
  // One set for what is exact, and one for each further bit of the 32.
  static constexpr std::size_t kBuckets = (32 - kSubBits + 1) * kSubBuckets;

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration max_{};
};

}  // namespace anchor::cli
