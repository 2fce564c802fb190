#pragma once

#include <bitset>
#include <cstdint>
#include <map>

#include "core/raft/types.h"

namespace anchor {

// Which of one origin's forwarded requests were taken. It remembers the newest so many sequences;
// one that is older counts as taken, which is the safe mistake: its outcome stays unknown to the
// client.
class SequenceWindow {
 public:
  static constexpr std::uint64_t kRemembered = 4096;

  // True the first time, and only then.
  bool take(std::uint64_t sequence);

 private:
  std::uint64_t highest_ = 0;
  // Bit s % kRemembered is for sequence s, of those in (highest_ - kRemembered, highest_].
  std::bitset<kRemembered> taken_;
};

// Which forwarded requests a leader has taken in its term: each is taken once, whatever the network
// does with copies of it. Kept after the term, to tell a request that was never taken from one that
// was. Of each origin it remembers the newest boot: what an older one sent counts as taken.
class TakenForwards {
 public:
  raft::Term term() const { return term_; }
  // Forgets all. Requires: `term` is above term().
  void begin(raft::Term term);
  // Whether anything of it was taken in the term.
  bool knows(const raft::Peer& origin) const { return origins_.contains(origin); }
  bool take(const raft::Peer& origin, raft::Boot boot, std::uint64_t sequence);

 private:
  struct Origin {
    raft::Boot boot;
    SequenceWindow window;
  };

  raft::Term term_;
  std::map<raft::Peer, Origin> origins_;
};

}  // namespace anchor
