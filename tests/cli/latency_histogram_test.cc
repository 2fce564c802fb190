#include "cli/latency_histogram.h"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <algorithm>
#include <vector>

namespace anchor::cli {
namespace {

TEST(LatencyHistogram, IsZeroWithoutARecord) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0us);
  EXPECT_EQ(histogram.quantile(0), 0us);
  EXPECT_EQ(histogram.quantile(1'000'000), 0us);
}

TEST(LatencyHistogram, KnowsShortLatenciesExactly) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.record(Duration(i));
  EXPECT_EQ(histogram.quantile(0), 1us);
  EXPECT_EQ(histogram.quantile(500'000), 50us);
  EXPECT_EQ(histogram.quantile(500'001), 51us);
  EXPECT_EQ(histogram.quantile(990'000), 99us);
  EXPECT_EQ(histogram.quantile(999'000), 100us);
  EXPECT_EQ(histogram.max(), 100us);
}

TEST(LatencyHistogram, CutsWhatIsOutOfItsRange) {
  LatencyHistogram histogram;
  histogram.record(-5us);
  EXPECT_EQ(histogram.max(), 0us);
  histogram.record(std::chrono::hours(5));
  EXPECT_EQ(histogram.max(), LatencyHistogram::kLargest);
  EXPECT_EQ(histogram.quantile(1'000'000), LatencyHistogram::kLargest);
  EXPECT_EQ(histogram.count(), 2U);
}

RC_GTEST_PROP(LatencyHistogram, IsWithinOnePartIn128OfTheTrueQuantile, ()) {
  auto latencies = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<Duration::rep>>(rc::gen::inRange<Duration::rep>(
          0, *rc::gen::element<Duration::rep>(10, 1'000, 100'000, 4'000'000'000))));
  const auto ppm = *rc::gen::inRange<std::uint32_t>(1, 1'000'001);
  LatencyHistogram histogram;
  for (const Duration::rep latency : latencies) histogram.record(Duration(latency));
  std::ranges::sort(latencies);
  const std::size_t rank = (latencies.size() * ppm + 999'999) / 1'000'000;
  const Duration::rep exact = latencies[rank - 1];
  const Duration::rep found = histogram.quantile(ppm).count();
  RC_ASSERT(found >= exact);
  RC_ASSERT(found <= exact + exact / 128);
}

}  // namespace
}  // namespace anchor::cli
