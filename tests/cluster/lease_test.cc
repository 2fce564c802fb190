#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/cluster/cluster.h"

// Leases, and the keys that go with them, on a cluster of real servers.
namespace anchor::cluster {
namespace {

using Clock = std::chrono::steady_clock;
using io::HttpMethod;
using nlohmann::json;

std::string path_of_lease(std::uint64_t id) {
  return "/lease/" + std::to_string(id);
}

class LeasesOfACluster : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.start()); }

  static HttpAnswer request(const Node& node, HttpMethod method, const std::string& target) {
    const auto answer = node.request(method, target);
    EXPECT_TRUE(answer) << target << ": " << answer.error().message;
    return answer ? *answer : HttpAnswer{};
  }
  static json body_of(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? json::parse(answer.body) : json::object();
  }

  static std::uint64_t grant(const Node& node, const std::string& ttl) {
    return body_of(request(node, HttpMethod::kPost, "/lease?ttl=" + ttl)).value("id", 0U);
  }
  static HttpAnswer keep_alive(const Node& node, std::uint64_t id) {
    return request(node, HttpMethod::kPost, path_of_lease(id) + "/keepalive");
  }
  static HttpAnswer look_at(const Node& node, std::uint64_t id) {
    return request(node, HttpMethod::kGet, path_of_lease(id));
  }
  // The revision of the write.
  static std::uint64_t put(const Node& node, const std::string& target) {
    const auto answer = node.put("/kv/" + target, "v");
    EXPECT_TRUE(answer && answer->status == 200) << target;
    return answer ? std::stoull(answer->header("Anchor-Revision")) : 0;
  }
  static std::uint64_t put_with(const Node& node, const std::string& key, std::uint64_t lease) {
    return put(node, key + "?lease=" + std::to_string(lease));
  }
  // How many keys there are that begin so, as of a revision; zero: now.
  static std::uint64_t count(const Node& node, const std::string& prefix,
                             std::uint64_t revision = 0) {
    std::string target = "/kv/?count=true&prefix=" + prefix;
    if (revision != 0) target += "&revision=" + std::to_string(revision);
    return body_of(request(node, HttpMethod::kGet, target)).value("count", 99U);
  }

  Cluster cluster_;
};

TEST_F(LeasesOfACluster, TakeTheirKeysAlongAtOneRevisionWhenTheyAreRevoked) {
  const std::uint64_t id = grant(cluster_[0], "1h");
  put_with(cluster_[0], "k/1", id);
  put_with(cluster_[1], "k/2", id);
  const std::uint64_t last = put_with(cluster_[2], "k/3", id);
  EXPECT_EQ(body_of(look_at(cluster_[1], id)).at("keys"), json({"k/1", "k/2", "k/3"}));
  EXPECT_EQ(request(cluster_[0], HttpMethod::kGet, "/kv/k/1").header("Anchor-Lease"),
            std::to_string(id));
  const json revoked =
      body_of(request(cluster_.follower(), HttpMethod::kDelete, path_of_lease(id)));
  EXPECT_EQ(revoked, json({{"revision", last + 1}, {"deleted", 3}}));
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(count(*node, "k/"), 0U);
    EXPECT_EQ(count(*node, "k/", last), 3U);
    EXPECT_EQ(count(*node, "k/", last + 1), 0U);
    EXPECT_EQ(look_at(*node, id).status, 404);
    EXPECT_EQ(keep_alive(*node, id).status, 404);
    EXPECT_EQ(request(*node, HttpMethod::kDelete, path_of_lease(id)).status, 404);
  }
}

TEST_F(LeasesOfACluster, TakeTheirKeysAlongAtOneRevisionWhenNobodyKeepsThemAlive) {
  const auto begin = Clock::now();
  const std::uint64_t id = grant(cluster_.follower(), "2s");
  const auto first = cluster_[0].put("/kv/k/1?lease=" + std::to_string(id), "v");
  const auto second = cluster_[1].put("/kv/k/2?lease=" + std::to_string(id), "v");
  if (second->status == 404) GTEST_SKIP() << "the machine is too slow for a lease of two seconds";
  ASSERT_EQ(first->status, 200);
  ASSERT_EQ(second->status, 200);
  ASSERT_TRUE(eventually([&] { return count(cluster_[0], "k/") == 0; }));
  EXPECT_GE(Clock::now() - begin, 2s);
  const std::uint64_t last = std::stoull(second->header("Anchor-Revision"));
  ASSERT_TRUE(cluster_.wait_until_equal());
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(count(*node, "k/", last), 2U);
    EXPECT_EQ(count(*node, "k/", last + 1), 0U);
    EXPECT_EQ(look_at(*node, id).status, 404);
  }
}

TEST_F(LeasesOfACluster, OfAKeyOfItsOwnGoWithItAndItWithThem) {
  const auto begin = Clock::now();
  put(cluster_[0], "short?ttl=1s");
  put(cluster_[1], "long?ttl=1h");
  ASSERT_TRUE(eventually([&] { return cluster_[2].get("/kv/short")->status == 404; }));
  EXPECT_GE(Clock::now() - begin, 1s);
  const HttpAnswer read = *cluster_[2].get("/kv/long");
  EXPECT_EQ(read.status, 200);
  const std::uint64_t id = std::stoull(read.header("Anchor-Lease"));
  EXPECT_EQ(body_of(look_at(cluster_[0], id)).at("keys"), json({"long"}));
  // Nobody but this key has it.
  EXPECT_EQ(cluster_[0].put("/kv/other?lease=" + std::to_string(id), "v")->status, 404);
  put(cluster_[0], "long");
  EXPECT_EQ(look_at(cluster_[1], id).status, 404);
  EXPECT_EQ(cluster_[1].get("/kv/long")->header("Anchor-Lease"), "0");
}

TEST_F(LeasesOfACluster, BeginAnewWhenTheyAreKeptAliveThroughAnyNode) {
  const std::uint64_t id = grant(cluster_[0], "1h");
  const auto remaining = [&](const Node& node) {
    return body_of(look_at(node, id)).value("remaining_ms", std::uint64_t{0});
  };
  for (const auto& node : cluster_.nodes()) {
    const std::uint64_t before = remaining(cluster_[0]);
    ASSERT_TRUE(eventually([&] { return remaining(*node) + 100 < before; }));
    const std::uint64_t low = remaining(*node);
    // However long it takes until it is looked at again.
    EXPECT_TRUE(eventually([&] {
      const json kept = body_of(keep_alive(*node, id));
      EXPECT_EQ(kept, json({{"id", id}, {"ttl_ms", 3'600'000}}));
      return remaining(*node) > low;
    }));
  }
}

TEST_F(LeasesOfACluster, ThatAreKeptAliveOutliveTheLeaderThatTheyWereGrantedBy) {
  Node& leader = cluster_.leader();
  Node& other = cluster_.follower();
  // Time enough for an election on a machine that is busy.
  const std::uint64_t id = grant(other, "10s");
  put_with(other, "k", id);
  leader.kill();
  for (const auto end = Clock::now() + 15s; Clock::now() < end;) {
    const HttpAnswer kept = keep_alive(other, id);
    // There is none who leads for a while.
    EXPECT_TRUE(kept.status == 200 || kept.status == 503 || kept.status == 504) << kept.body;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(other.get("/kv/k")->status, 200);
  EXPECT_EQ(look_at(other, id).status, 200);
  leader.start();
  ASSERT_TRUE(cluster_.wait_until_ready());
  // And nobody keeps it alive any more.
  EXPECT_TRUE(eventually([&] { return leader.get("/kv/k")->status == 404; }));
}

TEST_F(LeasesOfACluster, AndTheirKeysSurviveARestartOfAllNodes) {
  const std::uint64_t id = grant(cluster_[0], "1h");
  put_with(cluster_[1], "k/1", id);
  put_with(cluster_[2], "k/2", id);
  put(cluster_[0], "own?ttl=2h");
  const std::uint64_t revoked = grant(cluster_[0], "1h");
  request(cluster_[0], HttpMethod::kDelete, path_of_lease(revoked));
  const HttpAnswer before = request(cluster_[0], HttpMethod::kGet, "/lease");
  EXPECT_EQ(body_of(before).at("leases").size(), 2U) << before.body;
  for (const auto& node : cluster_.nodes()) node->kill();
  for (const auto& node : cluster_.nodes()) node->start();
  ASSERT_TRUE(cluster_.wait_until_ready());
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(request(*node, HttpMethod::kGet, "/lease").body, before.body);
    EXPECT_EQ(body_of(look_at(*node, id)).at("keys"), json({"k/1", "k/2"}));
    EXPECT_EQ(keep_alive(*node, id).status, 200);
  }
  EXPECT_GT(grant(cluster_[0], "1h"), revoked) << "no id is given twice";
  const json gone = body_of(request(cluster_[1], HttpMethod::kDelete, path_of_lease(id)));
  EXPECT_EQ(gone.at("deleted"), 2);
  EXPECT_EQ(count(cluster_[2], "k/"), 0U);
  EXPECT_EQ(count(cluster_[2], "own"), 1U);
}

TEST_F(LeasesOfACluster, AreNoMoreThanMayBe) {
  ASSERT_EQ(cluster_[0].put("/settings", R"({"lease_count":1})")->status, 200);
  const Node& node = cluster_.follower();
  const std::uint64_t id = grant(node, "1h");
  EXPECT_EQ(request(node, HttpMethod::kPost, "/lease?ttl=1h").status, 429);
  EXPECT_EQ(node.put("/kv/a?ttl=1h", "v")->status, 429);
  EXPECT_EQ(request(node, HttpMethod::kPost, "/lock/a?ttl=1h").status, 429);
  EXPECT_EQ(node.get("/kv/a")->status, 404);
  EXPECT_EQ(keep_alive(node, id).status, 200);
  EXPECT_EQ(request(node, HttpMethod::kDelete, path_of_lease(id)).status, 200);
  EXPECT_EQ(node.put("/kv/a?ttl=1h", "v")->status, 200);
}

TEST_F(LeasesOfACluster, ThatThereAreNotAreRefusedOnEveryNode) {
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(look_at(*node, 7).status, 404);
    EXPECT_EQ(request(*node, HttpMethod::kHead, "/lease/7").status, 404);
    EXPECT_EQ(keep_alive(*node, 9'007'199'254'740'991U).status, 404);
    EXPECT_EQ(node->put("/kv/a?lease=7", "v")->status, 404);
    EXPECT_EQ(node->get("/kv/a")->status, 404);
    const auto txn = post_json(node->client(), "/txn",
                               json::parse(R"({"success":[{"op":"put","key":"b","value":"1"},
                                   {"op":"put","key":"a","value":"1","lease":7}]})"));
    EXPECT_EQ(txn->status, 404) << txn->body;
    EXPECT_EQ(node->get("/kv/b")->status, 404) << "all of it, or nothing";
  }
}

}  // namespace
}  // namespace anchor::cluster
