#include "sim/swarm.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace anchor::sim {
namespace {

using WallClock = std::chrono::steady_clock;

// One seed in so many runs twice.
constexpr std::uint64_t kTwiceOneIn = 16;

// What a child writes to its pipe: that it begins with a seed, or how that ended. Smaller than a
// pipe's atomic write.
struct Report {
  std::uint64_t seed;
  bool begins;
  bool violated;
  ExitCode kind;
  std::array<char, 48> invariant;
  std::uint64_t events, steps, elections, writes, reads, refused, unknown;
  std::int64_t simulated_us;
  FaultCounts faults;
};
static_assert(std::is_trivially_copyable_v<Report>);

void write_report(int pipe, const Report& report) {
  // The parent is gone: so is the reason to go on.
  if (::write(pipe, &report, sizeof report) != sizeof report) ::_exit(1);
}

Report run_seed(SimulationOptions options, std::uint64_t seed) {
  options.seed = seed;
  options.trace = {};
  SimulationResult result = simulate(options);
  if (!result.violation && seed % kTwiceOneIn == 0 && simulate(options).hash != result.hash) {
    result.violation = Violation{ExitCode::kNotDeterministic, "deterministic", ""};
  }
  Report report{};
  report.seed = seed;
  if (result.violation) {
    report.violated = true;
    report.kind = result.violation->kind;
    const std::string& id = result.violation->invariant;
    std::memcpy(report.invariant.data(), id.data(),
                std::min(id.size(), report.invariant.size() - 1));
  }
  report.events = result.events;
  report.steps = result.steps;
  report.elections = result.elections;
  report.writes = result.writes;
  report.reads = result.reads;
  report.refused = result.refused;
  report.unknown = result.unknown;
  report.simulated_us = result.simulated.count();
  report.faults = result.faults;
  return report;
}

class Swarm {
 public:
  explicit Swarm(const SwarmOptions& options) : options_(options), began_(WallClock::now()) {
    for (std::size_t job = 0; job < options.jobs; ++job) {
      workers_.push_back({.next_seed = options.first_seed + job});
    }
  }

  SwarmResult run() {
    for (Worker& worker : workers_) start(worker);
    while (std::ranges::any_of(workers_, [](const Worker& worker) { return worker.pid != 0; })) {
      read_reports();
      if (options_.progress) options_.progress(result_.seeds, result_.totals.events);
    }
    std::ranges::sort(result_.violations, {}, &SwarmViolation::seed);
    result_.wall_seconds = elapsed_seconds();
    return std::move(result_);
  }

 private:
  struct Worker {
    std::uint64_t next_seed = 0;
    pid_t pid = 0;
    int pipe = -1;
    // The one that it began and has not ended.
    std::optional<std::uint64_t> running{};
  };

  double elapsed_seconds() const {
    return std::chrono::duration<double>(WallClock::now() - began_).count();
  }
  bool more(std::uint64_t seed) const {
    if (!result_.violations.empty() && !options_.keep_going) return false;
    if (options_.last_seed && seed > *options_.last_seed) return false;
    return !options_.budget || WallClock::now() < began_ + *options_.budget;
  }

  void start(Worker& worker) {
    if (!more(worker.next_seed)) return;
    std::array<int, 2> ends{};
    ANCHOR_ASSERT(::pipe(ends.data()) == 0, std::strerror(errno));
    worker.pid = ::fork();
    ANCHOR_ASSERT(worker.pid >= 0, std::strerror(errno));
    if (worker.pid == 0) {
      ::close(ends[0]);
      work(worker.next_seed, ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    worker.pipe = ends[0];
  }

  // In the child.
  void work(std::uint64_t seed, int pipe) const {
    for (; more(seed); seed += options_.jobs) {
      Report begin{};
      begin.seed = seed;
      begin.begins = true;
      write_report(pipe, begin);
      const Report end = run_seed(options_.simulation, seed);
      write_report(pipe, end);
      if (end.violated) return;
    }
  }

  void read_reports() {
    std::vector<pollfd> waiting;
    std::vector<Worker*> owners;
    for (Worker& worker : workers_) {
      if (worker.pid == 0) continue;
      waiting.push_back({worker.pipe, POLLIN, 0});
      owners.push_back(&worker);
    }
    constexpr int kProgressMs = 500;
    ::poll(waiting.data(), waiting.size(), kProgressMs);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) read_report(*owners[i]);
    }
  }

  void read_report(Worker& worker) {
    Report report{};
    const ssize_t size = ::read(worker.pipe, &report, sizeof report);
    if (size != sizeof report) return ended(worker);
    worker.next_seed = report.seed + options_.jobs;
    if (report.begins) {
      worker.running = report.seed;
      return;
    }
    worker.running.reset();
    add(report);
  }

  // The child is done, or died within a seed.
  void ended(Worker& worker) {
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    ::close(worker.pipe);
    worker.pid = 0;
    if (worker.running) {
      ++result_.seeds;
      const bool asserted = WIFEXITED(status) && WEXITSTATUS(status) != 0;
      result_.violations.push_back(
          {*worker.running, ExitCode::kCrash, asserted ? "assertion" : "crash"});
      worker.running.reset();
    }
    start(worker);
  }

  void add(const Report& report) {
    ++result_.seeds;
    SimulationResult& totals = result_.totals;
    totals.events += report.events;
    totals.steps += report.steps;
    totals.elections += report.elections;
    totals.writes += report.writes;
    totals.reads += report.reads;
    totals.refused += report.refused;
    totals.unknown += report.unknown;
    totals.simulated += Duration(report.simulated_us);
    totals.faults.add(report.faults);
    if (report.violated) {
      result_.violations.push_back({report.seed, report.kind, report.invariant.data()});
    }
  }

  const SwarmOptions& options_;
  const WallClock::time_point began_;
  std::vector<Worker> workers_;
  SwarmResult result_;
};

}  // namespace

SwarmResult run_swarm(const SwarmOptions& options) {
  return Swarm(options).run();
}

std::string replay_line(const SimulationOptions& options, std::uint64_t seed) {
  std::string line = "anchor-sim run --seed " + std::to_string(seed);
  if (options.nodes) line += " --nodes " + std::to_string(*options.nodes);
  line += " --time " + std::to_string(options.time / std::chrono::milliseconds(1)) + "ms";
  line += " --profile " + std::string(options.profile->name);
  return line;
}

}  // namespace anchor::sim
