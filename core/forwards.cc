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
  origins_.clear();
}

bool TakenForwards::take(const raft::Peer& origin, raft::Boot boot, std::uint64_t sequence) {
  const auto found = origins_.try_emplace(origin, Origin{boot, {}}).first;
  Origin& newest = found->second;
  if (boot < newest.boot) return false;
  if (boot > newest.boot) newest = {boot, {}};
  return newest.window.take(sequence);
}

}  // namespace anchor
