#include "cli/bench_run.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/bench_schedule.h"
#include "tests/cli/fake_node.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

using Json = nlohmann::json;

io::HttpResponse ok() {
  return response(200, "OK\n");
}

std::vector<std::string> words(const char* mode, const std::string& endpoints) {
  return {"bench",    mode, "-o",        "json", "--endpoints",   endpoints, "--duration", "50ms",
          "--warmup", "0s", "--clients", "6",    "--connections", "2",       "--keys",     "20"};
}

TEST(Bench, MeasuresPutsThatShareConnections) {
  FakeNode node(ok());
  const CliResult result = run_cli(words("put", node.endpoint()));
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_GT(json["ops"], 0);
  EXPECT_GT(json["ops_per_second"], 0);
  EXPECT_GT(json["seconds"], 0);
  EXPECT_LE(json["p50_us"], json["p90_us"]);
  EXPECT_LE(json["p90_us"], json["p99_us"]);
  EXPECT_LE(json["p99_us"], json["p999_us"]);
  EXPECT_LE(json["p999_us"], json["max_us"]);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["unknown"], 0);
  for (const std::string& request : node.requests()) {
    ASSERT_TRUE(request.starts_with("PUT /kv/bench-0000000000")) << request;
    ASSERT_EQ(request.size(), std::string("PUT /kv/bench-000000000000 []").size() + 256);
  }
}

TEST(Bench, SendsWhatIsDueAndNoMore) {
  FakeNode node(ok());
  auto all = words("put", node.endpoint());
  all.insert(all.end(), {"--rate", "200"});
  const CliResult result = run_cli(all);
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
  // Ten in 50 ms; a machine that is slow to measure the end may be a while longer.
  EXPECT_GE(node.requests().size(), 9U);
  EXPECT_GE(Json::parse(result.out)["ops"], 1);
}

TEST(BenchSchedule, IsDueAtASteadyRate) {
  BenchSchedule schedule(1000);
  schedule.begin(Instant(1s));
  EXPECT_FALSE(schedule.take(Instant(1s) - 1us));
  EXPECT_EQ(schedule.take(Instant(1s)), Instant(1s));
  EXPECT_FALSE(schedule.take(Instant(1s)));
  // Nobody took them in time: they were due all the same.
  EXPECT_EQ(schedule.take(Instant(2s)), Instant(1s) + 1ms);
  EXPECT_EQ(schedule.take(Instant(2s)), Instant(1s) + 2ms);
}

TEST(Bench, FillsEveryKeyBeforeItReads) {
  FakeNode node(ok());
  EXPECT_EQ(run_cli(words("get", node.endpoint())).code, ExitCode::kOk);
  const auto requests = node.requests();
  ASSERT_GT(requests.size(), 20U);
  std::set<std::string> filled;
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(requests[i].starts_with("PUT "));
    filled.insert(requests[i]);
  }
  EXPECT_EQ(filled.size(), 20U);
  for (std::size_t i = 20; i < requests.size(); ++i) {
    ASSERT_TRUE(requests[i].starts_with("GET /kv/bench-")) << requests[i];
  }
}

TEST(Bench, MixesAsTold) {
  FakeNode node(ok());
  auto all = words("mixed", node.endpoint());
  all.insert(all.end(), {"--ratio", "1"});
  EXPECT_EQ(run_cli(all).code, ExitCode::kOk);
  const auto requests = node.requests();
  ASSERT_GT(requests.size(), 20U);
  for (std::size_t i = 20; i < requests.size(); ++i) {
    ASSERT_TRUE(requests[i].starts_with("GET "));
  }
}

TEST(Bench, SpreadsOverAllEndpoints) {
  FakeNode first(ok());
  FakeNode second(ok());
  EXPECT_EQ(run_cli(words("put", first.endpoint() + "," + second.endpoint())).code, ExitCode::kOk);
  EXPECT_FALSE(first.requests().empty());
  EXPECT_FALSE(second.requests().empty());
}

TEST(Bench, TellsWhichEndpointEachConnectionUsesOnlyIfAsked) {
  FakeNode first(ok());
  FakeNode second(ok());
  auto all = words("put", first.endpoint() + "," + second.endpoint());
  EXPECT_EQ(run_cli(all).error, "");
  all.emplace_back("--debug");
  const std::string error = run_cli(all).error;
  EXPECT_TRUE(error.contains("debug: connection 1 to http://" + first.endpoint() + ": open\n"));
  EXPECT_TRUE(error.contains("debug: connection 2 to http://" + second.endpoint() + ": open\n"));
}

TEST(Bench, TellsOfAConnectionThatFails) {
  FakeNode node(ok());
  const std::string dead = dead_endpoint();
  auto all = words("put", dead + "," + node.endpoint());
  all.emplace_back("--debug");
  const CliResult result = run_cli(all);
  EXPECT_TRUE(
      result.error.contains("debug: connection 1 to http://" + dead + ": connection refused\n"))
      << result.error;
}

TEST(Bench, PassesByAnEndpointThatIsDown) {
  FakeNode node(ok());
  const auto result = run_cli(words("get", dead_endpoint() + "," + node.endpoint()));
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
}

TEST(Bench, CountsRefusalsErrorsAndUnknownOutcomesApartAndExitsOne) {
  const auto count_only = [](const io::HttpResponse& response, std::string_view kind) {
    FakeNode node(response);
    const CliResult result = run_cli(words("put", node.endpoint()));
    EXPECT_EQ(result.code, ExitCode::kFailed);
    EXPECT_TRUE(result.error.contains("status " + std::to_string(response.status)));
    const Json json = Json::parse(result.out);
    EXPECT_EQ(json["ops"], 0);
    for (const char* each : {"refused", "errors", "unknown"}) {
      EXPECT_EQ(json[each] > 0, each == kind) << each;
    }
  };
  count_only(error_response(503, "no_leader"), "refused");
  count_only(error_response(500, "internal"), "errors");
  count_only(error_response(504, "unknown_outcome", "unknown"), "unknown");
}

TEST(Bench, CountsSilenceAsUnknown) {
  FakeNode silent([](const io::HttpRequest&) { return std::nullopt; });
  auto all = words("put", silent.endpoint());
  all.insert(all.end(), {"--timeout", "20ms"});
  const CliResult result = run_cli(all);
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_GE(Json::parse(result.out)["unknown"], 6);
  EXPECT_TRUE(result.error.contains("no answer in time"));
}

TEST(Bench, SaysSoIfTheKeysCannotBeFilled) {
  FakeNode refusing(error_response(503, "no_leader"));
  auto all = words("get", refusing.endpoint());
  all.insert(all.end(), {"--timeout", "20ms"});
  const CliResult result = run_cli(all);
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(result.error.contains("the keys cannot be filled")) << result.error;
}

TEST(Bench, ExitsSixIfNobodyIsThere) {
  EXPECT_EQ(run_cli(words("put", dead_endpoint())).code, ExitCode::kUnreachable);
}

TEST(Bench, PrintsATable) {
  FakeNode node(ok());
  const CliResult result = run_cli({"bench", "put", "--endpoints", node.endpoint(), "--duration",
                                    "20ms", "--warmup", "0s", "--clients", "1"});
  EXPECT_TRUE(result.out.starts_with(
      "put: 1 clients over 1 connections, 10000 keys, 256-byte values, 0.0 s\n\n"))
      << result.out;
  for (const char* name : {"throughput ", "p50 ", "p90 ", "p99 ", "p99.9 ", "max ", "errors "}) {
    EXPECT_TRUE(result.out.contains(name)) << name;
  }
}

}  // namespace
}  // namespace anchor::cli
