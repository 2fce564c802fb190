#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace anchor::cli {

// Which keys are still to be written before reads can be measured.
class BenchFill {
 public:
  explicit BenchFill(std::uint64_t keys) : keys_(keys) {}

  // A key to be written now; none if all are under way or done.
  std::optional<std::uint64_t> next() {
    if (!again_.empty()) {
      const std::uint64_t key = again_.back();
      again_.pop_back();
      return key;
    }
    if (next_ == keys_) return std::nullopt;
    return next_++;
  }
  // A key from next() is written.
  void filled() { ++filled_; }
  // A key from next() is not, or nobody knows; writing it twice does no harm.
  void again(std::uint64_t key) { again_.push_back(key); }

  bool done() const { return filled_ == keys_; }
  unsigned percent() const {
    return keys_ == 0 ? 100 : static_cast<unsigned>(filled_ * 100 / keys_);
  }

 private:
  const std::uint64_t keys_;
  std::uint64_t next_ = 0;
  std::uint64_t filled_ = 0;
  std::vector<std::uint64_t> again_;
};

}  // namespace anchor::cli
