#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/event_stream.h"
#include "tests/chaos/host.h"
#include "tests/chaos/watch_history.h"
#include "tests/cluster/connection.h"

namespace anchor::chaos {

struct WatcherCounts {
  std::atomic<std::uint64_t> events = 0;
  std::atomic<std::uint64_t> progress = 0;
  std::atomic<std::uint64_t> resumptions = 0;
  std::atomic<std::uint64_t> within = 0;  // of these, within a revision
  std::atomic<std::uint64_t> resyncs = 0;
};

// Watchers on a host of their own, each of which watches all keys that clients write, through any
// server and then through another, and keeps what it was shown.
class Watchers {
 public:
  Watchers(std::size_t count, std::uint64_t seed, const Host& host,
           std::vector<cluster::Endpoint> servers);
  ~Watchers() { stop(); }
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;

  // From now on each stays where it is, unless that ends.
  void stay() { staying_ = true; }
  // Waits until each has heard of all up to the revision. Who has not, which is a violation.
  // Requires: they stay, and nothing is broken.
  std::vector<std::string> hear_all(Revision last);
  void stop();
  // Requires: stopped.
  const std::vector<WatchConnection>& connections() const { return connections_; }
  // What they saw themselves; what they were shown has the rest.
  const std::vector<std::string>& violations() const { return violations_; }
  const WatcherCounts& counts() const { return counts_; }

 private:
  struct Watcher {
    std::uint32_t number = 0;
    std::minstd_rand random;
    // The last id; and the last revision up to which all was shown, or skipped.
    Revision last_id = 0;
    std::atomic<Revision> heard = 0;
    // The oldest revision that could be read, if it has just met with a resync.
    Revision compacted = 0;
    std::vector<WatchConnection> connections;
    std::vector<std::string> violations;
    std::thread thread;
  };
  // How long a watcher stays at one server.
  struct Stay {
    std::uint64_t events_most = 0;
    bool leaves_within = false;
    Duration silence_most{};
  };

  void run(Watcher& watcher);
  void watch(Watcher& watcher);
  Revision choose_last_id(Watcher& watcher);
  void follow(Watcher& watcher, cluster::Connection& connection, WatchConnection& seen);
  bool take(Watcher& watcher, EventStream& stream, WatchConnection& seen, Stay& stay);
  void keep(Watcher& watcher, const Shown& shown, WatchConnection& seen);

  const Host& host_;
  const std::vector<cluster::Endpoint> servers_;
  std::atomic<bool> staying_ = false;
  std::atomic<bool> stopping_ = false;
  WatcherCounts counts_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::vector<WatchConnection> connections_;
  std::vector<std::string> violations_;
};

}  // namespace anchor::chaos
