#pragma once

#include <ostream>
#include <string>
#include <string_view>

namespace anchor::cli {

// A line of a terminal that is drawn over and over, and is gone in the end.
class ProgressBar {
 public:
  explicit ProgressBar(std::ostream& terminal) : terminal_(terminal) {}
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Requires: percent <= 100.
  void draw(std::string_view what, unsigned percent, std::string_view detail);

 private:
  std::ostream& terminal_;
  std::string drawn_;
};

}  // namespace anchor::cli
