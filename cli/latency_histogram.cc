#include "cli/latency_histogram.h"

#include <algorithm>

#include "core/base/assert.h"

namespace anchor::cli {

void LatencyHistogram::record(Duration latency) {
  latency = std::clamp(latency, Duration::zero(), kLargest);
  ++counts_[bucket_of(static_cast<std::uint64_t>(latency.count()))];
  ++count_;
  max_ = std::max(max_, latency);
}

Duration LatencyHistogram::quantile(std::uint32_t parts_per_million) const {
  constexpr std::uint64_t kMillion = 1'000'000;
  ANCHOR_ASSERT(parts_per_million <= kMillion);
  // Rounded up, and in two parts lest the product overflow.
  const std::uint64_t whole = count_ / kMillion * parts_per_million;
  const std::uint64_t rest = count_ % kMillion * parts_per_million;
  const std::uint64_t rank = std::max<std::uint64_t>(1, whole + (rest + kMillion - 1) / kMillion);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return std::min(max_, Duration(static_cast<Duration::rep>(last_of(bucket))));
  }
  return max_;
}

}  // namespace anchor::cli
