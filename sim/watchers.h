#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/watches.h"
#include "sim/choices.h"
#include "sim/cluster.h"
#include "sim/profile.h"

namespace anchor::sim {

// Clients that watch a key or a prefix on any node, some slowly, and go on elsewhere when that node
// is gone or they have had enough of it: from behind the last revision of which they have seen all.
// What they are shown is held against the model: each change, once, in order, with the key as it
// was and as it is; and nothing left out, up to the revision that a node says it has shown.
class Watchers {
 public:
  Watchers(const Mix& mix, Cluster& cluster, Choices& choices);

  void start();
  // From now on they go to these nodes only, and are not slow.
  void demand(const std::vector<bool>& nodes);
  // All have been shown what there is. Requires: demand().
  bool all_shown() const;

  // Changes that were shown, and watches that ended since some of theirs were compacted.

 private:
  struct Watcher {
    WatchedKeys keys{};
    // It has seen all of every revision before this one, and so many of its changes.
    kv::Revision next{};
    std::size_t seen = 0;
    // Where it watches; none: nowhere at present.
    std::optional<std::size_t> node{};
    std::uint64_t life = 0;  // of the node
    WatchId id{};
  };

  void later(std::size_t number);
  void turn(std::size_t number);
  void begin(Watcher& watcher, std::size_t number);
  void connect(Watcher& watcher, std::size_t number);
  void leave(Watcher& watcher);
  // Reads once; true: there may be more.
  bool read(Watcher& watcher, std::size_t number);
  void check_event(Watcher& watcher, const Watches::Event& event, const std::string& who);
  void check_all_shown(Watcher& watcher, kv::Revision revision, const std::string& who) const;
  // The changes of a revision that are watched.
  std::vector<std::string> wanted(const Watcher& watcher, kv::Revision revision) const;

  const Mix& mix_;
  Cluster& cluster_;
  Choices& choices_;
  std::vector<Watcher> watchers_;
  std::vector<std::size_t> demanded_of_;
};

}  // namespace anchor::sim
