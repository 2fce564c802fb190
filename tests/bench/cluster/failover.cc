#include <algorithm>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/verification.h"

namespace anchor::bench {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(10);
constexpr auto kLongest = std::chrono::minutes(1);

struct Kill {
  TimePoint begin{};
  TimePoint gone{};  // nothing was acknowledged by that leader any more
};

// Clients of a closed loop wait for what they asked of the dead leader; others come meanwhile.
void start_writes_until_one_is_acknowledged(const LocalCluster& cluster, const Server& dead,
                                            TimePoint gone, Load& load) {
  const TimePoint end = Clock::now() + kLongest;
  for (std::size_t i = 0; !load.acknowledged_since(gone); ++i) {
    if (Clock::now() > end) give_up("no write was acknowledged after a kill");
    const std::size_t server = i % cluster.size();
    if (&cluster[server] == &dead) continue;
    load.start_write(server);
    std::this_thread::sleep_for(kInterval);
  }
}

Kill kill_leader(const LocalCluster& cluster, Load& load) {
  load.wait_for_acknowledged(100);
  Server& leader = cluster.leader();
  const TimePoint begin = Clock::now();
  leader.kill();
  const Kill kill{begin, Clock::now()};
  start_writes_until_one_is_acknowledged(cluster, leader, kill.gone, load);
  load.wait_for_acknowledged(100);
  leader.start({});
  cluster.wait_until_ready();
  load.wait_for_started_writes();
  return kill;
}

// An answer that comes after the kill may be the dead leader's still: only a write that began when
// it was gone is another leader's.
Duration outage(const Load& load, const Kill& kill, bool of_closed_loop) {
  const auto& writes = load.writes();
  auto at = std::ranges::lower_bound(writes, kill.gone, {}, &Write::end);
  at = std::find_if(at, writes.end(), [&](const Write& write) {
    return write.outcome == Outcome::kAcknowledged && write.begin >= kill.gone &&
           !(of_closed_loop && load.is_started(write));
  });
  if (at == writes.end()) give_up("no write was acknowledged after a kill");
  return between(kill.begin, at->end);
}

Sample outages(const Load& load, const std::vector<Kill>& kills, bool of_closed_loop) {
  std::vector<Duration> found;
  for (const Kill& kill : kills) found.push_back(outage(load, kill, of_closed_loop));
  return Sample(std::move(found));
}

}  // namespace

bool measure_failover(const FailoverOptions& options) {
  LocalCluster cluster(options.directory, 3);
  cluster.found(3);
  Load load({.ports = cluster.http_ports(), .clients = options.clients});
  std::vector<Kill> kills;
  for (std::size_t i = 0; i < options.kills; ++i) {
    kills.push_back(kill_leader(cluster, load));
  }
  load.stop();
  cluster.wait_until_equal();

  const Sample any = outages(load, kills, false);
  const Sample closed_loop = outages(load, kills, true);
  Table table({"from kill -9 of the leader to the next acknowledged write", "kills", "min",
               "median", "p90", "worst"});
  const auto add = [&](const char* of_whom, const Sample& sample) {
    table.add({of_whom, std::to_string(sample.count()), in_ms(sample.min()), in_ms(sample.median()),
               in_ms(sample.percentile(90)), in_ms(sample.max())});
  };
  add("of anybody; a write begins every 10 ms", any);
  add("of the load's clients, which wait for their answers", closed_loop);
  table.print();
  const Verification found = verify(cluster[0], load);
  found.print();
  std::cout << "failover: median " << in_ms(any.median()) << " (aim: under 700 ms), worst "
            << in_ms(any.max()) << ", of waiting clients " << in_ms(closed_loop.median()) << "; "
            << found.acknowledged << " writes, " << verdict(found.sound()) << '\n';
  return found.sound();
}

}  // namespace anchor::bench
