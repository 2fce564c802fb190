#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/cluster/cluster.h"

// Locks on a cluster of real servers.
namespace anchor::cluster {
namespace {

using Clock = std::chrono::steady_clock;
using io::HttpMethod;
using nlohmann::json;

// For answers that are expected after an election, or after somebody's TTL.
constexpr const char* kLongWait = "&wait=10m";

HttpAnswer answer_of(const Result<HttpAnswer>& answer) {
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? *answer : HttpAnswer{};
}
// Zero: it was not given.
std::uint64_t token_of(const HttpAnswer& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  return answer.status == 200 ? json::parse(answer.body).at("token").get<std::uint64_t>() : 0;
}

class Locks : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.start()); }

  static HttpAnswer acquire(const Node& node, const std::string& name_and_query) {
    return answer_of(node.request(HttpMethod::kPost, "/lock/" + name_and_query));
  }
  static HttpAnswer release(const Node& node, const std::string& name, std::uint64_t token) {
    return answer_of(
        node.request(HttpMethod::kDelete, "/lock/" + name + "?token=" + std::to_string(token)));
  }
  // How many have the lock, or stand in line for it.
  static std::uint64_t line_length(const Node& node, const std::string& name) {
    const auto listed = answer_of(node.get("/kv/?count=true&prefix=lock/" + name + "/"));
    return listed.status == 200 ? json::parse(listed.body).at("count").get<std::uint64_t>() : 99;
  }
  // A client that has come into the line, and waits for its answer.
  std::unique_ptr<HttpClient> wait_in_line(const Node& node, const std::string& name,
                                           const std::string& query) {
    const std::uint64_t others = line_length(node, name);
    auto client = std::make_unique<HttpClient>(node.client());
    EXPECT_TRUE(client->send(HttpMethod::kPost, "/lock/" + name + query + kLongWait));
    EXPECT_TRUE(eventually([&] { return line_length(node, name) == others + 1; }));
    return client;
  }

  Cluster cluster_;
};

TEST_F(Locks, AreHandedOnInTheOrderOfTheRequestsThroughDifferentNodes) {
  std::uint64_t token = token_of(acquire(cluster_[0], "a?ttl=1h"));
  std::vector<std::unique_ptr<HttpClient>> line;
  for (const std::size_t i : {1, 2, 0, 2, 1, 0}) {
    line.push_back(wait_in_line(cluster_[i], "a", "?ttl=1h"));
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    EXPECT_EQ(release(cluster_[i % 3], "a", token).status, 200);
    const std::uint64_t next = token_of(answer_of(line[i]->receive()));
    EXPECT_GT(next, token);
    // All others wait on.
    EXPECT_EQ(line_length(cluster_[0], "a"), line.size() - i);
    token = next;
  }
  EXPECT_EQ(release(cluster_[0], "a", token).status, 200);
  EXPECT_EQ(line_length(cluster_[0], "a"), 0U);
}

TEST_F(Locks, AreReleasedThroughAnyNodeAndOnce) {
  std::uint64_t token = 0;
  for (std::size_t i = 0; i < cluster_.size(); ++i) {
    const std::uint64_t next = token_of(acquire(cluster_[i], "a?ttl=1h"));
    EXPECT_GT(next, token);
    EXPECT_EQ(release(cluster_[(i + 1) % 3], "b", next).status, 404) << "another lock's";
    if (token != 0) {
      EXPECT_EQ(release(cluster_[i], "a", token).status, 404) << "an old one";
    }
    EXPECT_EQ(acquire(cluster_[(i + 2) % 3], "a?ttl=1h").status, 409);
    EXPECT_EQ(release(cluster_[(i + 1) % 3], "a", next).status, 200);
    EXPECT_EQ(release(cluster_[(i + 1) % 3], "a", next).status, 404);
    EXPECT_EQ(release(cluster_[i], "a", next).status, 404);
    token = next;
  }
}

TEST_F(Locks, PassToTheNextAfterTheTimeOfAHolderThatVanished) {
  const auto begin = Clock::now();
  const std::uint64_t vanished = token_of(acquire(cluster_[0], "a?ttl=2s"));
  // At most this one may be late: then it is alone in line.
  HttpClient next = cluster_[1].client();
  ASSERT_TRUE(next.send(HttpMethod::kPost, std::string("/lock/a?ttl=1h") + kLongWait));
  const std::uint64_t token = token_of(answer_of(next.receive()));
  EXPECT_GE(Clock::now() - begin, 2s);
  EXPECT_GT(token, vanished);
  EXPECT_EQ(release(cluster_[0], "a", vanished).status, 404);
  EXPECT_EQ(acquire(cluster_[2], "a?ttl=1h").status, 409) << "the late release took nothing away";
}

TEST_F(Locks, AreKeptByTheirLease) {
  const HttpAnswer acquired = acquire(cluster_[0], "a?ttl=1h");
  const json lock = json::parse(acquired.body);
  const std::string path = "/lease/" + std::to_string(lock.at("lease").get<std::uint64_t>());
  EXPECT_EQ(cluster_[1].request(HttpMethod::kPost, path + "/keepalive")->status, 200);
  const auto next = wait_in_line(cluster_[2], "a", "?ttl=1h");
  EXPECT_EQ(cluster_[1].request(HttpMethod::kDelete, path)->status, 200);
  EXPECT_GT(token_of(answer_of(next->receive())), token_of(acquired));
}

TEST_F(Locks, AreNotWaitedForByWhoseConnectionIsClosed) {
  const std::uint64_t token = token_of(acquire(cluster_[0], "a?ttl=1h"));
  auto gone = wait_in_line(cluster_[1], "a", "?ttl=1h");
  const auto stays = wait_in_line(cluster_[2], "a", "?ttl=1h");
  gone.reset();
  // Long before its place in line would end by itself.
  EXPECT_TRUE(eventually([&] { return line_length(cluster_[0], "a") == 2; }));
  EXPECT_EQ(release(cluster_[0], "a", token).status, 200);
  EXPECT_GT(token_of(answer_of(stays->receive())), token);
  EXPECT_EQ(line_length(cluster_[0], "a"), 1U);
}

TEST_F(Locks, LeaveNobodyInLineWhoWaitedInVain) {
  const std::uint64_t token = token_of(acquire(cluster_[0], "a?ttl=1h"));
  for (const auto& node : cluster_.nodes()) {
    for (const char* wait : {"", "&wait=0s", "&wait=100ms", "&wait=1500ms"}) {
      const auto begin = Clock::now();
      const HttpAnswer held = acquire(*node, std::string("a?ttl=1s") + wait);
      EXPECT_EQ(held.status, 409) << node->id() << wait;
      EXPECT_TRUE(held.body.contains("lock_held")) << held.body;
      EXPECT_EQ(line_length(*node, "a"), 1U) << node->id() << wait;
      if (wait == std::string("&wait=1500ms")) {
        EXPECT_GE(Clock::now() - begin, 1500ms);
      }
    }
  }
  EXPECT_EQ(release(cluster_[1], "a", token).status, 200);
  EXPECT_GT(token_of(acquire(cluster_[2], "a?ttl=1h")), token);
}

TEST_F(Locks, SurviveTheLeader) {
  Node& leader = cluster_.leader();
  const std::vector<Node*> others = cluster_.others(leader);
  const std::uint64_t token = token_of(acquire(*others[0], "a?ttl=1h"));
  const auto first = wait_in_line(*others[1], "a", "?ttl=1m");
  const auto second = wait_in_line(*others[0], "a", "?ttl=1m");
  leader.kill();
  ASSERT_TRUE(cluster_.wait_until_ready());
  EXPECT_EQ(acquire(*others[0], "a?ttl=1h").status, 409);
  EXPECT_EQ(line_length(*others[0], "a"), 3U);
  EXPECT_EQ(release(*others[1], "a", token).status, 200);
  const std::uint64_t next = token_of(answer_of(first->receive()));
  EXPECT_GT(next, token);
  leader.start();
  ASSERT_TRUE(cluster_.wait_until_ready());
  EXPECT_EQ(release(leader, "a", next).status, 200);
  EXPECT_GT(token_of(answer_of(second->receive())), next);
}

// Whoever waited there is gone, and keeps its place for no longer than its TTL.
TEST_F(Locks, PassByTheClientsOfANodeThatIsGone) {
  Node& gone = cluster_.follower();
  Node& leader = cluster_.leader();
  const std::uint64_t token = token_of(acquire(leader, "a?ttl=1h"));
  const auto cut_off = wait_in_line(gone, "a", "?ttl=3s");
  const auto stays = wait_in_line(leader, "a", "?ttl=3s");
  gone.kill();
  EXPECT_FALSE(cut_off->receive());
  EXPECT_EQ(release(leader, "a", token).status, 200);
  EXPECT_GT(token_of(answer_of(stays->receive())), token);
}

// It says so to who waits there, and gives up their places while it still can.
TEST_F(Locks, AreNotWaitedForAtANodeThatIsToldToEnd) {
  Node& ending = cluster_.follower();
  Node& leader = cluster_.leader();
  const std::uint64_t token = token_of(acquire(leader, "a?ttl=1h"));
  const auto sent_away = wait_in_line(ending, "a", "?ttl=1h");
  const auto stays = wait_in_line(leader, "a", "?ttl=1h");
  EXPECT_EQ(ending.terminate(), Ended{.exit_code = 0});
  EXPECT_EQ(answer_of(sent_away->receive()).status, 503);
  EXPECT_EQ(line_length(leader, "a"), 2U);
  EXPECT_EQ(release(leader, "a", token).status, 200);
  EXPECT_GT(token_of(answer_of(stays->receive())), token);
}

TEST_F(Locks, OfAllNodesSurviveARestart) {
  const std::uint64_t token = token_of(acquire(cluster_[0], "a?ttl=1h"));
  for (const auto& node : cluster_.nodes()) node->kill();
  for (const auto& node : cluster_.nodes()) node->start();
  ASSERT_TRUE(cluster_.wait_until_ready());
  for (const auto& node : cluster_.nodes()) EXPECT_EQ(acquire(*node, "a?ttl=1h").status, 409);
  EXPECT_EQ(release(cluster_[1], "a", token).status, 200);
  EXPECT_GT(token_of(acquire(cluster_[2], "a?ttl=1h")), token);
}

TEST_F(Locks, AreAsManyAsThereAreNames) {
  const std::vector<std::string> names = {"a",    "a/b", "a/b/",  "%2F",   "a%00",
                                          "a%FF", "..",  "%25zz", "a%20b", std::string(4000, 'n')};
  std::set<std::uint64_t> tokens;
  for (const std::string& name : names) {
    tokens.insert(token_of(acquire(cluster_[0], name + "?ttl=1h")));
  }
  EXPECT_EQ(tokens.size(), names.size());
  for (const std::string& name : names) {
    EXPECT_EQ(acquire(cluster_[1], name + "?ttl=1h").status, 409) << name;
  }
  // However it is written.
  EXPECT_EQ(acquire(cluster_[2], "%61%2fb?ttl=1h").status, 409);
}

TEST_F(Locks, AreHeldByOneAtATime) {
  constexpr int kRounds = 8;
  constexpr std::size_t kClients = 9;
  ASSERT_EQ(cluster_[0].put("/kv/counter", "0")->status, 200);
  std::array<std::vector<std::uint64_t>, kClients> tokens;
  const auto run = [&](std::size_t number) {
    HttpClient client = cluster_[number % 3].client();
    for (int round = 0; round < kRounds; ++round) {
      const auto acquired = client.request(HttpMethod::kPost, "/lock/m?ttl=10m&wait=10m");
      tokens[number].push_back(token_of(answer_of(acquired)));
      // Nothing but the lock guards this.
      const int count = std::stoi(answer_of(client.get("/kv/counter")).body);
      EXPECT_EQ(answer_of(client.put("/kv/counter", std::to_string(count + 1))).status, 200);
      const std::string target = "/lock/m?token=" + std::to_string(tokens[number].back());
      EXPECT_EQ(answer_of(client.request(HttpMethod::kDelete, target)).status, 200);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < kClients; ++number) threads.emplace_back(run, number);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cluster_[0].get("/kv/counter")->body, std::to_string(kRounds * kClients));
  std::set<std::uint64_t> all;
  for (const auto& own : tokens) {
    EXPECT_TRUE(std::ranges::is_sorted(own));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), kRounds * kClients);
}

}  // namespace
}  // namespace anchor::cluster
