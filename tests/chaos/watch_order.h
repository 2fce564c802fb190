#pragma once

#include <string>
#include <vector>

#include "tests/chaos/watch_history.h"

// What one connection of a watch tells by itself, without the others and without the history.
namespace anchor::chaos {

// All up to this revision has been shown, from the one that was asked for. Below that: nothing was.
// Adds what is out of order to `found`.
Revision check_order(const WatchConnection& connection, std::vector<std::string>& found);

// Revisions that some connection showed all of.
class Covered {
 public:
  void add(Revision from, Revision through) { spans_.push_back({from, through}); }
  // Call it after the last add().
  void finish();
  // True if all of these are covered; there may be none of them.
  bool has(Revision from, Revision through) const;

 private:
  struct Span {
    Revision from = 0;
    Revision through = 0;
  };
  // Once finished: in order, with gaps between them.
  std::vector<Span> spans_;
};

std::string describe(const WatchConnection& connection, const Shown& shown);

}  // namespace anchor::chaos
