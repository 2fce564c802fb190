#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "tests/cluster/membership.h"

namespace anchor::cluster {
namespace {

class Removal : public Membership {
 protected:
  static bool says_that_it_is_removed(const Node& node) {
    return eventually([&] {
      const auto ready = node.get("/readyz");
      return ready && ready->status == 503 && ready->body.contains("[-]member removed\n");
    });
  }
  // All but `node`, of those that run.
  std::vector<Node*> rest(const Node& node) const {
    std::vector<Node*> others = cluster_.others(node);
    std::erase_if(others, [](const Node* other) { return !other->runs(); });
    return others;
  }
};

TEST_F(Removal, LeaderIsRemovedUnderLoadAndTheOthersGoOn) {
  grow(4);
  Load load(cluster_);
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  Node& removed = leader();
  const HttpAnswer answer = post(removed, "/remove", {{"id", removed.id()}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  ASSERT_TRUE(says_that_it_is_removed(removed)) << removed.output();
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  load.stop();

  EXPECT_NE(removed.status()->at("role"), "Leader");
  for (const auto* method : {"write", "read"}) {
    const auto refused =
        method == std::string("write") ? removed.put("/kv/a", "1") : removed.get("/kv/a");
    EXPECT_EQ(refused->status, 503);
    EXPECT_TRUE(refused->body.starts_with("not_ready: this node was removed")) << refused->body;
  }
  EXPECT_EQ(post(removed, "/transfer", nlohmann::json::object()).status, 503);
  EXPECT_EQ(removed.get("/members")->status, 503);
  EXPECT_EQ(load.surprises(), std::vector<std::string>());
  for (const Node* node : rest(removed)) {
    EXPECT_TRUE(becomes_ready(*node));
    EXPECT_EQ(voters(*node).size(), 3U);
    expect_what_was_told(*node, load);
  }
  EXPECT_EQ(count_of(removed.output(), "removed from the cluster"), 1U) << removed.output();
}

TEST_F(Removal, RemovedFollowerDisturbsNobody) {
  grow(3);
  Node& leading = leader();
  Node& removed = *rest(leading)[0];
  const auto term = leading.status()->at("term");
  // It is asked itself, and hears the answer.
  const HttpAnswer answer = post(removed, "/remove", {{"id", removed.id()}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  ASSERT_TRUE(says_that_it_is_removed(removed)) << removed.output();
  EXPECT_NE(removed.status()->at("role"), "Leader");
  // Longer than any election.
  const auto later = leading.status()->at("commit_index").get<std::uint64_t>() + 100;
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_EQ(leading.put("/kv/a", "1")->status, 200);
  EXPECT_GE(leading.status()->at("commit_index").get<std::uint64_t>(), later);
  EXPECT_EQ(leading.status()->at("term"), term);
  EXPECT_EQ(removed.terminate(), Ended{.exit_code = 0});
}

TEST_F(Removal, ServerThatWasDownMeanwhileHearsOfItWhenItComesBack) {
  grow(3);
  Node& removed = *rest(leader())[0];
  removed.kill();
  ASSERT_EQ(post(leader(), "/remove", {{"id", removed.id()}}).status, 200);
  removed.start();
  EXPECT_TRUE(says_that_it_is_removed(removed)) << removed.output();
  // Also the next time, and though it has another address then.
  removed.kill();
  std::vector<std::string> arguments = removed.arguments();
  const ReservedPort elsewhere;
  arguments[5] = std::to_string(elsewhere.number());
  removed.start_with(arguments);
  EXPECT_TRUE(says_that_it_is_removed(removed)) << removed.output();
}

TEST_F(Removal, RemovedServerWithoutItsDataJoinsAsANewOne) {
  grow(3);
  Node& again = *rest(leader())[0];
  ASSERT_EQ(leader().put("/kv/a", "1")->status, 200);
  ASSERT_EQ(post(leader(), "/remove", {{"id", again.id()}}).status, 200);
  ASSERT_TRUE(says_that_it_is_removed(again));
  again.kill();
  again.wipe();
  again.start({"--peers", leader().peer_address()});
  ASSERT_TRUE(becomes_ready(again)) << again.output();
  EXPECT_TRUE(has_voters(again, 3));
  EXPECT_EQ(again.get("/kv/a")->body, "1");
}

TEST_F(Removal, ThatWouldLoseTheQuorumIsRefusedWithTheArithmetic) {
  grow(3);
  Node& leading = leader();
  Node& down = *rest(leading)[0];
  Node& up = *rest(leading)[1];
  down.kill();
  // Until the leader misses it.
  HttpAnswer refused;
  ASSERT_TRUE(eventually([&] {
    const auto status = leading.status();
    for (const auto& peer : status->at("peers")) {
      if (peer.at("id") == down.id()) return peer.at("last_contact_ms").get<int>() > 300;
    }
    return false;
  }));
  refused = post(leading, "/remove", {{"id", up.id()}});
  EXPECT_EQ(refused.status, 409) << refused.body;
  const auto json = nlohmann::json::parse(refused.body);
  EXPECT_EQ(json.at("code"), "quorum_at_risk");
  EXPECT_EQ(json.at("success"), false);
  std::vector<std::string> left{leading.id(), down.id()};
  std::ranges::sort(left);
  EXPECT_EQ(json.at("error"), "removing " + up.id() + " would leave 2 voters (" + left[0] + ", " +
                                  left[1] + "), of which 2 are needed and 1 answers (" +
                                  leading.id() + ")");
  // The one that is down can go.
  EXPECT_EQ(post(leading, "/remove", {{"id", down.id()}}).status, 200);
  EXPECT_EQ(voters(leading).size(), 2U);
}

TEST_F(Removal, LastVoterStays) {
  grow(1);
  const HttpAnswer refused = post(cluster_[0], "/remove", {{"id", "n1"}, {"force", true}});
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(nlohmann::json::parse(refused.body).at("code"), "quorum_at_risk");
}

TEST_F(Removal, WhoIsNoMemberIsNotFound) {
  grow(2);
  for (const auto* path : {"/remove", "/promote"}) {
    const HttpAnswer answer = post(cluster_[1], path, {{"id", "n9"}});
    EXPECT_EQ(answer.status, 404) << answer.body;
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("error"), "there is no member n9");
  }
  EXPECT_EQ(post(cluster_[1], "/transfer", {{"to", "n9"}}).status, 404);
}

TEST_F(Removal, WithoutALeaderNothingIsChanged) {
  grow(2);
  Node& left = *rest(leader())[0];
  leader().kill();
  HttpAnswer refused;
  ASSERT_TRUE(eventually([&] { return left.status()->at("leader_id").is_null(); }));
  refused = post(left, "/remove", {{"id", left.id()}});
  EXPECT_EQ(refused.status, 503) << refused.body;
  const auto json = nlohmann::json::parse(refused.body);
  EXPECT_EQ(json.at("code"), "no_leader");
  EXPECT_EQ(json.at("outcome"), "not_applied");
  EXPECT_FALSE(refused.header("Retry-After").empty());
}

// --- Replacing ----------------------------------------------------------------------------------

class Replacement : public Membership {
 protected:
  Replacement() : Membership(8) {}
};

TEST_F(Replacement, OfThreeOfFiveVotersUnderLoadLosesNothing) {
  grow(5);
  Load load(cluster_);
  for (std::size_t i = 0; i < 3; ++i) {
    Node& old = cluster_[i];
    Node& fresh = cluster_[5 + i];
    fresh.start({"--peers", cluster_[4].peer_address()});
    ASSERT_TRUE(has_voters(cluster_[4], 6)) << fresh.output();
    // The next change waits for the end of this one.
    HttpAnswer removed;
    ASSERT_TRUE(eventually([&] {
      removed = post(fresh, "/remove", {{"id", old.id()}});
      return removed.status != 409 && removed.status != 503;
    }));
    ASSERT_EQ(removed.status, 200) << removed.body;
    ASSERT_TRUE(has_voters(cluster_[4], 5));
    EXPECT_EQ(old.terminate(), Ended{.exit_code = 0});
    ASSERT_TRUE(load.wait_for_acknowledged(50));
  }
  load.stop();
  EXPECT_EQ(load.surprises(), std::vector<std::string>());
  for (std::size_t i = 3; i < 8; ++i) {
    ASSERT_TRUE(becomes_ready(cluster_[i]));
    expect_what_was_told(cluster_[i], load);
  }
}

// --- Handing leadership over --------------------------------------------------------------------

using Transfer = Removal;

TEST_F(Transfer, UnderLoadLosesNothing) {
  grow(3);
  Load load(cluster_);
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  static_cast<void>(load.take_longest_pause());
  for (int i = 0; i < 6; ++i) {
    Node& from = leader();
    Node& to = *rest(from)[static_cast<std::size_t>(i) % 2];
    const HttpAnswer answer = post(*rest(from)[1], "/transfer", {{"to", to.id()}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("leader_hint"), to.http_address());
    ASSERT_TRUE(load.wait_for_acknowledged(50));
    EXPECT_EQ(leader().id(), to.id());
  }
  const Duration pause = load.take_longest_pause();
  std::cout << "no write was acknowledged for "
            << std::chrono::duration_cast<std::chrono::milliseconds>(pause).count()
            << " ms at the longest\n";
  load.stop();
  EXPECT_EQ(load.surprises(), std::vector<std::string>());
  for (int i = 0; i < 3; ++i) expect_what_was_told(cluster_[i], load);
}

TEST_F(Transfer, LeaderThatStopsHandsOver) {
  grow(3);
  Node& leading = leader();
  const auto term = leading.status()->at("term").get<std::uint64_t>();
  EXPECT_EQ(leading.terminate(), Ended{.exit_code = 0});
  EXPECT_TRUE(leading.output().contains("handed leadership over to ")) << leading.output();
  EXPECT_EQ(leader().status()->at("term").get<std::uint64_t>(), term + 1);
  EXPECT_EQ(leader().put("/kv/a", "1")->status, 200);
}

TEST_F(Transfer, NobodyElseIsThere) {
  grow(1);
  const HttpAnswer refused = post(cluster_[0], "/transfer", nlohmann::json::object());
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_EQ(cluster_[0].terminate(), Ended{.exit_code = 0});
}

}  // namespace
}  // namespace anchor::cluster
