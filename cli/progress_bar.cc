#include "cli/progress_bar.h"

#include "core/base/assert.h"

namespace anchor::cli {
namespace {

constexpr unsigned kBarWidth = 30;
// To the line's start, and clear to its end (ECMA-48: CR, EL).
constexpr std::string_view kEraseLine = "\r\033[K";

}  // namespace

ProgressBar::~ProgressBar() {
  if (!drawn_.empty()) terminal_ << kEraseLine << std::flush;
}

void ProgressBar::draw(std::string_view what, unsigned percent, std::string_view detail) {
  ANCHOR_ASSERT(percent <= 100);
  const unsigned full = kBarWidth * percent / 100;
  std::string line(what);
  line.append(" [").append(full, '#').append(kBarWidth - full, '.').append("] ");
  line.append(std::to_string(percent)).append("%  ").append(detail);
  if (line == drawn_) return;
  drawn_ = line;
  terminal_ << kEraseLine << line << std::flush;
}

}  // namespace anchor::cli
