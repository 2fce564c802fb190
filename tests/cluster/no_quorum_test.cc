#include <gtest/gtest.h>

#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

using io::HttpMethod;

// One server of three, once with what a leader remembers, once with what a follower does.
class NoQuorum : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.start());
    ASSERT_EQ(cluster_[0].put("/kv/a", "1")->status, 200);
    alone_ = GetParam() == std::string("leader") ? &cluster_.leader() : &cluster_.follower();
    for (Node* other : cluster_.others(*alone_)) other->kill();
  }

  HttpAnswer request(HttpMethod method, std::string_view target, std::string body = {}) const {
    const HttpExtra extra{.header_lines = "Accept: application/json\r\n", .body = std::move(body)};
    return alone_->request(method, target, extra).value();
  }

  Cluster cluster_;
  Node* alone_ = nullptr;
};

TEST_P(NoQuorum, WritesAreAnsweredWithTheirOutcome) {
  for (int i = 0; i < 2; ++i) {
    const HttpAnswer answer = request(HttpMethod::kPut, "/kv/b" + std::to_string(i), "2");
    const auto error = nlohmann::json::parse(answer.body);
    if (answer.status == 504) {
      EXPECT_EQ(error.at("code"), "unknown_outcome");
      EXPECT_EQ(error.at("outcome"), "unknown");
    } else {
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(error.at("code"), "no_leader");
      EXPECT_EQ(error.at("outcome"), "not_applied");
      EXPECT_NE(answer.header("Retry-After"), "");
    }
  }
}

TEST_P(NoQuorum, ReadsAreRefused) {
  const HttpAnswer answer = request(HttpMethod::kGet, "/kv/a");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(nlohmann::json::parse(answer.body).at("code"), "no_leader");
}

TEST_P(NoQuorum, ServerLivesAndIsNotReady) {
  EXPECT_TRUE(eventually([&] { return alone_->get("/readyz")->status == 503; }));
  EXPECT_TRUE(alone_->get("/readyz")->body.contains("[-]leader no leader is known"));
  EXPECT_EQ(alone_->get("/livez")->status, 200);
  EXPECT_TRUE(alone_->status()->at("leader_id").is_null());
}

TEST_P(NoQuorum, WhatWasRefusedIsNotThereAfterwards) {
  ASSERT_TRUE(eventually([&] { return !alone_->is_ready(); }));
  ASSERT_EQ(request(HttpMethod::kPut, "/kv/refused", "2").status, 503);
  for (Node* other : cluster_.others(*alone_)) other->start();
  ASSERT_TRUE(cluster_.wait_until_ready());
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(node->get("/kv/refused")->status, 404);
    EXPECT_EQ(node->get("/kv/a")->body, "1");
  }
}

INSTANTIATE_TEST_SUITE_P(OfThe, NoQuorum, testing::Values("leader", "follower"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace anchor::cluster
