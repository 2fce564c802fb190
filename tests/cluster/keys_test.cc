#include <gtest/gtest.h>

#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

using io::HttpMethod;

// What a client of any server sees: here always of a follower, which has to ask the leader.
class KeysOnAFollower : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.start()); }

  HttpAnswer request(HttpMethod method, std::string_view target, const HttpExtra& extra = {}) {
    return cluster_.follower().request(method, target, extra).value();
  }
  HttpAnswer put(std::string_view target, std::string value, std::string header_lines = {}) {
    return request(HttpMethod::kPut, target, {std::move(header_lines), std::move(value)});
  }
  HttpAnswer get(std::string_view target) { return request(HttpMethod::kGet, target); }

  Cluster cluster_;
};

TEST_F(KeysOnAFollower, WriteIsReadOnEveryServerAtOnce) {
  for (const auto& writer : cluster_.nodes()) {
    const std::string target = "/kv/from-" + writer->id();
    ASSERT_EQ(writer->put(target, "by " + writer->id())->status, 200);
    for (const auto& reader : cluster_.nodes()) {
      EXPECT_EQ(reader->get(target)->body, "by " + writer->id());
    }
  }
}

TEST_F(KeysOnAFollower, HeadTellsWhatGetTellsButTheValue) {
  const std::string revision = put("/kv/a", "value").header("Anchor-Revision");
  const HttpAnswer got = get("/kv/a");
  const HttpAnswer head = request(HttpMethod::kHead, "/kv/a");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(got.body, "value");
  for (const char* name : {"ETag", "Anchor-Revision", "Anchor-Version", "Content-Length"}) {
    EXPECT_EQ(head.header(name), got.header(name)) << name;
  }
  EXPECT_EQ(head.header("ETag"), '"' + revision + '"');
  EXPECT_EQ(request(HttpMethod::kHead, "/kv/absent").status, 404);
}

TEST_F(KeysOnAFollower, DeleteTellsWhetherThereWasSomething) {
  put("/kv/a", "value");
  EXPECT_EQ(request(HttpMethod::kDelete, "/kv/a").header("Anchor-Deleted"), "1");
  EXPECT_EQ(get("/kv/a").status, 404);
  EXPECT_EQ(request(HttpMethod::kDelete, "/kv/a").header("Anchor-Deleted"), "0");
}

TEST_F(KeysOnAFollower, ConditionIsJudgedWhereTheWriteIsApplied) {
  EXPECT_EQ(put("/kv/a?cas=0", "1").status, 200);
  const HttpAnswer second = put("/kv/a?cas=0", "2");
  EXPECT_EQ(second.status, 412);
  const std::string tag = get("/kv/a").header("ETag");
  EXPECT_EQ(second.header("ETag"), tag);
  EXPECT_EQ(put("/kv/a", "2", "If-Match: " + tag + "\r\n").status, 200);
  EXPECT_EQ(put("/kv/a", "3", "If-Match: " + tag + "\r\n").status, 412);
  EXPECT_EQ(put("/kv/a", "3", "If-None-Match: *\r\n").status, 412);
  EXPECT_EQ(get("/kv/a").body, "2");
}

TEST_F(KeysOnAFollower, PreviousValueComesWithTheAnswer) {
  put("/kv/a", "old");
  const auto answer = nlohmann::json::parse(put("/kv/a?prev=true", "new").body);
  EXPECT_EQ(answer.at("prev").at("value"), "old");
  EXPECT_EQ(answer.at("prev").at("key"), "a");
  const auto deleted = nlohmann::json::parse(request(HttpMethod::kDelete, "/kv/a?prev=true").body);
  EXPECT_EQ(deleted.at("deleted"), 1);
  EXPECT_EQ(deleted.at("prev").at("value"), "new");
}

TEST_F(KeysOnAFollower, KnownValueIsNotSentAgain) {
  put("/kv/a", "value");
  const std::string tag = get("/kv/a").header("ETag");
  const HttpAnswer same =
      request(HttpMethod::kGet, "/kv/a", {.header_lines = "If-None-Match: " + tag + "\r\n"});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
}

TEST_F(KeysOnAFollower, RedirectNamesTheLeader) {
  const Node& leader = cluster_.leader();
  const HttpAnswer answer = put("/kv/a%20b?cas=0&redirect=true", "1");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("Location"), "http://" + leader.http_address() + "/kv/a%20b?cas=0");
  EXPECT_EQ(answer.header("X-Raft-Leader"), leader.id());
  EXPECT_EQ(leader.put("/kv/a%20b?cas=0&redirect=true", "1")->status, 200);
}

TEST_F(KeysOnAFollower, LargestKeyAndValueFit) {
  const std::string target = "/kv/" + std::string(4096, 'k');
  const std::string value(1 << 20, 'v');
  EXPECT_EQ(put(target, value).status, 200);
  EXPECT_EQ(get(target).body, value);
}

}  // namespace
}  // namespace anchor::cluster
