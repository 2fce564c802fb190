#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

using io::HttpMethod;

// A leader that stands still, and believes afterwards that it leads.
class PausedLeader : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.start());
    paused_ = &cluster_.leader();
    ASSERT_EQ(paused_->put("/kv/a", "old")->status, 200);
    paused_->pause();
  }

  // Without the paused one.
  Node& new_leader() const { return cluster_.leader(); }

  Cluster cluster_;
  Node* paused_ = nullptr;
};

TEST_F(PausedLeader, LosesTheLeadershipAndFollows) {
  const Node& successor = new_leader();
  EXPECT_NE(successor.id(), paused_->id());
  ASSERT_EQ(successor.put("/kv/a", "new")->status, 200);
  paused_->resume();
  ASSERT_TRUE(cluster_.wait_until_ready());
  EXPECT_EQ(paused_->get("/kv/a")->body, "new");
  EXPECT_TRUE(cluster_.wait_until_equal());
}

TEST_F(PausedLeader, NeverAnswersAReadWithWhatItRemembers) {
  ASSERT_EQ(new_leader().put("/kv/a", "new")->status, 200);
  // They wait in its sockets, and are the first that it sees when it goes on.
  std::deque<HttpClient> readers;
  for (int i = 0; i < 16; ++i) {
    readers.push_back(paused_->client());
    ASSERT_TRUE(readers.back().send(HttpMethod::kGet, "/kv/a"));
  }
  paused_->resume();
  for (HttpClient& reader : readers) {
    const auto answer = reader.receive();
    ASSERT_TRUE(answer) << answer.error().message;
    if (answer->status != 503) {
      EXPECT_EQ(answer->status, 200);
      EXPECT_EQ(answer->body, "new");
    }
  }
}

TEST_F(PausedLeader, TellsTheTruthAboutWritesThatReachItLate) {
  ASSERT_EQ(new_leader().put("/kv/a", "new")->status, 200);
  HttpClient conditional = paused_->client();
  HttpClient creating = paused_->client();
  ASSERT_TRUE(conditional.send(HttpMethod::kPut, "/kv/a?cas=2", {.body = "from the past"}));
  ASSERT_TRUE(creating.send(HttpMethod::kPut, "/kv/b?cas=0", {.body = "late"}));
  paused_->resume();

  const auto refused = conditional.receive();
  const auto created = creating.receive();
  ASSERT_TRUE(refused && created);
  EXPECT_NE(refused->status, 200) << "the condition held in the past only";
  ASSERT_TRUE(cluster_.wait_until_ready());
  for (const auto& node : cluster_.nodes()) {
    EXPECT_EQ(node->get("/kv/a")->body, "new");
    const int status = node->get("/kv/b")->status;
    if (created->status == 200) {
      EXPECT_EQ(status, 200);
    } else if (created->status == 503) {
      EXPECT_EQ(status, 404);
    }
  }
}

}  // namespace
}  // namespace anchor::cluster
