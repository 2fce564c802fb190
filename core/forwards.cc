#include "core/forwards.h"

#include "core/base/assert.h"

namespace anchor {

bool SequenceWindow::take(std::uint64_t sequence) {
  if (sequence > highest_) {
    if (sequence - highest_ >= kRemembered) {
      taken_.reset();
    } else {
      for (std::uint64_t fresh = highest_; fresh < sequence;) taken_.reset(++fresh % kRemembered);
    }
    highest_ = sequence;
  } else if (highest_ - sequence >= kRemembered) {
    return false;
  }
  if (taken_.test(sequence % kRemembered)) return false;
  taken_.set(sequence % kRemembered);
  return true;
}

void TakenForwards::begin(raft::Term term) {
  ANCHOR_ASSERT(term > term_);
  term_ = term;
  windows_.clear();
}

bool TakenForwards::take(const raft::Peer& origin, raft::Boot boot, std::uint64_t sequence) {
  return windows_[{origin, boot}].take(sequence);
}

}  // namespace anchor
