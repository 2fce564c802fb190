#include <sys/resource.h>

#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/cluster/load.h"
#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/usage.h"
#include "tests/cluster/connection.h"

namespace anchor::bench {
namespace {

// Of one server, while the clients write what nobody watches; and while nobody writes.
struct Cost {
  std::uint64_t memory = 0;
  double cpu_us_a_write = 0;
  double writes_a_second = 0;
  double idle_cpu_percent = 0;
};

double cpu_us(const Server& server) {
  return static_cast<double>(cpu_time(server.pid()).count());
}

Cost measure(const LocalCluster& cluster, const Server& server, const WatchersOptions& options) {
  Cost cost;
  const auto length = std::chrono::seconds(options.seconds);
  double before = cpu_us(server);
  std::this_thread::sleep_for(length);
  cost.idle_cpu_percent = (cpu_us(server) - before) / static_cast<double>(options.seconds) / 10'000;
  Load load({.ports = {server.http_port()}, .clients = options.clients, .keys = 10'000});
  load.wait_for_acknowledged(1000);
  before = cpu_us(server);
  const std::uint64_t written = load.acknowledged_count();
  std::this_thread::sleep_for(length);
  const auto writes = static_cast<double>(load.acknowledged_count() - written);
  cost.cpu_us_a_write = (cpu_us(server) - before) / writes;
  cost.writes_a_second = writes / static_cast<double>(options.seconds);
  load.stop();
  cluster.wait_until_equal();
  cost.memory = resident_bytes(server.pid());
  return cost;
}

void allow_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::vector<cluster::Connection> watch(const Server& server, std::size_t count) {
  std::vector<cluster::Connection> watchers;
  for (std::size_t i = 0; i < count; ++i) {
    auto opened = cluster::Connection::open(server.http_port());
    if (!opened) give_up("a connection failed: " + opened.error().message);
    watchers.push_back(*std::move(opened));
    const std::string target = "/watch?key=nobody-writes-" + std::to_string(i);
    const auto sent =
        watchers.back().send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto head = watchers.back().receive();
    if (!sent || !head || !head->starts_with("HTTP/1.1 200")) give_up("a watch was refused");
  }
  return watchers;
}

// Those to which anything but heartbeats came, or nothing at all.
std::size_t count_wrong(std::vector<cluster::Connection>& watchers) {
  std::size_t wrong = 0;
  for (cluster::Connection& watcher : watchers) {
    const auto heard = watcher.receive();
    if (!heard || heard->empty() || heard->contains("event")) ++wrong;
  }
  return wrong;
}

}  // namespace

bool measure_watchers(const WatchersOptions& options) {
  constexpr std::size_t kServers = 3;
  allow_descriptors();
  LocalCluster cluster(options.directory, kServers);
  cluster.found(kServers);
  const Server& leader = cluster.leader();
  // Once for the memory that all that is written takes.
  measure(cluster, leader, options);
  const Cost without = measure(cluster, leader, options);
  auto watchers = watch(leader, options.watchers);
  const Cost with = measure(cluster, leader, options);
  const std::size_t wrong = count_wrong(watchers);

  Table table({"on the leader", "memory", "CPU when idle", "CPU a write", "writes/s"});
  for (const auto& [name, cost] : {std::pair{"no watchers", without}, {"watchers", with}}) {
    table.add({name, in_mib(cost.memory), rounded(cost.idle_cpu_percent, 1) + " %",
               rounded(cost.cpu_us_a_write, 1) + " us", rounded(cost.writes_a_second, 0)});
  }
  table.print();
  const double bytes = (static_cast<double>(with.memory) - static_cast<double>(without.memory)) /
                       static_cast<double>(options.watchers);
  std::cout << "\nwatchers: " << options.watchers << " of keys that nobody writes, "
            << rounded(bytes, 0) << " bytes each; a write costs "
            << rounded(with.cpu_us_a_write / without.cpu_us_a_write, 2)
            << " times the CPU that it costs without them; "
            << (wrong == 0 ? "each heard heartbeats and nothing else"
                           : "WRONG: " + std::to_string(wrong) + " heard something else")
            << '\n';
  return wrong == 0;
}

}  // namespace anchor::bench
