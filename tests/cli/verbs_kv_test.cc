#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/fake_node.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

using Requests = std::vector<std::string>;

io::HttpResponse value_response(std::string value) {
  return response(200, std::move(value),
                  {{"ETag", "\"5\""},
                   {"Anchor-Revision", "9"},
                   {"Anchor-Create-Revision", "2"},
                   {"Anchor-Version", "3"},
                   {"Anchor-Lease", "0"}});
}

io::HttpResponse put_response(std::string body = "OK\n") {
  return response(200, std::move(body), {{"ETag", "\"7\""}, {"Anchor-Revision", "7"}});
}

TEST(Get, PrintsTheValueInEachFormat) {
  FakeNode node(value_response("v\n"));
  EXPECT_EQ(run_cli({"get", "a", "--endpoints", node.endpoint()}).out, "v\n\n");
  EXPECT_EQ(run_cli({"get", "a", "--endpoints", node.endpoint(), "-o", "raw"}).out, "v\n");
  EXPECT_EQ(
      run_cli({"get", "a", "--endpoints", node.endpoint(), "-o", "json"}).out,
      R"({"key":"a","value":"v\n","create_revision":2,"mod_revision":5,"version":3,"lease":0})"
      "\n");
}

TEST(Get, WritesBytesThatAreNoTextInBase64) {
  FakeNode node(value_response("\xff"));
  EXPECT_EQ(run_cli({"get", "\xfe", "--endpoints", node.endpoint(), "-o", "json"}).out,
            R"({"key":"/g==","key_encoding":"base64","value":"/w==","encoding":"base64",)"
            R"("create_revision":2,"mod_revision":5,"version":3,"lease":0})"
            "\n");
}

TEST(Get, SendsTheKeyAsItIs) {
  FakeNode node(value_response(""));
  run_cli({"get", "../a b", "--endpoints", node.endpoint()});
  run_cli({"get", "..", "--endpoints", node.endpoint(), "--consistency", "stale"});
  run_cli({"get", "a", "--endpoints", node.endpoint(), "--consistency", "stale", "--max-staleness",
           "500ms", "--min-revision", "7"});
  EXPECT_EQ(node.requests(),
            (Requests{"GET /kv/..%2Fa%20b?consistency=linearizable", "GET /kv/..?consistency=stale",
                      "GET /kv/a?consistency=stale&max_staleness=500ms&min_revision=7"}));
}

TEST(Get, ExitsThreeIfThereIsNoSuchKey) {
  FakeNode node(error_response(404, "not_found"));
  const CliResult result = run_cli({"get", "a", "--endpoints", node.endpoint()});
  EXPECT_EQ(result.code, ExitCode::kNotFound);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.error, "anchorctl: " + node.endpoint() + ": because of not_found\n");
}

TEST(Get, FailsOnAReplyThatIsNoNodes) {
  FakeNode node(response(200, "hello"));
  EXPECT_EQ(run_cli({"get", "a", "--endpoints", node.endpoint(), "-o", "json"}).code,
            ExitCode::kFailed);
}

TEST(Put, PrintsTheRevision) {
  FakeNode node(put_response());
  const CliResult result = run_cli({"put", "a", "1", "--endpoints", node.endpoint()});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_EQ(result.out, "7\n");
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(run_cli({"put", "a", "", "--endpoints", node.endpoint(), "-o", "json"}).out,
            "{\"revision\":7}\n");
  EXPECT_EQ(node.requests(), (Requests{"PUT /kv/a [1]", "PUT /kv/a"}));
}

TEST(Put, ReadsTheValueFromStandardInputOrAFile) {
  FakeNode node(put_response());
  run_cli({"put", "a", "--endpoints", node.endpoint()}, "piped");
  run_cli({"put", "a", "-", "--endpoints", node.endpoint()}, "dashed");
  const auto path = std::filesystem::path(testing::TempDir()) / "anchorctl_put_value";
  std::ofstream(path) << "filed";
  run_cli({"put", "a", "--file", path.string(), "--endpoints", node.endpoint()});
  std::filesystem::remove(path);
  EXPECT_EQ(node.requests(),
            (Requests{"PUT /kv/a [piped]", "PUT /kv/a [dashed]", "PUT /kv/a [filed]"}));
}

TEST(Put, DoesNotWaitForATerminal) {
  FakeNode node(put_response());
  EXPECT_EQ(run_cli({"put", "a", "--endpoints", node.endpoint()}).code, ExitCode::kUsage);
  EXPECT_EQ(node.requests(), Requests{});
}

TEST(Put, ExitsTenIfTheFileCannotBeRead) {
  EXPECT_EQ(run_cli({"put", "a", "--file", "/nonexistent/file"}).code, ExitCode::kLocalFile);
  EXPECT_EQ(run_cli({"put", "a", "--file", "/"}).code, ExitCode::kLocalFile);
}

TEST(Put, SendsItsConditionAndExitsFourIfItFails) {
  FakeNode node(error_response(412, "condition_failed"));
  EXPECT_EQ(run_cli({"put", "a", "1", "--if-rev", "3", "--endpoints", node.endpoint()}).code,
            ExitCode::kConditionFailed);
  EXPECT_EQ(run_cli({"put", "a", "1", "--if-absent", "--endpoints", node.endpoint()}).code,
            ExitCode::kConditionFailed);
  EXPECT_EQ(node.requests(),
            (Requests{"PUT /kv/a If-Match: \"3\" [1]", "PUT /kv/a If-None-Match: * [1]"}));
}

TEST(Put, PrintsWhatItReplacedOnRequest) {
  FakeNode node(
      put_response(R"({"revision":7,"prev":{"key":"a","value":"b2xk","encoding":"base64",)"
                   R"("create_revision":2,"mod_revision":2,"version":1,"lease":0}})"));
  const std::vector<std::string> words = {"put",    "a",           "1",
                                          "--prev", "--endpoints", node.endpoint()};
  const auto with = [&](const char* format) {
    auto all = words;
    all.insert(all.end(), {"-o", format});
    return run_cli(all).out;
  };
  EXPECT_EQ(with("table"), "7\nold\n");
  EXPECT_EQ(with("raw"), "old");
  EXPECT_TRUE(with("json").starts_with(R"({"revision":7,"prev":{"key":"a","value":"b2xk",)"));
  EXPECT_EQ(node.requests().front(), "PUT /kv/a?prev=true [1]");
}

TEST(Put, PrintsTheRevisionAloneIfItReplacedNothing) {
  FakeNode node(put_response(R"({"revision":7,"prev":null})"));
  EXPECT_EQ(run_cli({"put", "a", "1", "--prev", "--endpoints", node.endpoint()}).out, "7\n");
}

TEST(Delete, PrintsTheRevisionOrExitsThree) {
  FakeNode there(response(200, "OK\n", {{"Anchor-Revision", "8"}, {"Anchor-Deleted", "1"}}));
  EXPECT_EQ(run_cli({"del", "a", "--endpoints", there.endpoint()}).out, "8\n");
  EXPECT_EQ(run_cli({"del", "a", "-o", "json", "--endpoints", there.endpoint()}).out,
            "{\"revision\":8,\"deleted\":1}\n");
  EXPECT_EQ(there.requests().front(), "DELETE /kv/a");

  FakeNode missing(response(200, "OK\n", {{"Anchor-Revision", "8"}, {"Anchor-Deleted", "0"}}));
  const CliResult result = run_cli({"del", "a", "--endpoints", missing.endpoint()});
  EXPECT_EQ(result.code, ExitCode::kNotFound);
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace anchor::cli
