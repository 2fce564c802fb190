#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cluster/membership.h"

namespace anchor::cluster {
namespace {

class JoiningCluster : public Membership {};

// Three commands, at the same time; the others find the first one when it is there.
TEST_F(JoiningCluster, ThreeCommandsMakeAClusterOfThreeVoters) {
  Node& first = cluster_[0];
  const std::string port = first.peer_address().substr(first.peer_address().find(':'));
  cluster_[1].start({"--peers", "localhost" + port});
  cluster_[2].start({"--peers", "localhost" + port + "," + cluster_[1].peer_address()});
  first.start();
  const std::vector<std::string> all{"n1", "n2", "n3"};
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([&] { return voters(cluster_[i]) == all; })) << cluster_[i].output();
    EXPECT_TRUE(becomes_ready(cluster_[i]));
  }
  EXPECT_EQ(cluster_[2].put("/kv/a", "1")->status, 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cluster_[i].get("/kv/a")->body, "1");
  // They go on without the founder, and without flags.
  first.kill();
  ASSERT_TRUE(eventually([&] { return cluster_[1].put("/kv/a", "2")->status == 200; }));
  cluster_[2].kill();
  cluster_[2].start();
  EXPECT_TRUE(becomes_ready(cluster_[2]));
  EXPECT_EQ(cluster_[2].get("/kv/a")->body, "2");
}

TEST_F(JoiningCluster, FourthServerJoinsUnderLoadAndServes) {
  grow(3);
  Load load(cluster_);
  ASSERT_TRUE(load.wait_for_acknowledged(500));
  join(cluster_[3]);
  ASSERT_TRUE(has_voters(leader(), 4));
  ASSERT_TRUE(becomes_ready(cluster_[3]));
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  load.stop();
  EXPECT_EQ(load.surprises(), std::vector<std::string>());
  for (const auto& node : cluster_.nodes()) expect_what_was_told(*node, load);
  EXPECT_TRUE(cluster_.wait_until_equal());
}

TEST_F(JoiningCluster, ServerThatWaitsSaysWhyAndAsksAgainAfterARestart) {
  Node& joiner = cluster_[1];
  join(joiner);
  const std::string nobody = "joining: no answer from " + cluster_[0].peer_address();
  ASSERT_TRUE(eventually([&] { return joiner.output().contains(nobody); }));
  EXPECT_EQ(joiner.get("/livez")->status, 200);
  EXPECT_EQ(joiner.get("/readyz")->status, 503);
  EXPECT_TRUE(joiner.get("/readyz")->body.contains("[-]member waiting to join a cluster"));
  EXPECT_EQ(joiner.put("/kv/a", "1")->status, 503);
  EXPECT_EQ(joiner.get("/members")->status, 503);
  joiner.kill();
  join(joiner);
  cluster_[0].start();
  EXPECT_TRUE(becomes_ready(joiner));
  EXPECT_TRUE(has_voters(cluster_[0], 2));
  // It was asked again and again, and complained of once a start.
  EXPECT_LE(count_of(joiner.output(), nobody), 2U);
}

TEST_F(JoiningCluster, ServerThatWaitsStopsWhenItIsTold) {
  join(cluster_[1]);
  ASSERT_TRUE(eventually([&] { return cluster_[1].get("/livez").has_value(); }));
  EXPECT_EQ(cluster_[1].terminate(), Ended{.exit_code = 0});
}

TEST_F(JoiningCluster, ServerMayBeKilledAtAnyTimeWhileItJoins) {
  grow(1);
  Node& joiner = cluster_[1];
  // Each time it gets a little further; or further than it had the time to say.
  constexpr auto kLast = "follows leader";
  for (const auto* line : {"started", "asks to join", "joined a cluster", kLast}) {
    join(joiner);
    ASSERT_TRUE(eventually([&] {
      const std::string output = joiner.output();
      return output.contains(line) || output.contains(kLast);
    })) << line;
    joiner.kill();
  }
  join(joiner);
  EXPECT_TRUE(becomes_ready(joiner)) << joiner.output();
  EXPECT_TRUE(has_voters(joiner, 2));
}

TEST_F(JoiningCluster, AnyMemberTakesTheRequestAndTheLeaderMayGoMeanwhile) {
  grow(3);
  Node& gone = leader();
  Node& asked = *cluster_.others(gone)[0];
  Node& joiner = cluster_[3];
  gone.kill();
  joiner.start({"--peers", gone.peer_address() + "," + asked.peer_address()});
  EXPECT_TRUE(becomes_ready(joiner));
  EXPECT_TRUE(eventually([&] { return voters(joiner).size() == 4; }));
}

TEST_F(JoiningCluster, LearnerStaysOneUntilItIsPromoted) {
  grow(2);
  Node& learner = cluster_[2];
  const nlohmann::json request{
      {"id", learner.id()}, {"address", learner.peer_address()}, {"learner", true}};
  const HttpAnswer added = post(cluster_[1], "/join", request);
  EXPECT_EQ(added.status, 200) << added.body;
  // It is not there yet.
  const HttpAnswer early = post(cluster_[0], "/promote", {{"id", learner.id()}});
  EXPECT_EQ(early.status, 409) << early.body;
  EXPECT_EQ(nlohmann::json::parse(early.body).at("code"), "not_ready");

  join(learner);
  ASSERT_TRUE(becomes_ready(learner)) << learner.output();
  EXPECT_EQ(learner.status()->at("role"), "Learner");
  EXPECT_EQ(member(learner, learner.id()).value("http_address", ""), learner.http_address());
  ASSERT_EQ(learner.put("/kv/a", "1")->status, 200);
  EXPECT_EQ(learner.get("/kv/a")->body, "1");
  EXPECT_TRUE(member(cluster_[0], learner.id()).value("learner", false));
  // It has caught up as soon as it acknowledged the last entry.
  ASSERT_TRUE(
      eventually([&] { return post(learner, "/promote", {{"id", learner.id()}}).status == 200; }));
  EXPECT_EQ(voters(cluster_[0]).size(), 3U);
}

TEST_F(JoiningCluster, WipedMemberIsRefusedAndToldWhatToDo) {
  grow(3);
  Node& wiped = *cluster_.others(leader())[0];
  wiped.kill();
  wiped.wipe();
  const std::string peer = leader().peer_address();
  wiped.start({"--peers", peer});
  EXPECT_EQ(wiped.wait(), Ended{.exit_code = 11});
  EXPECT_TRUE(wiped.output().contains("anchorctl member remove " + wiped.id())) << wiped.output();
  // That helps.
  const HttpAnswer removed = post(leader(), "/remove", {{"id", wiped.id()}});
  ASSERT_EQ(removed.status, 200) << removed.body;
  wiped.start({"--peers", peer});
  EXPECT_TRUE(becomes_ready(wiped)) << wiped.output();
  EXPECT_TRUE(has_voters(wiped, 3));
}

// --- Another address ----------------------------------------------------------------------------

std::vector<std::string> arguments_with(const Node& node, const ReservedPort& peer_port) {
  std::vector<std::string> arguments = node.arguments();
  arguments[5] = std::to_string(peer_port.number());
  return arguments;
}

TEST_F(JoiningCluster, MemberThatComesBackElsewhereIsFoundAgain) {
  grow(3);
  Node& moved = *cluster_.others(leader())[0];
  ASSERT_EQ(moved.terminate(), Ended{.exit_code = 0});
  const ReservedPort elsewhere;
  const std::string address = "127.0.0.1:" + std::to_string(elsewhere.number());
  moved.start_with(arguments_with(moved, elsewhere));
  ASSERT_TRUE(becomes_ready(moved)) << moved.output();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually(
        [&] { return member(cluster_[i], moved.id()).value("address", "") == address; }));
  }
  EXPECT_EQ(moved.put("/kv/a", "1")->status, 200);
  // It counts again: the other one that is left does not make a majority.
  leader().kill();
  EXPECT_TRUE(eventually([&] { return moved.put("/kv/a", "2")->status == 200; }));
}

TEST_F(JoiningCluster, LeaderThatComesBackElsewhereIsFoundAgain) {
  grow(3);
  Node& moved = leader();
  moved.kill();
  const ReservedPort elsewhere;
  moved.start_with(arguments_with(moved, elsewhere));
  EXPECT_TRUE(becomes_ready(moved)) << moved.output();
  const std::string address = "127.0.0.1:" + std::to_string(elsewhere.number());
  EXPECT_TRUE(
      eventually([&] { return member(leader(), moved.id()).value("address", "") == address; }));
}

// What says that the leader is a member is in the entries that it lacks.
TEST_F(JoiningCluster, WhoeverWasAwayIsLedByOneOfWhomItHasNeverHeard) {
  grow(3);
  Node& away = cluster_[2];
  away.kill();
  join(cluster_[3]);
  ASSERT_TRUE(has_voters(cluster_[0], 4));
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(post_json(leader().client(), "/transfer", {{"to", cluster_[3].id()}}));
    return cluster_[3].status()->at("role") == "Leader";
  }));
  away.start();
  EXPECT_TRUE(becomes_ready(away)) << away.output();
  EXPECT_EQ(cluster_[3].status()->at("role"), "Leader");
  EXPECT_TRUE(cluster_.wait_until_equal());
}

// Of three one is down and one has moved: those that are left find each other all the same. And
// whoever comes back is led by one that it knows at its old address.
TEST_F(JoiningCluster, MajorityIsFoundThoughItsMoveCannotBeAgreedOnBefore) {
  grow(3);
  Node& away = *cluster_.others(leader())[0];
  Node& moved = *cluster_.others(leader())[1];
  away.kill();
  moved.kill();
  const ReservedPort elsewhere;
  moved.start_with(arguments_with(moved, elsewhere));
  ASSERT_TRUE(becomes_ready(moved)) << moved.output();
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(post_json(leader().client(), "/transfer", {{"to", moved.id()}}));
    return moved.status()->at("role") == "Leader";
  }));
  away.start();
  EXPECT_TRUE(becomes_ready(away)) << away.output();
  EXPECT_EQ(moved.status()->at("role"), "Leader");
  EXPECT_TRUE(eventually(
      [&] { return away.status()->at("applied_index") == moved.status()->at("applied_index"); }));
}

TEST_F(JoiningCluster, OnlyMemberMovesByItself) {
  grow(1);
  cluster_[0].kill();
  const ReservedPort elsewhere;
  cluster_[0].start_with(arguments_with(cluster_[0], elsewhere));
  const std::string address = "127.0.0.1:" + std::to_string(elsewhere.number());
  EXPECT_TRUE(eventually([&] { return member(cluster_[0], "n1").value("address", "") == address; }))
      << cluster_[0].output();
}

}  // namespace
}  // namespace anchor::cluster
