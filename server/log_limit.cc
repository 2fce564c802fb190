#include "server/log_limit.h"

#include <utility>

namespace anchor::server {

bool LogLimit::admits(Instant now) {
  advance(now);
  if (admitted_ < lines_) {
    ++admitted_;
    return true;
  }
  ++left_out_;
  return false;
}

std::uint64_t LogLimit::take_left_out(Instant now) {
  advance(now);
  return std::exchange(untold_, 0);
}

void LogLimit::advance(Instant now) {
  if (now < began_ + period_) return;
  began_ = now;
  admitted_ = 0;
  untold_ += std::exchange(left_out_, 0);
}

}  // namespace anchor::server
