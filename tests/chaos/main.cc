// Real servers, each in a network namespace of its own, under kills, pauses, partitions of every
// kind, a bad network, slow disks, transfers and changes of the members; clients, watchers and
// those who hold leases and locks, whose histories are judged from outside. ./dev chaos MINUTES
// builds and runs this.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/clients.h"
#include "tests/chaos/counts.h"
#include "tests/chaos/holders.h"
#include "tests/chaos/nemesis.h"
#include "tests/chaos/watchers.h"

namespace anchor::chaos {
namespace {

// ctest's sign that a test was skipped.
constexpr int kSkipped = 77;
constexpr Duration kRound = 20s;
// So little of the past is kept that watches fall behind it now and then.
constexpr auto kSettings = R"({"history_revisions": 500})";

struct Options {
  double minutes = 1;
  std::uint64_t seed = 0;
  std::size_t servers = 5;
  std::size_t watchers = 6;
  ClientsOptions clients{};
  HoldersOptions holders{};
  std::string directory = "build/chaos-data";
};

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
    if (violations_.empty()) keep_little_of_the_past(endpoints.front());
    ClientsOptions clients = options_.clients;
    clients.seed = options_.seed;
    clients_.emplace(clients, here, endpoints);
    watchers_.emplace(options_.watchers, options_.seed, here, endpoints);
    HoldersOptions holders = options_.holders;
    holders.seed = options_.seed;
    holders_.emplace(holders, here, std::move(endpoints));
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
    holders_->stop();
    if (violations_.empty()) look_at_the_end();
    watchers_->stop();
    add(clients_->violations());
    add(watchers_->violations());
    add(holders_->violations());
    add(find_violations(clients_->history()));
    add(find_watch_violations(clients_->history(), watchers_->connections()));
    add(find_lock_violations(holders_->holdings()));
    print_faults(nemesis_.counts(), wire_.counts());
    print_events(options_.directory);
    print_operations(clients_->history());
    print_counts(clients_->counts());
    const bool some_of_each = print_all(joined_counts());
    if (!some_of_each && options_.minutes >= 1 && violations_.empty()) {
      violations_.push_back("there was nothing of some of what is to be judged");
    }
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

  void keep_little_of_the_past(const cluster::Endpoint& server) {
    const auto answer = cluster::HttpClient(server).put("/settings", kSettings);
    if (!answer || answer->status != 200) violations_.push_back("the settings cannot be changed");
  }

  // Nobody asks for anything any more, and nothing is broken.
  void look_at_the_end() {
    watchers_->stay();
    Revision last = 0;
    for (const auto& machine : machines_) {
      const auto status = machine->status();
      if (status) last = std::max<Revision>(last, status->at("revision"));
    }
    add(holders_->see_all_end());
    if (std::string wrong = compare(machines_); !wrong.empty()) violations_.push_back(wrong);
    add(watchers_->hear_all(last));
    add(clients_->read_everything());
  }

  void add(const std::vector<std::string>& found) {
    violations_.insert(violations_.end(), found.begin(), found.end());
  }

  NamedCounts joined_counts() const {
    NamedCounts all = counts_of(watchers_->counts());
    const NamedCounts others = counts_of(holders_->lease_counts(), holders_->lock_counts());
    all.insert(all.end(), others.begin(), others.end());
    return all;
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
  std::optional<Watchers> watchers_;
  std::optional<Holders> holders_;
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
  app.add_option("--watchers", options.watchers)->check(CLI::PositiveNumber)->capture_default_str();
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
