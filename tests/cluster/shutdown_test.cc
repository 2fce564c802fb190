#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

using io::HttpMethod;

TEST(Shutdown, ServerEndsWithZeroAndTheOthersGoOn) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node& leader = cluster.leader();
  ASSERT_EQ(leader.put("/kv/a", "1")->status, 200);
  EXPECT_EQ(leader.terminate(), Ended{.exit_code = 0});
  ASSERT_TRUE(cluster.wait_until_ready());
  for (const Node* node : cluster.others(leader)) {
    EXPECT_EQ(node->get("/kv/a")->body, "1");
    EXPECT_EQ(node->put("/kv/b", "2")->status, 200);
  }
}

TEST(Shutdown, WholeClusterStopsAndComesBackAsItWas) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  ASSERT_EQ(cluster[0].put("/kv/a", "1")->status, 200);
  for (const auto& node : cluster.nodes()) EXPECT_EQ(node->terminate(), Ended{.exit_code = 0});
  for (const auto& node : cluster.nodes()) node->start();
  ASSERT_TRUE(cluster.wait_until_ready());
  for (const auto& node : cluster.nodes()) EXPECT_EQ(node->get("/kv/a")->body, "1");
}

bool says_that_it_shuts_down(const Node& node) {
  return eventually([&] { return node.output().contains("shutting down"); });
}

TEST(Shutdown, RequestThatIsArrivingIsAnswered) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  auto put = Connection::open(node.http_port().number());
  auto readyz = Connection::open(node.http_port().number());
  auto half = Connection::open(node.http_port().number());
  ASSERT_TRUE(put->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha"));
  ASSERT_TRUE(readyz->send("GET /readyz HTTP/1.1\r\nHost: x\r\n"));
  ASSERT_TRUE(half->send("PUT /kv/b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha"));
  // Another's answer shows that the server has read these.
  ASSERT_EQ(node.get("/livez")->status, 200);
  node.process().signal(SIGTERM);
  ASSERT_TRUE(says_that_it_shuts_down(node));
  ASSERT_TRUE(put->send("lf"));
  ASSERT_TRUE(readyz->send("\r\n"));

  const std::string put_answer = put->receive_all().value();
  EXPECT_TRUE(put_answer.starts_with("HTTP/1.1 503 ")) << put_answer;
  EXPECT_TRUE(put_answer.contains("Connection: close\r\n")) << put_answer;
  EXPECT_TRUE(put_answer.contains("\r\n\r\nnot_ready: ")) << put_answer;
  const std::string readyz_answer = readyz->receive_all().value();
  EXPECT_TRUE(readyz_answer.starts_with("HTTP/1.1 503 ")) << readyz_answer;
  EXPECT_TRUE(readyz_answer.contains("[-]shutdown shutting down\n")) << readyz_answer;
  // This one never becomes whole.
  const std::string half_answer = half->receive_all().value();
  EXPECT_TRUE(half_answer.starts_with("HTTP/1.1 503 ")) << half_answer;
  EXPECT_EQ(node.wait(), Ended{.exit_code = 0});
  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  EXPECT_EQ(node.get("/kv/a")->status, 404);
}

TEST(Shutdown, IdleClientsHearOfItBeforeTheyAreCutOff) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  HttpClient asks = node.client();
  HttpClient writes = node.client();
  ASSERT_EQ(asks.get("/readyz")->status, 200);
  ASSERT_EQ(writes.put("/kv/a", "1")->status, 200);
  node.process().signal(SIGTERM);
  ASSERT_TRUE(says_that_it_shuts_down(node));
  const auto health = asks.get("/readyz");
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_EQ(health->status, 503);
  EXPECT_TRUE(health->body.contains("[-]shutdown shutting down\n")) << health->body;
  EXPECT_EQ(health->header("Connection"), "close");
  const auto refused = writes.put("/kv/a", "2");
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 503);
  EXPECT_TRUE(refused->body.starts_with("not_ready: ")) << refused->body;
  EXPECT_EQ(node.wait(), Ended{.exit_code = 0});
}

// A leader that cannot answer a write, since the other servers stand still.
class ShutdownWithARequestInFlight : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.start());
    leader_ = &cluster_.leader();
    client_.emplace(leader_->client());
    for (Node* other : cluster_.others(*leader_)) other->pause();
    const auto before = durable_index();
    ASSERT_TRUE(client_->send(HttpMethod::kPut, "/kv/late", {.body = "value"}));
    ASSERT_TRUE(eventually([&] { return durable_index() != before; }));
    // Signals and connections reach the server by different ways.
    leader_->process().signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return !Connection::open(leader_->http_port().number()); }));
  }

  // None: it is the leader no more.
  std::optional<std::uint64_t> durable_index() const {
    const auto status = leader_->status();
    for (const auto& peer : status->at("peers")) {
      if (peer.at("id") != leader_->id() || peer.at("match_index").is_null()) continue;
      return peer.at("match_index").get<std::uint64_t>();
    }
    return std::nullopt;
  }

  Cluster cluster_;
  Node* leader_ = nullptr;
  std::optional<HttpClient> client_;
};

TEST_F(ShutdownWithARequestInFlight, AnswersItAndEnds) {
  for (Node* other : cluster_.others(*leader_)) other->resume();
  const auto answer = client_->receive();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(leader_->wait(), Ended{.exit_code = 0});
  ASSERT_TRUE(cluster_.wait_until_ready());
  // It may have lost the leadership in the meantime: then it says so, and that is an answer.
  const std::string stored = cluster_.others(*leader_)[0]->get("/kv/late")->body;
  if (answer->status == 200) {
    EXPECT_EQ(stored, "value");
  } else if (answer->status == 503) {
    EXPECT_NE(stored, "value");
  } else {
    EXPECT_EQ(answer->status, 504);
  }
}

TEST_F(ShutdownWithARequestInFlight, AnswersItThoughNobodyElseIsThere) {
  const auto answer = client_->receive();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 504);
  EXPECT_EQ(leader_->wait(), Ended{.exit_code = 0});
}

TEST_F(ShutdownWithARequestInFlight, StopsAtOnceAtTheSecondSignal) {
  leader_->process().signal(SIGTERM);
  EXPECT_EQ(leader_->wait(), Ended{.exit_code = 128 + SIGTERM});
  EXPECT_FALSE(client_->receive());
  for (Node* other : cluster_.others(*leader_)) other->resume();
  leader_->start();
  EXPECT_TRUE(cluster_.wait_until_ready());
}

}  // namespace
}  // namespace anchor::cluster
