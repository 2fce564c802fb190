#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/cluster/figures.h"
#include "tests/bench/cluster/local_cluster.h"

namespace anchor::bench {

std::string snapshot_directory(const Server& server);
// Of all files in a directory.
std::uint64_t size_of_files(const std::string& directory);

// Sees, from the files' names, when the servers write snapshots.
class SnapshotWatch {
 public:
  // Watches the places that run now. Requires: the cluster outlives this.
  explicit SnapshotWatch(const LocalCluster& cluster);
  ~SnapshotWatch() { stop(); }
  SnapshotWatch(const SnapshotWatch&) = delete;
  SnapshotWatch& operator=(const SnapshotWatch&) = delete;

  // Snapshots whole, of the first server that was watched and so on.
  std::size_t finished_count(std::size_t place) const { return places_[place].finished; }
  // For how long nobody has been writing one.
  Duration quiet_for() const { return between(TimePoint(last_seen_.load()), Clock::now()); }
  void stop();

  // When they were written, a little of the time after included. Requires: stopped.
  const std::vector<Window>& windows(std::size_t place) const { return places_[place].windows; }

 private:
  struct Place {
    std::string directory;
    std::atomic<std::size_t> finished = 0;
    std::optional<TimePoint> writing_since{};
    std::vector<Window> windows{};
  };

  void watch(Place& place);

  std::vector<Place> places_;
  std::atomic<TimePoint::duration> last_seen_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace anchor::bench
