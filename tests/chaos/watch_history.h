#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/chaos/history.h"

// What watchers were shown of a cluster's keys, and whether that is what happened to them.
namespace anchor::chaos {

// One thing that a watch showed.
struct Shown {
  enum class Kind : std::uint8_t { kEvent, kProgress, kResync };

  Kind kind = Kind::kEvent;
  // It has an id: it says that it is the last of its revision.
  bool last_of_revision = false;
  std::uint32_t key = 0;
  Revision revision = 0;
  // Zero: the key was deleted.
  std::uint64_t value = 0;
  // What was there before; zero: nothing. Of a resync: the oldest revision that can be read.
  Revision previous_revision = 0;
  std::uint64_t previous_value = 0;

  friend bool operator==(const Shown&, const Shown&) = default;
};

// What came over one connection, which may have ended anywhere.
struct WatchConnection {
  std::uint32_t watcher = 0;
  std::uint32_t server = 0;
  // The first revision that was asked for.
  Revision from = 0;
  std::vector<Shown> shown{};
};

std::string describe(const WatchConnection& connection);

// What no watch of all keys would have shown, a line each; empty: nothing. What a revision did must
// be the same for all, told whole and in order by each connection that went past it, explained by
// one write of the history or by one transaction, and all that the history knows of must be there.
// Takes n log n time.
std::vector<std::string> find_watch_violations(const std::vector<Operation>& history,
                                               const std::vector<WatchConnection>& connections);

}  // namespace anchor::chaos
