#include "tests/bench/cluster/figures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <utility>

#include "core/base/assert.h"

namespace anchor::bench {
Sample::Sample(std::vector<Duration> values) : values_(std::move(values)) {
  std::ranges::sort(values_);
}

Duration Sample::percentile(unsigned percent) const {
  ANCHOR_ASSERT(percent <= 100);
  if (values_.empty()) return {};
  const std::size_t rank = (values_.size() * percent + 99) / 100;
  return values_[std::max<std::size_t>(rank, 1) - 1];
}

std::string rounded(double value, int places) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, value);
  return text.data();
}

std::string in_ms(Duration duration) {
  const double ms = static_cast<double>(duration.count()) / 1000;
  return rounded(ms, ms < 100 ? 2 : 0) + " ms";
}

std::string in_mib(std::uint64_t bytes) {
  return rounded(static_cast<double>(bytes) / (1 << 20), 1) + " MiB";
}

void Table::add(std::vector<std::string> cells) {
  ANCHOR_ASSERT(cells.size() == rows_.front().size());
  rows_.push_back(std::move(cells));
}

void Table::print() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) std::cout << "  ";
      std::cout << (i == 0 ? std::left : std::right) << std::setw(static_cast<int>(widths[i]))
                << row[i];
    }
    std::cout << '\n';
  }
  std::cout << std::flush;
}

void give_up(const std::string& why) {
  std::cout << std::flush;
  std::cerr << "bench: " << why << '\n';
  // Other threads run still.
  std::_Exit(1);
}

}  // namespace anchor::bench
