#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace anchor::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

inline Duration between(TimePoint from, TimePoint to) {
  return std::chrono::duration_cast<Duration>(to - from);
}

struct Window {
  TimePoint begin{};
  TimePoint end{};

  bool contains(TimePoint time) const { return begin <= time && time <= end; }
  bool overlaps(const Window& other) const { return begin <= other.end && other.begin <= end; }
};

// Durations, to be summed up.
class Sample {
 public:
  explicit Sample(std::vector<Duration> values);

  std::size_t count() const { return values_.size(); }
  // The least that `percent` of the values do not exceed. Zero if there are none.
  Duration percentile(unsigned percent) const;
  Duration min() const { return values_.empty() ? Duration() : values_.front(); }
  Duration median() const { return percentile(50); }
  Duration max() const { return values_.empty() ? Duration() : values_.back(); }

 private:
  std::vector<Duration> values_;  // sorted
};

// 1.5 to "1.50", if there are to be two places.
std::string rounded(double value, int places);
std::string in_ms(Duration duration);
std::string in_mib(std::uint64_t bytes);

// Printed in columns, the first to the left, the others to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}

  // Requires: as many cells as the head has.
  void add(std::vector<std::string> cells);
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Ends the program, and with it the servers, if a measurement cannot go on.
[[noreturn]] void give_up(const std::string& why);

}  // namespace anchor::bench
