// Real servers, each in a network namespace of its own, under kills, pauses, partitions of every
// kind, a bad network, slow disks, transfers and changes of the members; clients whose history is
// judged from outside. ./dev chaos MINUTES builds and runs this.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/clients.h"
#include "tests/chaos/nemesis.h"

namespace anchor::chaos {
namespace {

// ctest's sign that a test was skipped.
constexpr int kSkipped = 77;
constexpr Duration kRound = 20s;

struct Options {
  double minutes = 1;
  std::uint64_t seed = 0;
  std::size_t servers = 5;
  ClientsOptions clients{};
  std::string directory = "build/chaos-data";
};

void print_counts(const Nemesis& nemesis, const WireCounts& wire) {
  std::cout << "\nfaults:\n";
  for (const auto& [what, count] : nemesis.counts())
    std::cout << "  " << count << " x " << what << '\n';
  std::cout << "packets: " << wire.carried << " carried, " << wire.cut << " cut off, " << wire.lost
            << " lost, " << wire.duplicated << " duplicated, " << wire.delayed << " delayed\n";
}

void print_operations(const std::vector<Operation>& history) {
  constexpr const char* kKinds[] = {"puts", "deletes", "reads", "stale reads"};
  std::cout << "operations:\n";
  for (std::size_t kind = 0; kind < std::size(kKinds); ++kind) {
    std::array<std::size_t, 4> outcomes{};
    for (const Operation& operation : history) {
      if (static_cast<std::size_t>(operation.kind) == kind) {
        ++outcomes[static_cast<std::size_t>(operation.outcome)];
      }
    }
    std::cout << "  " << kKinds[kind] << ": " << outcomes[0] << " done, " << outcomes[1]
              << " with a condition that failed, " << outcomes[2] << " refused, " << outcomes[3]
              << " unknown\n";
  }
}

void print_counts(const ClientCounts& counts) {
  std::cout << "  in " << counts.transactions << " transactions, " << counts.lists << " lists, "
            << counts.session_writes << " writes of sessions: sent again " << counts.retries
            << " times without an answer, " << counts.repeated << " times after it\n";
}

// What the servers say that has happened to them.
void print_events(const std::string& directory) {
  constexpr std::pair<const char*, const char*> kEvents[] = {
      {"elected leader", "elections"},
      {"hands leadership over", "transfers begun"},
      {"the log begins after", "logs cut"},
      {"installed the snapshot", "snapshots installed"},
      {"removed from the cluster", "servers that learnt of their removal"}};
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream log(entry.path());
    for (std::string line; std::getline(log, line);) {
      for (const auto& [text, name] : kEvents) counts[name] += line.contains(text) ? 1 : 0;
    }
  }
  std::cout << "events, by the servers' logs:\n";
  for (const auto& [name, count] : counts) std::cout << "  " << count << " x " << name << '\n';
}

// All hold the same. Requires: nobody writes.
std::string compare(const Machines& machines) {
  std::set<std::string> states;
  const bool equal = cluster::eventually([&] {
    states.clear();
    for (const auto& machine : machines) {
      const auto status = machine->status();
      if (!status) return false;
      states.insert(status->at("applied_index").dump() + " " + status->at("digest").dump());
    }
    return states.size() == 1;
  });
  return equal ? "" : "the servers do not come to hold the same";
}

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        wire_(options.servers + 1, options.seed),
        nemesis_(wire_, machines_, options.seed) {
    std::filesystem::remove_all(options_.directory);
    std::filesystem::create_directories(options_.directory);
    const Host& here = wire_.host(options_.servers);
    here.enter();
    std::vector<cluster::Endpoint> endpoints;
    std::string peers;
    for (std::size_t i = 0; i < options_.servers; ++i) {
      machines_.push_back(std::make_unique<Machine>(i, wire_.host(i), options_.directory));
      endpoints.push_back(machines_.back()->http());
      peers += (peers.empty() ? "" : ",") + machines_.back()->peer_address();
    }
    for (const auto& machine : machines_) {
      machine->start({"--snapshot-bytes", "64KiB", "--bootstrap-expect",
                      std::to_string(options_.servers), "--peers", peers});
    }
    if (std::string wrong = nemesis_.mend(); !wrong.empty()) violations_.push_back(wrong);
    ClientsOptions clients = options_.clients;
    clients.seed = options_.seed;
    clients_.emplace(clients, here, std::move(endpoints));
  }

  bool run() {
    const auto end =
        Clock::now() + std::chrono::duration_cast<Duration>(
                           std::chrono::duration<double, std::ratio<60>>(options_.minutes));
    for (int round = 1; violations_.empty() && Clock::now() < end; ++round) {
      nemesis_.disturb(
          std::min<Duration>(kRound, std::chrono::duration_cast<Duration>(end - Clock::now())));
      require_service(round);
    }
    clients_->stop();
    if (violations_.empty()) {
      if (std::string wrong = compare(machines_); !wrong.empty()) violations_.push_back(wrong);
      for (std::string& unread : clients_->read_everything()) {
        violations_.push_back(std::move(unread));
      }
    }
    violations_.insert(violations_.end(), clients_->violations().begin(),
                       clients_->violations().end());
    const auto found = find_violations(clients_->history());
    violations_.insert(violations_.end(), found.begin(), found.end());
    print_counts(nemesis_, wire_.counts());
    print_events(options_.directory);
    print_operations(clients_->history());
    print_counts(clients_->counts());
    return report();
  }

 private:
  // Everything is mended: everybody must be served soon.
  void require_service(int round) {
    const auto mended = Clock::now();
    if (std::string wrong = nemesis_.mend(); !wrong.empty()) return violations_.push_back(wrong);
    constexpr std::uint64_t kEnough = 20;
    const auto writes = clients_->write_count() + kEnough;
    const auto reads = clients_->read_count() + kEnough;
    const bool served = cluster::eventually(
        [&] { return clients_->write_count() >= writes && clients_->read_count() >= reads; }, 20s);
    if (!served) violations_.push_back("clients are not served though nothing is broken");
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - mended);
    std::cout << "round " << round << ": " << clients_->write_count() << " writes and "
              << clients_->read_count() << " reads served so far; whole again after "
              << took.count() << " ms" << std::endl;
  }

  bool report() const {
    for (std::size_t i = 0; i < std::min<std::size_t>(violations_.size(), 20); ++i) {
      std::cout << "VIOLATION: " << violations_[i] << '\n';
    }
    std::cout << (violations_.empty() ? "held" : "VIOLATED") << ": seed " << options_.seed << ", "
              << clients_->history().size() << " operations, " << violations_.size()
              << " violations\n";
    return violations_.empty();
  }

  const Options options_;
  Wire wire_;
  Machines machines_;
  Nemesis nemesis_;
  std::optional<Clients> clients_;
  std::vector<std::string> violations_;
};

int main(int argc, char** argv) {
  CLI::App app{"breaks a cluster of real servers for some minutes"};
  Options options;
  options.seed = std::random_device()();
  app.add_option("minutes", options.minutes, "for how long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "which faults come, though not exactly when");
  app.add_option("--servers", options.servers)->check(CLI::Range(1, 9))->capture_default_str();
  app.add_option("--clients", options.clients.clients)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--dir", options.directory, "for data and logs; it is wiped")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (!may_make_hosts()) {
    std::cout << "skipped: this needs network namespaces and /dev/net/tun, as root has them\n";
    return kSkipped;
  }
  std::cout << "chaos: " << options.minutes << " minutes, " << options.servers << " servers, "
            << options.clients.clients << " clients, seed " << options.seed << std::endl;
  const bool held = Run(options).run();
  if (!held) std::cout << "data and logs are in " << options.directory << '\n';
  return held ? 0 : 1;
}

}  // namespace
}  // namespace anchor::chaos

int main(int argc, char** argv) {
  return anchor::chaos::main(argc, argv);
}
