#include "tests/bench/cluster/snapshot_watch.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace anchor::bench {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(5);
// The snapshot before it is removed, and the log is cut.
constexpr auto kAftermath = std::chrono::milliseconds(200);

// A snapshot has this name until it is whole (core/codec/snapshot_directory.h).
bool has_unfinished_snapshot(const std::string& directory) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(directory, error);
  if (error) return false;
  return std::any_of(begin(entries), end(entries), [](const auto& entry) {
    return entry.path().native().ends_with(".snap.new");
  });
}

}  // namespace

std::string snapshot_directory(const Server& server) {
  return server.data_directory() + "/snapshots";
}

std::uint64_t size_of_files(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::uint64_t size = entry.file_size(error);
    // It may be gone meanwhile.
    if (!error) bytes += size;
  }
  return bytes;
}

SnapshotWatch::SnapshotWatch(const LocalCluster& cluster)
    : places_(cluster.running().size()), last_seen_(Clock::now().time_since_epoch()) {
  const auto running = cluster.running();
  for (std::size_t i = 0; i < running.size(); ++i) {
    places_[i].directory = snapshot_directory(*running[i]);
  }
  thread_ = std::thread([this] {
    while (!stopping_) {
      for (Place& place : places_) watch(place);
      std::this_thread::sleep_for(kInterval);
    }
  });
}

void SnapshotWatch::watch(Place& place) {
  const bool writing = has_unfinished_snapshot(place.directory);
  const TimePoint now = Clock::now();
  if (writing) {
    last_seen_ = now.time_since_epoch();
    if (!place.writing_since) place.writing_since = now - kInterval;
  } else if (place.writing_since) {
    place.windows.push_back({*place.writing_since, now + kAftermath});
    place.writing_since.reset();
    ++place.finished;
  }
}

void SnapshotWatch::stop() {
  if (stopping_.exchange(true)) return;
  thread_.join();
  for (Place& place : places_) {
    if (place.writing_since) place.windows.push_back({*place.writing_since, Clock::now()});
  }
}

}  // namespace anchor::bench
