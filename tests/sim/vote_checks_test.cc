#include "sim/vote_checks.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/sim/stage.h"

namespace anchor::sim {
namespace {

raft::LogPosition at(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term)};
}

// What the checker says of a server in term 2 that refuses a vote in `campaign`, long after it
// last heard of its leader.
class RefusalTest : public testing::Test {
 protected:
  std::string refuses(raft::RequestVote request, std::uint64_t answered_term = 3) {
    Node node(0, DriftingClock(0s, 0));
    node.replica.emplace(follower(2, with(founded(), 2)));
    node.replica->step(later_, {});
    const raft::Peer self{id_of(0), raft::Incarnation(0)};
    const raft::Peer candidate{candidate_, raft::Incarnation(0)};
    const Input input = PeerMessage{{.from = candidate,
                                     .from_boot = raft::Boot(1),
                                     .to = self,
                                     .term = request.campaign_term,
                                     .body = request}};
    Output output;
    output.messages.push_back({.from = self,
                               .from_boot = raft::Boot(1),
                               .to = candidate,
                               .term = raft::Term(2),
                               .body = raft::VoteReply{.campaign_term = raft::Term(answered_term),
                                                       .pre_vote = request.pre_vote,
                                                       .granted = false}});
    return violated_by([&] { check_refusals(node, {&input, 1}, output); });
  }

  // The promise to the leader is over, and its own patience is not.
  Instant later_ = Instant(300ms);
  raft::ServerId candidate_ = id_of(1);  // who led
};

const raft::RequestVote kPreVote{
    .campaign_term = raft::Term(3), .pre_vote = true, .transfer = false, .last = at(2, 2)};

TEST_F(RefusalTest, OfWhomItWouldElectHasNoReason) {
  EXPECT_EQ(refuses(kPreVote), "refuses-vote-for-a-reason");
}

TEST_F(RefusalTest, MayBeForAnEarlierLog) {
  raft::RequestVote request = kPreVote;
  request.last = at(1, 1);
  EXPECT_EQ(refuses(request), "none");
}

TEST_F(RefusalTest, MayBeForALeaderThatIsAlive) {
  later_ = Instant(299ms);
  candidate_ = id_of(2);
  EXPECT_EQ(refuses(kPreVote), "none");
}

// It has stopped leading, or would not ask.
TEST_F(RefusalTest, OfThatLeaderItselfHasNoReason) {
  later_ = Instant(299ms);
  EXPECT_EQ(refuses(kPreVote), "refuses-vote-for-a-reason");
}

TEST_F(RefusalTest, MayBeForATermThatIsOver) {
  raft::RequestVote request = kPreVote;
  request.campaign_term = raft::Term(2);
  EXPECT_EQ(refuses(request, 2), "none");
}

TEST_F(RefusalTest, OfWhatNobodyAskedForHasNoReasonEither) {
  EXPECT_EQ(refuses(kPreVote, 4), "refuses-vote-for-a-reason");
}

}  // namespace
}  // namespace anchor::sim
