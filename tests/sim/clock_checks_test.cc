#include "sim/clock_checks.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/stage.h"

namespace anchor::sim {
namespace {

Node node_with(std::size_t number, Replica replica) {
  Node node(number, DriftingClock(0s, 0));
  node.replica.emplace(std::move(replica));
  return node;
}

Replica idle() {
  return follower(2, with(founded(), 2));
}

raft::Message from(std::size_t sender, std::size_t receiver, raft::MessageBody body) {
  return {.from = {id_of(sender), raft::Incarnation(0)},
          .from_boot = raft::Boot(1),
          .to = {id_of(receiver), raft::Incarnation(0)},
          .term = raft::Term(3),
          .body = std::move(body)};
}

class ClockChecksTest : public testing::Test {
 protected:
  std::string checked(const std::vector<Node>& nodes, std::size_t stepped, const Output& output,
                      Instant now) {
    return violated_by(
        [&] { check_clocks(nodes, nodes[stepped], output, stage_.checker(), Mix{}, now); });
  }

  Stage stage_;
};

class PromiseTest : public ClockChecksTest {
 protected:
  PromiseTest() {
    nodes_.push_back(node_with(0, leader_of_two(200ms)));
    nodes_.push_back(node_with(1, idle()));
    const auto& state = nodes_[0].replica->raft().state();
    promised_until_ = std::get<raft::Leader>(nodes_[0].replica->raft().role())
                          .followers.at(id_of(1))
                          .promised_until;
    ANCHOR_ASSERT(promised_until_ > state.now);
  }

  std::string votes(raft::MessageBody body, Instant now) {
    Output output;
    output.messages.push_back(from(1, 0, std::move(body)));
    return checked(nodes_, 1, output, now);
  }

  std::vector<Node> nodes_;
  Instant promised_until_;
};

TEST_F(PromiseTest, IsBrokenByACampaignOfOnesOwn) {
  const raft::RequestVote campaign{.campaign_term = raft::Term(4), .last = {}};
  EXPECT_EQ(votes(campaign, promised_until_ - 1us), "promise-broken");
  EXPECT_EQ(votes(campaign, promised_until_), "none");
}

TEST_F(PromiseTest, IsNotBrokenByACampaignThatALeaderAskedFor) {
  const raft::RequestVote campaign{.campaign_term = raft::Term(4), .transfer = true, .last = {}};
  EXPECT_EQ(votes(campaign, promised_until_ - 1us), "none");
}

TEST_F(PromiseTest, IsNotBrokenByAVoteForTheLeaderItself) {
  const raft::VoteReply vote{.campaign_term = raft::Term(4), .granted = true};
  EXPECT_EQ(votes(vote, promised_until_ - 1us), "none");
}

TEST_F(PromiseTest, IsNotBrokenInATermThatIsOver) {
  const raft::RequestVote campaign{.campaign_term = raft::Term(3), .last = {}};
  EXPECT_EQ(votes(campaign, promised_until_ - 1us), "none");
}

// The only voter of its own configuration, which has committed two entries in term 3: it holds a
// lease for ever.
class LeaseTest : public ClockChecksTest {
 protected:
  LeaseTest() {
    Replica replica({}, recovered(2, founded(1)));
    for (Output output = replica.step(Instant(), {}); output.persist;) {
      const Input done = Persisted{output.persist->id};
      output = replica.step(Instant(), {&done, 1});
    }
    ANCHOR_ASSERT(replica.raft().commit_index() == raft::Index(2));
    nodes_.push_back(node_with(0, std::move(replica)));
  }

  std::vector<Node> nodes_;
};

TEST_F(LeaseTest, KnowsAllThatIsCommitted) {
  stage_.commit(with(founded(), 2));
  EXPECT_EQ(checked(nodes_, 0, {}, Instant()), "none");
  stage_.commit(with(with(founded(), 2), 2));
  EXPECT_EQ(checked(nodes_, 0, {}, Instant()), "lease-misses-commit");
}

TEST_F(LeaseTest, IsOverWhenAnotherIsElected) {
  stage_.commit(with(founded(), 2));
  nodes_.push_back(node_with(1, idle()));
  Output output;
  output.events.push_back(raft::BecameLeader{raft::Term(4), {}});
  EXPECT_EQ(checked(nodes_, 1, output, Instant()), "lease-outlived");
  output.events.assign(1, raft::BecameLeader{raft::Term(2), {}});
  EXPECT_EQ(checked(nodes_, 1, output, Instant()), "none") << "an earlier term's is no leader";
}

TEST_F(ClockChecksTest, DataLacksNothingThatWasCommittedBeforeItsAge) {
  stage_.checker().set_time(Instant(1s));
  stage_.commit(with(founded(), 2));
  const auto judge = [&](std::uint64_t applied, Duration age, std::uint32_t drift_ppm) {
    return violated_by([&] {
      check_age(stage_.checker(), raft::Index(applied), age, drift_ppm, Instant(10s), "it");
    });
  };
  EXPECT_EQ(judge(1, 9s, 0), "none");
  EXPECT_EQ(judge(1, 8s, 0), "stale-read-age");
  EXPECT_EQ(judge(2, 0s, 0), "none");
  EXPECT_EQ(judge(1, 8s, 200'000), "none") << "by a clock that runs too slow it may be ten";
}

}  // namespace
}  // namespace anchor::sim
