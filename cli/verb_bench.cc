#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>

#include "cli/bench_run.h"
#include "cli/progress_bar.h"
#include "cli/verbs.h"

namespace anchor::cli {
namespace {

struct Quantile {
  const char* name;
  const char* json_key;
  std::uint32_t parts_per_million;
};
constexpr std::array kQuantiles = std::to_array<Quantile>({{"p50", "p50_us", 500'000},
                                                           {"p90", "p90_us", 900'000},
                                                           {"p99", "p99_us", 990'000},
                                                           {"p99.9", "p999_us", 999'000}});

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double ops_per_second(const BenchResult& result) {
  if (result.elapsed <= Duration::zero()) return 0;
  return static_cast<double>(result.ops) / seconds(result.elapsed);
}

std::string decimal(double number, int places) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, number);
  return text.data();
}

std::string mode_name(BenchCommand::Mode mode) {
  const auto named = std::ranges::find(BenchCommand::kModes, mode, &BenchCommand::NamedMode::mode);
  return std::string(named->name);
}

void print_result_json(const BenchResult& result, Console& console) {
  nlohmann::ordered_json json{{"ops", result.ops},
                              {"ops_per_second", std::round(ops_per_second(result) * 10) / 10}};
  for (const Quantile& quantile : kQuantiles) {
    json[quantile.json_key] = result.latencies.quantile(quantile.parts_per_million).count();
  }
  json["max_us"] = result.latencies.max().count();
  json["refused"] = result.refused;
  json["errors"] = result.errors;
  json["unknown"] = result.unknown;
  json["seconds"] = seconds(result.elapsed);
  print_json(json, console);
}

void print_result_table(const BenchCommand& plan, const BenchResult& result, Console& console) {
  console.out << mode_name(plan.mode) << ": " << plan.clients << " clients over "
              << plan.connections << " connections, "
              << (plan.rate ? grouped(*plan.rate) + " requests a second due, " : "") << plan.keys
              << " keys, " << plan.value_bytes << "-byte values, "
              << decimal(seconds(result.elapsed), 1) << " s\n\n";
  std::vector<std::vector<Cell>> rows;
  const auto add = [&](const char* name, std::string value, const char* unit) {
    rows.push_back({{name}, {.text = std::move(value), .right = true}, {unit}});
  };
  add("throughput", grouped(static_cast<std::uint64_t>(std::llround(ops_per_second(result)))),
      "ops/s");
  const auto add_latency = [&](const char* name, Duration latency) {
    add(name, decimal(seconds(latency) * 1000, 3), "ms");
  };
  for (const Quantile& quantile : kQuantiles) {
    add_latency(quantile.name, result.latencies.quantile(quantile.parts_per_million));
  }
  add_latency("max", result.latencies.max());
  add("refused", grouped(result.refused), "");
  add("errors", grouped(result.errors), "");
  add("unknown", grouped(result.unknown), "");
  print_table(rows, console, false);
}

}  // namespace

ExitCode run_bench(const GlobalOptions& global, const BenchCommand& command, Console& console) {
  // A server that goes away is an error of its requests, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::optional<ProgressBar> bar;
  // A bar among lines would overwrite them.
  if (console.error_is_terminal && !global.quiet && !global.debug) bar.emplace(console.error);
  const auto draw = [&](const BenchProgress& progress) {
    const std::string detail = progress.ops == 0 ? "" : grouped(progress.ops) + " ops";
    if (bar) bar->draw(progress.phase, progress.percent, detail);
  };
  const auto tell = [&](const std::string& line) {
    if (global.debug) console.error << "debug: " << printable(line) << "\n";
  };
  const auto result = run_bench_load(global, command, {.progress = draw, .connection = tell});
  bar.reset();
  if (!result) return report(result.error(), console, global.quiet);

  if (global.format == OutputFormat::kJson) {
    print_result_json(*result, console);
  } else {
    print_result_table(command, *result, console);
  }
  if (result->interrupted) return ExitCode::kInterrupted;
  if (result->refused > 0 || result->errors > 0 || result->unknown > 0) {
    return report({ExitCode::kFailed, "requests failed, the last with: " + result->last_problem},
                  console, global.quiet);
  }
  if (result->ops == 0) {
    return report({ExitCode::kFailed, "no request was answered. " + result->last_problem}, console,
                  global.quiet);
  }
  return ExitCode::kOk;
}

}  // namespace anchor::cli
