#include <iostream>
#include <thread>
#include <vector>

#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/verification.h"

namespace anchor::bench {
namespace {

// A transfer's window: from before the request until after its answer.
constexpr auto kBefore = std::chrono::milliseconds(20);
constexpr auto kAfter = std::chrono::milliseconds(200);

struct Transfer {
  Window window;
  bool done = false;
};

Transfer transfer(const LocalCluster& cluster, std::size_t number) {
  const Server& leader = cluster.leader();
  std::vector<const Server*> others;
  for (const Server* server : cluster.running()) {
    if (server != &leader) others.push_back(server);
  }
  const std::string& target = others[number % others.size()]->id();
  const TimePoint begin = Clock::now();
  const auto answer = leader.post("/transfer", {{"to", target}});
  const TimePoint end = Clock::now();
  std::this_thread::sleep_for(kAfter);
  return {.window = {begin - kBefore, end + kAfter}, .done = answer && answer->status == 200};
}

Sample gaps(const std::vector<Write>& writes, const std::vector<Window>& windows) {
  std::vector<Duration> found;
  for (const Window& window : windows) found.push_back(longest_gap(writes, window));
  return Sample(std::move(found));
}

}  // namespace

bool measure_transfer(const TransferOptions& options) {
  LocalCluster cluster(options.directory, 3);
  cluster.found(3);
  Load load({.ports = cluster.http_ports(), .clients = options.clients});
  std::vector<Window> windows;
  std::size_t refused = 0;
  std::vector<Window> quiet;  // as long, without a transfer
  for (std::size_t i = 0; i < options.transfers; ++i) {
    load.wait_for_acknowledged(100);
    const TimePoint begin = Clock::now();
    std::this_thread::sleep_for(kBefore + kAfter);
    quiet.push_back({begin, Clock::now()});
    const Transfer transferred = transfer(cluster, i);
    windows.push_back(transferred.window);
    refused += transferred.done ? 0 : 1;
  }
  load.stop();
  cluster.wait_until_equal();

  const Sample with = gaps(load.writes(), windows);
  const Sample without = gaps(load.writes(), quiet);
  Table table({"longest time without an acknowledged write", "count", "median", "p99", "worst"});
  const auto add = [&](const char* what, const Sample& sample) {
    table.add({what, std::to_string(sample.count()), in_ms(sample.median()),
               in_ms(sample.percentile(99)), in_ms(sample.max())});
  };
  add("around a transfer", with);
  add("without one, in as long a time", without);
  table.print();
  const Verification found = verify(cluster[0], load);
  found.print();
  const std::size_t failed = load.writes().size() - found.acknowledged;
  std::cout << "transfer: p99 " << in_ms(with.percentile(99)) << " (aim: under 50 ms), " << refused
            << " transfers not done (aim: none), " << failed << " of " << load.writes().size()
            << " writes failed (aim: none); " << verdict(found.sound()) << '\n';
  return found.sound() && refused == 0;
}

}  // namespace anchor::bench
