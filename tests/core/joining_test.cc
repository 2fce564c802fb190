#include "core/joining.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/raft/configuration.h"

namespace anchor {
namespace {

constexpr raft::ClusterId kCluster(7);
constexpr std::uint64_t kToken = 99;

raft::Member member(const std::string& id, std::uint64_t incarnation, std::uint64_t token = 0) {
  return {.id = raft::ServerId(id),
          .incarnation = raft::Incarnation(incarnation),
          .address = id + ":1",
          .http_address = id + ":2",
          .join_token = token};
}
raft::SharedConfiguration founders_and(const raft::Member& learner) {
  return std::make_shared<const raft::Configuration>(
      raft::with_learner(raft::founding_configuration({member("n1", 0)}), learner));
}
JoinReply changed(const raft::Member& learner, raft::ClusterId cluster_id = kCluster) {
  return {cluster_id, raft::ConfigurationChanged{raft::Index(12), founders_and(learner)}};
}
JoinReply reply_refused(raft::AdminRefusal reason, const std::string& why) {
  return {kCluster, raft::AdminRefused{reason, why}};
}
JoinReply not_now(const std::string& why, raft::ClusterId cluster_id = kCluster) {
  return {cluster_id, NotNow{why}};
}

// n4, which asks a, b and c.
class JoiningTest : public testing::Test {
 protected:
  static Joining::Options options() {
    return {.request = {.cluster_id = {},
                        .request = raft::AddServer{.id = raft::ServerId("n4"),
                                                   .address = "n4:1",
                                                   .http_address = "n4:2",
                                                   .join_token = kToken}},
            .peers = {"a:1", "b:1", "c:1"},
            .seed = 1};
  }

  // Waits for its turn, and says whom it asks.
  std::string asks() {
    if (const auto deadline = joining_.deadline()) now_ = std::max(now_, *deadline);
    const auto call = joining_.step(now_).call;
    if (call) request_ = call->request;
    return call ? call->address : "nobody";
  }
  Joining::Output hears(const Result<JoinReply>& reply) { return joining_.replied(reply); }
  // What it notes when it is told `reply` by the next whom it asks.
  std::vector<std::string> notes(const Result<JoinReply>& reply) {
    EXPECT_NE(asks(), "nobody");
    const Joining::Output output = hears(reply);
    EXPECT_FALSE(output.joined || output.rejected);
    return output.notes;
  }

  Joining joining_{options()};
  Instant now_{};
  JoinRequest request_;
};

TEST_F(JoiningTest, AsksOneAfterTheOther) {
  EXPECT_EQ(asks(), "a:1");
  EXPECT_EQ(asks(), "nobody");
  EXPECT_FALSE(joining_.deadline());
  hears(failure("no answer"));
  const Instant before = now_;
  EXPECT_EQ(asks(), "b:1");
  EXPECT_EQ(now_, before);
  hears(failure("no answer"));
  EXPECT_EQ(asks(), "c:1");
}

TEST_F(JoiningTest, PausesLongerAfterEachRound) {
  std::vector<Duration> pauses;
  for (int round = 0; round < 8; ++round) {
    for (int peer = 0; peer < 3; ++peer) {
      const Instant before = now_;
      asks();
      if (peer == 0 && round > 0) pauses.push_back(now_ - before);
      hears(failure("no answer"));
    }
  }
  EXPECT_GE(pauses.front(), 50ms);
  EXPECT_LE(pauses.front(), 100ms);
  EXPECT_GE(pauses.back(), 1s);
  EXPECT_LE(pauses.back(), 2s);
}

TEST_F(JoiningTest, JoinsAsTheMemberThatHasItsToken) {
  asks();
  const auto output = hears(changed(member("n4", 12, kToken)));
  ASSERT_TRUE(output.joined);
  EXPECT_EQ(output.joined->cluster_id, kCluster);
  EXPECT_EQ(output.joined->self, (raft::Peer{raft::ServerId("n4"), raft::Incarnation(12)}));
  EXPECT_EQ(*output.joined->configuration, *founders_and(member("n4", 12, kToken)));
  EXPECT_FALSE(joining_.deadline());
  EXPECT_EQ(asks(), "nobody");
}

TEST_F(JoiningTest, IsNotANamesakeWithAnotherToken) {
  EXPECT_EQ(notes(changed(member("n4", 12, kToken + 1))).size(), 1u);
  EXPECT_EQ(notes(changed(member("n5", 12, kToken))).size(), 1u);
  EXPECT_EQ(asks(), "c:1");
}

TEST_F(JoiningTest, EndsIfItsIdentityIsTaken) {
  asks();
  const auto output =
      hears(reply_refused(raft::AdminRefusal::kIdentityTaken, "n4 is a member already"));
  EXPECT_EQ(output.rejected, "n4 is a member already");
  EXPECT_EQ(asks(), "nobody");
}

TEST_F(JoiningTest, GoesOnAfterAnyOtherRefusal) {
  for (const auto reason : {raft::AdminRefusal::kChangeInProgress, raft::AdminRefusal::kNotReady,
                            raft::AdminRefusal::kNotFound, raft::AdminRefusal::kQuorumAtRisk}) {
    EXPECT_EQ(notes(reply_refused(reason, "no " + std::to_string(static_cast<int>(reason)))).size(),
              1u);
  }
}

TEST_F(JoiningTest, NotesAReasonOncePerPeer) {
  EXPECT_EQ(notes(not_now("no leader")), std::vector<std::string>{"no leader"});
  EXPECT_EQ(notes(failure("b is down")), std::vector<std::string>{"b is down"});
  EXPECT_EQ(notes(not_now("no leader")), std::vector<std::string>{"no leader"});
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(notes(not_now("no leader")).empty());
    EXPECT_TRUE(notes(failure("b is down")).empty());
    EXPECT_TRUE(notes(not_now("no leader")).empty());
  }
  EXPECT_EQ(notes(not_now("too much to do")), std::vector<std::string>{"too much to do"});
}

TEST_F(JoiningTest, StaysWithTheFirstClusterThatAnswers) {
  EXPECT_EQ(notes(not_now("in none", {})).size(), 1u);
  EXPECT_EQ(request_.cluster_id, raft::ClusterId());
  EXPECT_EQ(notes(not_now("no leader")).size(), 1u);
  // Even if that one has admitted it.
  EXPECT_EQ(notes(changed(member("n4", 3, kToken), raft::ClusterId(8))).size(), 1u);
  EXPECT_EQ(request_.cluster_id, kCluster);
  asks();
  EXPECT_TRUE(hears(changed(member("n4", 12, kToken))).joined);
}

TEST_F(JoiningTest, DoesNotBelieveWhoIsInNoCluster) {
  EXPECT_EQ(notes(changed(member("n4", 12, kToken), {})).size(), 1u);
}

TEST(Moving, EndsWhenTheClusterHasTheNewAddress) {
  raft::Member before = member("n4", 12);
  Joining moving({.request = {.cluster_id = kCluster,
                              .request = raft::MoveServer{before.peer(), "n4:9", "n4:2"}},
                  .peers = {"a:1"}});
  ASSERT_TRUE(moving.step(Instant()).call);
  // What was committed before it asked.
  EXPECT_FALSE(moving.replied(changed(before)).joined);
  raft::Member after = before;
  after.address = "n4:9";
  ASSERT_TRUE(moving.step(Instant() + 1s).call);
  EXPECT_TRUE(moving.replied(changed(after)).joined);
}

}  // namespace
}  // namespace anchor
