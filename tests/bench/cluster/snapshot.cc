#include <algorithm>
#include <iostream>
#include <thread>
#include <vector>

#include "tests/bench/cluster/exchange.h"
#include "tests/bench/cluster/load.h"
#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/snapshot_watch.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kValueBytes = 256;

// With few snapshots on the way; then the servers start anew with the options for the measurement.
void prepare(LocalCluster& cluster, const SnapshotOptions& options) {
  cluster.found(3, {"--snapshot-bytes", "256MiB"});
  const TimePoint begin = Clock::now();
  fill(cluster.leader().http_port(), options.keys, kValueBytes);
  cluster.wait_until_equal();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin);
  std::cout << options.keys << " keys written in " << seconds.count() << " s\n";
  for (Server* server : cluster.running()) server->kill();
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster[i].start({"--snapshot-bytes", options.snapshot_bytes});
  }
  cluster.wait_until_ready();
  // By then the log of the keys is longer than they want it to be.
  const SnapshotWatch watch(cluster);
  if (!cluster::eventually([&] { return watch.quiet_for() > 3s; })) {
    give_up("the servers write one snapshot after another; give a larger --snapshot-bytes");
  }
}

struct Latencies {
  std::vector<Duration> quiet{};     // no server wrote a snapshot meanwhile
  std::vector<Duration> follower{};  // a follower did
  std::vector<Duration> leader{};    // the leader did
};

Latencies classify(const std::vector<Write>& writes, const SnapshotWatch& watch, std::size_t places,
                   std::size_t leader) {
  Latencies found;
  for (const Write& write : writes) {
    if (write.outcome != Outcome::kAcknowledged) continue;
    const auto meets = [&](std::size_t place) {
      return std::ranges::any_of(watch.windows(place), [&](const Window& window) {
        return window.overlaps({write.begin, write.end});
      });
    };
    bool any = false;
    for (std::size_t place = 0; place < places; ++place) any = any || meets(place);
    auto& kind = meets(leader) ? found.leader : any ? found.follower : found.quiet;
    kind.push_back(between(write.begin, write.end));
  }
  return found;
}

// Says whether it is a ratio at all.
bool print(Latencies found) {
  const Sample quiet(std::move(found.quiet));
  const Sample leader(std::move(found.leader));
  Table table({"writes that met", "count", "p50", "p99", "max"});
  const auto add = [&](const char* what, const Sample& sample) {
    table.add({what, std::to_string(sample.count()), in_ms(sample.median()),
               in_ms(sample.percentile(99)), in_ms(sample.max())});
  };
  add("no snapshot", quiet);
  add("one on followers only", Sample(std::move(found.follower)));
  add("one on the leader", leader);
  table.print();
  if (quiet.count() == 0 || leader.count() == 0) return false;
  const double ratio = static_cast<double>(leader.percentile(99).count()) /
                       static_cast<double>(quiet.percentile(99).count());
  std::cout << "\nsnapshot: p99 " << in_ms(leader.percentile(99)) << " during, "
            << in_ms(quiet.percentile(99)) << " without, ratio " << rounded(ratio, 2)
            << " (aim: at most 1.5)";
  return true;
}

}  // namespace

bool measure_snapshot(const SnapshotOptions& options) {
  LocalCluster cluster(options.directory, 3);
  prepare(cluster, options);
  const Server& leader = cluster.leader();
  const auto running = cluster.running();
  const auto leader_place =
      static_cast<std::size_t>(std::ranges::find(running, &leader) - running.begin());

  SnapshotWatch watch(cluster);
  Load load({.ports = cluster.http_ports(),
             .clients = options.clients,
             .value_bytes = kValueBytes,
             .keys = options.keys});
  static_cast<void>(
      cluster::eventually([&] { return watch.finished_count(leader_place) >= options.snapshots; },
                          std::chrono::seconds(options.seconds)));
  load.stop();
  watch.stop();
  const bool same_leader = &cluster.leader() == &leader;
  cluster.wait_until_equal();

  std::vector<Duration> lengths;
  for (const Window& window : watch.windows(leader_place)) {
    lengths.push_back(between(window.begin, window.end));
  }
  std::cout << watch.finished_count(leader_place) << " snapshots on the leader, "
            << in_ms(Sample(std::move(lengths)).median()) << " each; the files kept take "
            << in_mib(size_of_files(snapshot_directory(leader))) << "\n\n";
  if (!print(classify(load.writes(), watch, running.size(), leader_place))) {
    std::cout << "\nsnapshot: there is nothing to compare: more --seconds are needed";
  }
  const std::size_t unexpected = count_of(load.writes(), Outcome::kOther);
  if (!same_leader) std::cout << "; the leader changed meanwhile";
  std::cout << (unexpected == 0 ? "\n" : "; WRONG: unexpected answers\n");
  return unexpected == 0;
}

}  // namespace anchor::bench
