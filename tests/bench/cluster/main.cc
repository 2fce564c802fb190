// What a real cluster does on the loopback: its servers are processes of the program `anchor`, with
// their data on the disk. ./dev bench failover, and so on, builds and runs this.
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <functional>
#include <iostream>

#include "core/base/text.h"
#include "tests/bench/cluster/figures.h"
#include "tests/bench/cluster/measurements.h"

namespace anchor::bench {
namespace {

class Program {
 public:
  Program() {
    app_.require_subcommand(1, 1);
    app_.add_option("--dir", directory_, "the servers' data goes to cluster/ in it")
        ->capture_default_str();
    add(failover_, "failover", "how long writes stand still when the leader dies", measure_failover)
        .count("--kills", failover_.kills, "how often the leader is killed");
    add(transfer_, "transfer", "how long writes pause while leadership is handed over",
        measure_transfer)
        .count("--transfers", transfer_.transfers, "how often it is handed over");
    add(snapshot_, "snapshot", "what a snapshot of a large state does to writes", measure_snapshot)
        .count("--keys", snapshot_.keys, "the state")
        .count("--snapshots", snapshot_.snapshots, "ends after so many on the leader")
        .count("--seconds", snapshot_.seconds, "or after this time")
        .size("--snapshot-bytes", snapshot_.snapshot_bytes, "of log between two snapshots");
    add(growth_, "growth", "whether memory and disk stay bounded under writes", measure_growth)
        .count("--seconds", growth_.seconds, "how long")
        .count("--keys", growth_.keys, "which are overwritten")
        .count("--value-bytes", growth_.value_bytes, "of each value")
        .size("--snapshot-bytes", growth_.snapshot_bytes, "of log between two snapshots");
    add(join_, "join", "how a fourth server joins a cluster under load", measure_join)
        .count("--keys", join_.keys, "that it has to be sent")
        .count("--seconds", join_.seconds, "of load before it joins")
        .size("--snapshot-bytes", join_.snapshot_bytes, "of log between two snapshots");
    add(replace_, "replace", "three of five voters are replaced under load", measure_replace);
    add(watchers_, "watchers", "what watchers cost whose keys nobody writes", measure_watchers)
        .count("--watchers", watchers_.watchers, "on the leader")
        .count("--seconds", watchers_.seconds, "of each measurement");
    add(leases_, "leases", "what leases cost, and what their end does to writes", measure_leases)
        .count("--leases", leases_.leases, "that go on")
        .count("--ending", leases_.ending, "that end at once");
  }

  int run(int argc, char** argv) {
    CLI11_PARSE(app_, argc, argv);
    std::array<double, 1> load{};
    if (::getloadavg(load.data(), 1) == 1) {
      std::cout << "the machine should be idle otherwise; its load average is "
                << rounded(load[0], 1) << '\n';
    }
    std::cout << std::endl;
    const bool sound = measure_();
    if (sound) {
      std::filesystem::remove_all(cluster_directory());
    } else {
      std::cout << "data and logs are in " << cluster_directory() << '\n';
    }
    return sound ? 0 : 1;
  }

 private:
  // A command's options, added one after another.
  struct Verb {
    CLI::App* verb;

    Verb& count(const char* name, std::size_t& value, const char* help) {
      verb->add_option(name, value, help)->check(CLI::PositiveNumber)->capture_default_str();
      return *this;
    }
    Verb& size(const char* name, std::string& value, const char* help) {
      verb->add_option(name, value, help)
          ->capture_default_str()
          ->check([](const std::string& text) {
            const auto bytes = parse_size(text);
            return bytes ? std::string() : bytes.error().message;
          });
      return *this;
    }
  };

  template <typename Options>
  Verb add(Options& options, const char* name, const char* help, bool (*measure)(const Options&)) {
    CLI::App* verb = app_.add_subcommand(name, help);
    verb->fallthrough();
    verb->callback([this, &options, measure] {
      measure_ = [this, &options, measure] {
        options.directory = cluster_directory();
        return measure(options);
      };
    });
    Verb added{verb};
    added.count("--clients", options.clients, "that write in a closed loop");
    return added;
  }

  std::string cluster_directory() const { return directory_ + "/cluster"; }

  CLI::App app_{"measures a cluster of anchor on the loopback"};
  std::string directory_ = "build/bench";
  FailoverOptions failover_;
  TransferOptions transfer_;
  SnapshotOptions snapshot_;
  GrowthOptions growth_;
  JoinOptions join_;
  ReplaceOptions replace_;
  WatchersOptions watchers_;
  LeasesOptions leases_;
  std::function<bool()> measure_;
};

}  // namespace
}  // namespace anchor::bench

int main(int argc, char** argv) {
  return anchor::bench::Program().run(argc, argv);
}
