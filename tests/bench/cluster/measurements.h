#pragma once

#include <cstddef>
#include <string>

namespace anchor::bench {

// Each sets up a cluster of its own, prints a table and a line that sums it up, and says whether
// all was right. How fast it was is not its business. `directory` is its own, and
// `snapshot_bytes` are what parse_size() takes.

struct FailoverOptions {
  std::string directory;
  std::size_t kills = 50;
  std::size_t clients = 8;
};
// For how long no write is acknowledged after kill -9 of the leader.
bool measure_failover(const FailoverOptions& options);

struct TransferOptions {
  std::string directory;
  std::size_t transfers = 100;
  std::size_t clients = 8;
};
// For how long writes pause while leadership is handed over on request.
bool measure_transfer(const TransferOptions& options);

struct SnapshotOptions {
  std::string directory;
  std::size_t keys = 1'000'000;
  std::size_t clients = 4;
  std::size_t snapshots = 5;
  std::size_t seconds = 180;
  std::string snapshot_bytes = "8MiB";
};
// How long writes take while snapshots of a large state are written, and while none is.
bool measure_snapshot(const SnapshotOptions& options);

struct GrowthOptions {
  std::string directory;
  std::size_t seconds = 120;
  std::size_t keys = 10'000;
  std::size_t clients = 16;
  std::size_t value_bytes = 1024;
  std::string snapshot_bytes = "16MiB";
};
// How much memory and disk the servers take while the same keys are written again and again.
bool measure_growth(const GrowthOptions& options);

struct JoinOptions {
  std::string directory;
  std::size_t keys = 100'000;
  std::size_t clients = 8;
  std::size_t seconds = 10;  // before it joins
  std::string snapshot_bytes = "8MiB";
};
// How long a fourth server takes to become a voter, and what the clients notice of it.
bool measure_join(const JoinOptions& options);

struct ReplaceOptions {
  std::string directory;
  std::size_t clients = 8;
};
// Three of five voters are replaced: whether clients that try elsewhere notice anything.
bool measure_replace(const ReplaceOptions& options);

struct WatchersOptions {
  std::string directory;
  std::size_t watchers = 10'000;
  std::size_t clients = 16;
  std::size_t seconds = 10;
};
// What watchers of keys that nobody writes cost the server that has them all.
bool measure_watchers(const WatchersOptions& options);

struct LeasesOptions {
  std::string directory;
  std::size_t leases = 100'000;
  std::size_t ending = 10'000;
  std::size_t clients = 8;
};
// What leases cost, and what writes notice when many of them end at once.
bool measure_leases(const LeasesOptions& options);

}  // namespace anchor::bench
