#include "core/raft/progress.h"

#include <gtest/gtest.h>

namespace anchor::raft {
namespace {

constexpr Options kOptions{.window_messages = 3, .window_bytes = 100};
constexpr Instant kNow{};

TEST(Window, ClosesWhenAsManyMessagesAreOutAsItAllows) {
  Replicate window;
  window.sent(Index(1), 1, kNow);
  window.sent(Index(2), 1, kNow);
  EXPECT_TRUE(window.window_open(kOptions));
  window.sent(Index(3), 1, kNow);
  EXPECT_FALSE(window.window_open(kOptions));
}

TEST(Window, ClosesWhenAsManyBytesAreOutAsItAllows) {
  Replicate window;
  window.sent(Index(1), 99, kNow);
  EXPECT_TRUE(window.window_open(kOptions));
  window.sent(Index(2), 500, kNow);
  EXPECT_FALSE(window.window_open(kOptions));
}

TEST(Window, AnAnswerFreesAllMessagesUpToItsIndex) {
  Replicate window;
  window.sent(Index(2), 40, kNow);
  window.sent(Index(4), 40, kNow);
  window.sent(Index(6), 40, kNow);
  window.acknowledged(Index(5));
  EXPECT_EQ(window.in_flight.size(), 1U);
  EXPECT_EQ(window.bytes_in_flight, 40U);
  EXPECT_TRUE(window.window_open(kOptions));
}

TEST(Window, AnOldAnswerFreesNothing) {
  Replicate window;
  window.sent(Index(5), 40, kNow);
  window.acknowledged(Index(4));
  EXPECT_EQ(window.bytes_in_flight, 40U);
}

class ProgressOf : public testing::Test {
 protected:
  Progress follower;
};

TEST_F(ProgressOf, ANewFollowerIsProbed) {
  EXPECT_FALSE(follower.replicating());
}

TEST_F(ProgressOf, AProbedFollowerHasNothingInFlight) {
  follower.match = Index(2);
  follower.next = Index(9);
  follower.state.emplace<Replicate>().sent(Index(8), 10, kNow);
  follower.probe_from(Index(5));
  EXPECT_FALSE(follower.replicating());
  EXPECT_EQ(follower.next, Index(5));
}

TEST_F(ProgressOf, AFollowerIsNeverProbedAtWhatItAcknowledged) {
  follower.match = Index(4);
  follower.next = Index(9);
  follower.probe_from(Index(2));
  EXPECT_EQ(follower.next, Index(5));
}

}  // namespace
}  // namespace anchor::raft
