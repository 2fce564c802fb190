#include <iostream>
#include <thread>
#include <vector>

#include "tests/bench/cluster/exchange.h"
#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/verification.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kValueBytes = 256;

struct Joined {
  Window window{};  // until it was a voter and ready
  Duration until_voter{};
  Duration until_ready{};
};

Joined join(const LocalCluster& cluster, Server& joiner, const std::vector<std::string>& options) {
  std::vector<std::string> all{"--peers", cluster[0].peer_address()};
  all.insert(all.end(), options.begin(), options.end());
  const TimePoint begin = Clock::now();
  joiner.start(all);
  std::optional<Duration> voter;
  std::optional<Duration> ready;
  const bool done = cluster::eventually([&] {
    if (!voter && cluster[0].voter_count() == 4) voter = between(begin, Clock::now());
    if (!ready && joiner.is_ready()) ready = between(begin, Clock::now());
    return voter && ready;
  });
  if (!done) give_up("the fourth server does not become a voter that is ready");
  return {{begin, Clock::now()}, *voter, *ready};
}

std::vector<std::string> row_of(const char* what, const std::vector<Write>& writes,
                                const Window& window) {
  const Sample sample = latencies(writes, window);
  return {what,
          in_ms(between(window.begin, window.end)),
          std::to_string(sample.count()),
          in_ms(sample.median()),
          in_ms(sample.percentile(99)),
          in_ms(sample.max()),
          in_ms(longest_gap(writes, window))};
}

}  // namespace

bool measure_join(const JoinOptions& options) {
  const std::vector<std::string> more{"--snapshot-bytes", options.snapshot_bytes};
  LocalCluster cluster(options.directory, 4);
  cluster.found(3, more);
  fill(cluster.leader().http_port(), options.keys, kValueBytes);
  auto ports = cluster.http_ports();
  ports.pop_back();
  Load load({.ports = std::move(ports), .clients = options.clients, .value_bytes = kValueBytes});
  load.wait_for_acknowledged(100);
  const TimePoint before = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
  Server& joiner = cluster[3];
  const Joined joined = join(cluster, joiner, more);
  std::this_thread::sleep_for(1s);
  load.stop();
  cluster.wait_until_equal();

  Table table({"writes", "in", "count", "p50", "p99", "max", "longest gap"});
  table.add(row_of("before it joined", load.writes(), {before, joined.window.begin}));
  table.add(row_of("while it joined", load.writes(), joined.window));
  table.print();
  const bool installed = joiner.output().contains("installed the snapshot at index");
  std::cout << '\n'
            << (installed ? "it was sent a snapshot\n"
                          : "WRONG: it was sent the log, and no snapshot\n");
  const std::size_t wrong = count_wrong(joiner.http_port(), options.keys, kValueBytes);
  const Verification found = verify(joiner, load);
  found.print();
  const bool sound = found.sound() && wrong == 0 && installed;
  std::cout << "join: a voter after " << in_ms(joined.until_voter) << ", ready after "
            << in_ms(joined.until_ready) << ", " << options.keys << " keys before it and "
            << found.acknowledged << " since read from it, " << wrong << " of the former wrong; "
            << verdict(sound) << '\n';
  return sound;
}

}  // namespace anchor::bench
