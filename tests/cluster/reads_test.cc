#include <gtest/gtest.h>

#include <string>

#include "tests/cluster/cluster.h"

// What a read may return, on every node: linearizable, by lease, stale.
namespace anchor::cluster {
namespace {

class Reads : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.start());
    const auto written = cluster_[0].put("/kv/a", "1");
    ASSERT_TRUE(written && written->status == 200);
    revision_ = written->header("Anchor-Revision");
    ASSERT_TRUE(cluster_.wait_until_equal());
  }
  static HttpAnswer get(const Node& node, const std::string& query) {
    const auto answer = node.get("/kv/a?" + query);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : HttpAnswer{};
  }
  // Only this one still runs: it can ask nobody.
  void pause_all_but(const Node& node) {
    for (Node* other : cluster_.others(node)) other->pause();
  }

  Cluster cluster_;
  std::string revision_;
};

TEST_F(Reads, EveryNodeServesEveryConsistency) {
  for (const auto& node : cluster_.nodes()) {
    for (const char* level : {"linearizable", "lease", "stale"}) {
      const HttpAnswer answer = get(*node, std::string("consistency=") + level);
      EXPECT_EQ(answer.status, 200) << node->id() << ", " << level;
      EXPECT_EQ(answer.body, "1") << node->id() << ", " << level;
      EXPECT_EQ(answer.header("Anchor-Revision"), revision_);
      EXPECT_NE(answer.header("X-Applied-Index"), "");
      EXPECT_EQ(answer.header("Anchor-Age-Ms").empty(), level != std::string("stale"));
    }
  }
}

TEST_F(Reads, ByLeaseSeeEveryWriteThatWasAcknowledged) {
  HttpClient writer = cluster_[0].client();
  for (int i = 0; i < 300; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_EQ(writer.put("/kv/a", value)->status, 200);
    EXPECT_EQ(get(cluster_[static_cast<std::size_t>(i % 3)], "consistency=lease").body, value);
  }
}

TEST_F(Reads, StaleNeedNobodyElseAndTellTheirAge) {
  const Node& alone = cluster_.follower();
  pause_all_but(alone);
  // It knows a leader for so long, and asks it.
  EXPECT_EQ(get(alone, "consistency=linearizable").status, 503);
  const HttpAnswer stale = get(alone, "consistency=stale");
  EXPECT_EQ(stale.status, 200);
  EXPECT_EQ(stale.body, "1");
  EXPECT_GE(std::stoull(stale.header("Anchor-Age-Ms")), 1000U);
  EXPECT_EQ(get(alone, "consistency=stale&max_staleness=1h").status, 200);
  EXPECT_EQ(get(alone, "consistency=stale&max_staleness=100ms").status, 503);
  EXPECT_EQ(get(alone, "consistency=stale&min_revision=" + revision_).status, 200);
  EXPECT_EQ(get(alone, "consistency=stale&min_revision=1000000").status, 503);
}

TEST_F(Reads, ALeaderThatIsCutOffServesNoneByLease) {
  const Node& leader = cluster_.leader();
  ASSERT_EQ(get(leader, "consistency=lease").status, 200);
  pause_all_but(leader);
  EXPECT_TRUE(eventually([&] { return get(leader, "consistency=lease").status == 503; }));
}

TEST_F(Reads, ARevisionThatIsNotThereYetIsRefused) {
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(get(*node, "min_revision=" + revision_).status, 200);
    const HttpAnswer future = get(*node, "min_revision=1000000");
    EXPECT_EQ(future.status, 400);
    EXPECT_EQ(future.header("Anchor-Revision"), revision_);
  }
}

}  // namespace
}  // namespace anchor::cluster
