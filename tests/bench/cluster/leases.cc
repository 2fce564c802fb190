#include <iostream>
#include <string>
#include <thread>

#include "tests/bench/cluster/exchange.h"
#include "tests/bench/cluster/load.h"
#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/usage.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {
namespace {

constexpr auto kTtl = std::chrono::seconds(20);

// So many keys, each with a lease of its own.
void put_leased(const Server& server, const std::string& prefix, std::size_t count,
                const std::string& ttl) {
  exchange(
      server.http_port(), count,
      {.target = [&](std::size_t i) { return "/kv/" + prefix + std::to_string(i) + "?ttl=" + ttl; },
       .body = [](std::size_t) { return std::string("value"); },
       .take = [](std::size_t,
                  const cluster::HttpAnswer& answer) { return answer.status == 200; }});
}

std::size_t count_of(const Server& server, const std::string& prefix) {
  const auto answer = server.get("/kv/?count=true&prefix=" + prefix);
  if (!answer || answer->status != 200) return SIZE_MAX;
  return nlohmann::json::parse(answer->body).at("count");
}

}  // namespace

bool measure_leases(const LeasesOptions& options) {
  constexpr std::size_t kServers = 3;
  LocalCluster cluster(options.directory, kServers);
  cluster.found(kServers);
  const Server& first = cluster.leader();
  const std::uint64_t memory = resident_bytes(first.pid());
  const TimePoint begin = Clock::now();
  put_leased(first, "long-", options.leases, "1h");
  const Duration took = between(begin, Clock::now());
  const std::uint64_t leased_memory = resident_bytes(first.pid());

  put_leased(first, "short-", options.ending, std::to_string(kTtl.count()) + "s");
  // The next leader gives each all of its time anew: so they end at once.
  const auto transferred = first.post("/transfer", nlohmann::json::object());
  if (!transferred || transferred->status != 200) give_up("leadership was not handed over");
  const TimePoint elected = Clock::now();
  cluster.wait_until_ready();
  const Server& leader = cluster.leader();
  Load load({.ports = {leader.http_port()}, .clients = options.clients, .keys = 10'000});
  std::this_thread::sleep_until(elected + kTtl * 9 / 10);
  const Window before{elected + kTtl / 2, Clock::now()};
  const std::size_t ending = count_of(leader, "short-");
  const bool ended = cluster::eventually([&] { return count_of(leader, "short-") == 0; },
                                         std::chrono::duration_cast<Duration>(4 * kTtl));
  const Window during{before.end, Clock::now()};
  load.stop();
  const std::size_t left = count_of(leader, "long-");

  Table table({"writes", "longest gap", "p50", "p99", "acknowledged"});
  for (const auto& [name, window] :
       {std::pair{"while none ends", before}, {"to the end", during}}) {
    const Sample sample = latencies(load.writes(), window);
    table.add({name, in_ms(longest_gap(load.writes(), window)), in_ms(sample.percentile(50)),
               in_ms(sample.percentile(99)), std::to_string(sample.count())});
  }
  table.print();
  const bool right = ended && ending == options.ending && left == options.leases;
  std::cout << "\nleases: " << options.leases << " with a key each granted in " << in_ms(took)
            << ", " << (leased_memory - memory) / options.leases
            << " bytes of the leader's memory each, with the key; when " << options.ending
            << " ended at once the longest time without a write was "
            << in_ms(longest_gap(load.writes(), during)) << ", before that "
            << in_ms(longest_gap(load.writes(), before)) << "; "
            << (right
                    ? "those that were to stay are there"
                    : "WRONG: " + std::to_string(left) + " of those that were to stay are there, " +
                          std::to_string(ending) + " of the others were")
            << '\n';
  return right;
}

}  // namespace anchor::bench
