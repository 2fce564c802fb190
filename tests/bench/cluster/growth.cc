#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/text.h"
#include "tests/bench/cluster/load.h"
#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/snapshot_watch.h"
#include "tests/bench/cluster/usage.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kServers = 3;
constexpr std::size_t kRows = 15;

// What one server takes, in bytes.
struct Usage {
  std::uint64_t memory = 0;
  std::uint64_t log = 0;
  std::uint64_t snapshots = 0;
};

struct Moment {
  Duration after{};
  std::uint64_t value_bytes = 0;  // written until then
  std::array<Usage, kServers> servers{};
};

Usage usage_of(const Server& server) {
  return {.memory = resident_bytes(server.pid()),
          .log = std::filesystem::file_size(server.data_directory() + "/raft.db"),
          .snapshots = size_of_files(snapshot_directory(server))};
}

std::vector<Moment> observe(const LocalCluster& cluster, const Load& load, Duration length) {
  const auto interval = std::clamp<Duration>(length / 60, 500ms, 5s);
  std::vector<Moment> moments;
  const TimePoint begin = Clock::now();
  for (TimePoint next = begin + interval; next <= begin + length; next += interval) {
    std::this_thread::sleep_until(next);
    Moment moment{.after = between(begin, Clock::now()),
                  .value_bytes = load.acknowledged_count() * load.options().value_bytes};
    for (std::size_t i = 0; i < kServers; ++i) moment.servers[i] = usage_of(cluster[i]);
    moments.push_back(moment);
  }
  return moments;
}

void print_some(const std::vector<Moment>& moments) {
  std::vector<std::string> head{"after", "values"};
  for (std::size_t i = 1; i <= kServers; ++i) {
    const std::string id = "n" + std::to_string(i);
    head.insert(head.end(), {id + " memory", "raft.db", "snapshots"});
  }
  Table table(std::move(head));
  const std::size_t step = (moments.size() + kRows - 1) / kRows;
  for (std::size_t i = step - 1; i < moments.size(); i += step) {
    const Moment& moment = moments[i];
    std::vector<std::string> row{std::to_string(moment.after.count() / 1'000'000) + " s",
                                 in_mib(moment.value_bytes)};
    for (const Usage& usage : moment.servers) {
      row.insert(row.end(), {in_mib(usage.memory), in_mib(usage.log), in_mib(usage.snapshots)});
    }
    table.add(std::move(row));
  }
  table.print();
}

// Of all servers.
Usage largest(std::span<const Moment> moments) {
  Usage most;
  for (const Moment& moment : moments) {
    for (const Usage& usage : moment.servers) {
      most.memory = std::max(most.memory, usage.memory);
      most.log = std::max(most.log, usage.log);
      most.snapshots = std::max(most.snapshots, usage.snapshots);
    }
  }
  return most;
}

}  // namespace

bool measure_growth(const GrowthOptions& options) {
  const std::uint64_t snapshot_bytes = parse_size(options.snapshot_bytes).value();
  LocalCluster cluster(options.directory, kServers);
  cluster.found(kServers, {"--snapshot-bytes", options.snapshot_bytes});
  Load load({.ports = cluster.http_ports(),
             .clients = options.clients,
             .value_bytes = options.value_bytes,
             .keys = options.keys});
  const auto moments = observe(cluster, load, std::chrono::seconds(options.seconds));
  load.stop();
  cluster.wait_until_equal();

  print_some(moments);
  const std::size_t third = moments.size() / 3;
  if (third == 0) give_up("that was too short to be divided into thirds");
  const std::span all(moments);
  const Usage first = largest(all.first(third));
  const Usage last = largest(all.last(third));
  std::cout << '\n';
  Table table({"largest of any server", "memory", "raft.db", "snapshots"});
  table.add({"first third", in_mib(first.memory), in_mib(first.log), in_mib(first.snapshots)});
  table.add({"last third", in_mib(last.memory), in_mib(last.log), in_mib(last.snapshots)});
  table.print();

  const std::uint64_t written = load.acknowledged_count() * options.value_bytes;
  const std::size_t unexpected = count_of(load.writes(), Outcome::kOther);
  // Before the log was cut a few times, it has not reached its size.
  const bool long_enough = moments[third - 1].value_bytes >= 3 * snapshot_bytes;
  const bool grew = long_enough && (last.log > 2 * first.log || last.memory > 2 * first.memory ||
                                    last.snapshots > 2 * first.snapshots);
  std::cout << "\ngrowth: " << in_mib(written) << " of values, "
            << written / std::max<std::uint64_t>(snapshot_bytes, 1)
            << " times --snapshot-bytes; raft.db " << in_mib(first.log) << " in the first third, "
            << in_mib(last.log) << " in the last, memory " << in_mib(first.memory) << " and "
            << in_mib(last.memory) << "; ";
  if (unexpected > 0) {
    std::cout << "WRONG: unexpected answers\n";
  } else if (grew) {
    std::cout << "WRONG: it grows\n";
  } else {
    std::cout << (long_enough ? "bounded\n" : "too little was written to judge by\n");
  }
  return !grew && unexpected == 0;
}

}  // namespace anchor::bench
