// anchor-sim: runs simulated clusters of production replicas, one seed or many.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "sim/profile.h"
#include "sim/simulation.h"
#include "sim/swarm.h"

namespace anchor::sim {
namespace {

using Json = nlohmann::ordered_json;

// What the assertion's handler has to tell; set before each simulation of this process.
std::string replay_of_this_process;

[[noreturn]] void report_assertion(const char* file, int line, const char* condition,
                                   std::string_view detail) {
  std::cerr << file << ':' << line << ": assertion failed: " << condition;
  if (!detail.empty()) std::cerr << " (" << detail << ')';
  std::cerr << std::endl;
  if (!replay_of_this_process.empty()) {
    std::cout << "violated invariant=assertion\nreplay: " << replay_of_this_process << std::endl;
  }
  ::_exit(static_cast<int>(ExitCode::kCrash));
}

// A long look at one seed; a short one at each of many, since each mixes the faults anew.
constexpr const char* kRunTime = "60s";
constexpr const char* kSwarmTime = "20s";

struct Arguments {
  SimulationOptions simulation{};
  std::string time;
  std::string profile = "default";
  bool verbose = false;
  std::string seeds;
  std::string budget;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool keep_going = false;
  std::string format = "text";
};

// "1..1000".
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_seeds(std::string_view text) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const char* const whole = text.data() + text.size();
  const auto from = std::from_chars(text.data(), whole, first);
  if (from.ec != std::errc() || !std::string_view(from.ptr, whole).starts_with("..")) return {};
  const auto to = std::from_chars(from.ptr + 2, whole, last);
  if (to.ec != std::errc() || to.ptr != whole || last < first) return {};
  return {{first, last}};
}

int usage(const std::string& message) {
  std::cerr << "anchor-sim: " << message << "\nTry 'anchor-sim --help'.\n";
  return static_cast<int>(ExitCode::kUsage);
}

Result<Duration> parse_positive_duration(const std::string& option, std::string_view text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return failure(option + ": " + parsed.error().message);
  if (*parsed == 0s) return failure(option + ": it is zero");
  return *parsed;
}

// Null if a name or a duration is none; then it has been said.
bool complete(Arguments& arguments) {
  arguments.simulation.profile = find_profile(arguments.profile);
  if (arguments.simulation.profile == nullptr) {
    usage("there is no profile '" + arguments.profile + "'; 'anchor-sim profiles' lists them");
    return false;
  }
  const auto time = parse_positive_duration("--time", arguments.time);
  if (!time) {
    usage(time.error().message);
    return false;
  }
  arguments.simulation.time = *time;
  return true;
}

int run(Arguments& arguments) {
  if (!complete(arguments)) return static_cast<int>(ExitCode::kUsage);
  SimulationOptions& options = arguments.simulation;
  if (arguments.verbose) {
    options.trace = [](Instant at, const std::string& line) {
      const auto us = at.time_since_epoch().count();
      std::fprintf(stderr, "%6lld.%06lld %s\n", static_cast<long long>(us / 1'000'000),
                   static_cast<long long>(us % 1'000'000), line.c_str());
    };
  }
  const std::string replay = replay_line(options, options.seed);
  replay_of_this_process = replay;
  const SimulationResult result = simulate(options);
  const auto& violation = result.violation;
  std::cout << (violation ? "violated" : "held") << " seed=" << options.seed
            << " nodes=" << result.nodes << " time=" << arguments.time
            << " events=" << result.events
            << " invariant=" << (violation ? violation->invariant : "-")
            << " hash=" << hex16(result.hash) << '\n';
  if (!violation) return static_cast<int>(ExitCode::kHeld);
  std::cout << "replay: " << replay << '\n';
  std::cerr << violation->invariant << ": " << violation->detail << '\n';
  return static_cast<int>(violation->kind);
}

Json faults_json(const FaultCounts& faults) {
  return {{"lost", faults.lost},
          {"duplicated", faults.duplicated},
          {"corrupted", faults.corrupted},
          {"delayed", faults.delayed},
          {"cut", faults.cut},
          {"partitions", faults.partitions},
          {"crowds", faults.crowds},
          {"resets", faults.resets},
          {"crashes", faults.crashes},
          {"crashes_in_step", faults.crashes_in_step},
          {"pauses", faults.pauses},
          {"slow_disks", faults.slow_disks},
          {"disk_shortages", faults.disk_shortages},
          {"clock_jumps", faults.clock_jumps},
          {"damages", faults.damages},
          {"changes", faults.changes},
          {"transfers", faults.transfers},
          {"snapshots_saved", faults.snapshots_saved},
          {"snapshots_received", faults.snapshots_received}};
}

Json swarm_json(const SwarmResult& result, const SimulationOptions& options) {
  const SimulationResult& totals = result.totals;
  Json violations = Json::array();
  for (const SwarmViolation& violation : result.violations) {
    violations.push_back({{"invariant", violation.invariant},
                          {"seed", violation.seed},
                          {"replay", replay_line(options, violation.seed)}});
  }
  const double seconds = std::max(result.wall_seconds, 1e-6);
  return {{"seeds", result.seeds},
          {"events", totals.events},
          {"events_per_second",
           static_cast<std::uint64_t>(static_cast<double>(totals.events) / seconds)},
          {"simulated_seconds", totals.simulated / Duration(1s)},
          {"wall_seconds", result.wall_seconds},
          {"operations",
           {{"writes", totals.writes},
            {"reads", totals.reads},
            {"refused", totals.refused},
            {"unknown", totals.unknown}}},
          {"elections", totals.elections},
          {"faults", faults_json(totals.faults)},
          {"violations", std::move(violations)}};
}

void print_text(const Json& result) {
  for (const Json& violation : result["violations"]) {
    std::cout << "violated seed=" << violation["seed"]
              << " invariant=" << violation["invariant"].get<std::string>()
              << "\nreplay: " << violation["replay"].get<std::string>() << '\n';
  }
  std::cout << "seeds " << result["seeds"] << ", simulated " << result["simulated_seconds"]
            << " s, events " << result["events"] << " (" << result["events_per_second"]
            << " a second), elections " << result["elections"] << '\n';
  const auto list = [](const char* title, const Json& counts) {
    std::cout << title;
    for (const auto& [name, count] : counts.items()) std::cout << ' ' << name << '=' << count;
    std::cout << '\n';
  };
  list("operations:", result["operations"]);
  list("faults:", result["faults"]);
  std::cout << (result["violations"].empty() ? "held" : "violated") << '\n';
}

int swarm(Arguments& arguments) {
  if (!complete(arguments)) return static_cast<int>(ExitCode::kUsage);
  SwarmOptions options{.simulation = arguments.simulation,
                       .jobs = arguments.jobs,
                       .keep_going = arguments.keep_going};
  if (arguments.seeds.empty() == arguments.budget.empty()) {
    return usage("swarm needs either --seeds FIRST..LAST or --budget DURATION");
  }
  if (!arguments.seeds.empty()) {
    const auto seeds = parse_seeds(arguments.seeds);
    if (!seeds) return usage("--seeds: write it as 1..1000");
    options.first_seed = seeds->first;
    options.last_seed = seeds->second;
  } else {
    const auto budget = parse_positive_duration("--budget", arguments.budget);
    if (!budget) return usage(budget.error().message);
    options.budget = *budget;
    // Fresh ones each time: what was tried before has told what it can tell.
    options.first_seed = std::uint64_t{std::random_device()()} << 16;
  }
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (terminal) {
    options.progress = [](std::uint64_t seeds, std::uint64_t events) {
      std::cerr << "\r" << seeds << " seeds, " << events << " events " << std::flush;
    };
  }
  const SwarmResult result = run_swarm(options);
  if (terminal) std::cerr << "\r\033[K";
  const Json json = swarm_json(result, arguments.simulation);
  if (arguments.format == "json") {
    std::cout << json.dump() << '\n';
  } else {
    print_text(json);
  }
  if (result.violations.empty()) return static_cast<int>(ExitCode::kHeld);
  return static_cast<int>(result.violations.front().kind);
}

int list_profiles() {
  for (const Profile& profile : profiles()) {
    std::cout << profile.name << '\t' << profile.description << '\n';
  }
  return 0;
}

void add_simulation_options(CLI::App& app, Arguments& arguments, const char* time) {
  app.add_option("--nodes", arguments.simulation.nodes, "how many nodes; else the seed decides")
      ->check(CLI::Range(1, 9));
  app.add_option("--time", arguments.time, "how long faults last, in simulated time")
      ->default_str(time);
  app.add_option("--profile", arguments.profile, "which family of faults; see 'profiles'")
      ->capture_default_str();
}

int main_of(int argc, char** argv) {
  set_assertion_handler(report_assertion);
  Arguments arguments;
  CLI::App app("Runs simulated anchor clusters under faults and checks what must hold.");
  app.require_subcommand(1);

  CLI::App* one = app.add_subcommand("run", "run one seed and print one line");
  one->add_option("--seed", arguments.simulation.seed, "decides everything")->required();
  one->add_flag("-v", arguments.verbose, "tell on stderr what happens");
  add_simulation_options(*one, arguments, kRunTime);

  CLI::App* many = app.add_subcommand("swarm", "run many seeds and print totals");
  many->add_option("--seeds", arguments.seeds, "FIRST..LAST");
  many->add_option("--budget", arguments.budget, "fresh seeds for so long, as 60s");
  many->add_option("--jobs", arguments.jobs, "processes at once")->check(CLI::Range(1, 1024));
  many->add_flag("--keep-going", arguments.keep_going, "go on after a violation");
  many->add_option("-o", arguments.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  add_simulation_options(*many, arguments, kSwarmTime);

  app.add_subcommand("profiles", "list the families of faults");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (arguments.time.empty()) arguments.time = one->parsed() ? kRunTime : kSwarmTime;
  if (one->parsed()) return run(arguments);
  if (many->parsed()) return swarm(arguments);
  return list_profiles();
}

}  // namespace
}  // namespace anchor::sim

int main(int argc, char** argv) {
  return anchor::sim::main_of(argc, argv);
}
