#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "cli/latency_histogram.h"
#include "cli/options.h"
#include "cli/output.h"

namespace anchor::cli {

struct BenchResult {
  // Requests that were answered with success while it was measured.
  std::uint64_t ops = 0;
  Duration elapsed{};
  // Of successful requests that were in flight at some time while it was measured.
  LatencyHistogram latencies{};
  // Requests that an overloaded server, or one without a leader, has refused: status 429 or 503.
  std::uint64_t refused = 0;
  // Requests that failed otherwise; among them not those of which nobody knows.
  std::uint64_t errors = 0;
  // Writes that may or may not have been applied.
  std::uint64_t unknown = 0;
  // What the last thing to go wrong was; empty: nothing did.
  std::string last_problem{};
  bool interrupted = false;
};

struct BenchProgress {
  const char* phase = "";
  // Of the phase, in percent.
  unsigned percent = 0;
  std::uint64_t ops = 0;
};

// Whom the load tells, while it runs, how it goes.
struct BenchReports {
  // Called several times a second.
  std::function<void(const BenchProgress&)> progress;
  // Called with a line about every connection that opens or is lost.
  std::function<void(const std::string&)> connection;
};

// Fills the keys if reads need them, warms up, measures. Returns when all is done, or on SIGINT.
std::expected<BenchResult, Failure> run_bench_load(const GlobalOptions& global,
                                                   const BenchCommand& plan,
                                                   const BenchReports& reports);

}  // namespace anchor::cli
