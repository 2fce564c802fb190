#pragma once

#include <cstddef>
#include <string>

#include "tests/bench/cluster/load.h"
#include "tests/bench/cluster/server.h"

namespace anchor::bench {

// What became of the keys that a load created, set beside what its clients were told.
struct Verification {
  std::size_t acknowledged = 0;
  std::size_t lost = 0;  // of these
  std::size_t refused = 0;
  std::size_t refused_applied = 0;
  std::size_t unknown = 0;
  std::size_t unknown_applied = 0;
  std::size_t cut_off = 0;  // the connection was lost
  std::size_t cut_off_applied = 0;
  std::size_t unexpected = 0;  // answers
  // Of all that are there.
  std::size_t wrong_value = 0;
  std::size_t twice = 0;  // written more than once

  bool sound() const {
    return lost == 0 && wrong_value == 0 && twice == 0 && refused_applied == 0 && unexpected == 0;
  }
  void print() const;
};

// By linearizable reads on this server. Requires: the load created keys, and is stopped.
Verification verify(const Server& server, const Load& load);

// For the end of a measurement's summary.
std::string verdict(bool sound);

}  // namespace anchor::bench
