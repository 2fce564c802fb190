#include "server/log_limit.h"

#include <gtest/gtest.h>

namespace anchor::server {
namespace {

class LogLimitTest : public testing::Test {
 protected:
  int admitted(int lines) {
    int count = 0;
    for (int i = 0; i < lines; ++i) count += limit_.admits(now_) ? 1 : 0;
    return count;
  }

  Instant now_{3600s};
  LogLimit limit_{3, 10s};
};

TEST_F(LogLimitTest, AdmitsSoManyLinesInAPeriod) {
  EXPECT_EQ(admitted(1000), 3);
  now_ += 9s;
  EXPECT_EQ(admitted(1000), 0);
  now_ += 1s;
  EXPECT_EQ(admitted(1000), 3);
}

TEST_F(LogLimitTest, TellsOnceHowManyWereLeftOutWhenThePeriodIsOver) {
  admitted(10);
  EXPECT_EQ(limit_.take_left_out(now_), 0U);
  now_ += 10s;
  EXPECT_EQ(limit_.take_left_out(now_), 7U);
  EXPECT_EQ(limit_.take_left_out(now_), 0U);
}

TEST_F(LogLimitTest, TellsOfEarlierPeriodsThoughLinesGoOnComing) {
  admitted(10);
  now_ += 10s;
  admitted(5);
  EXPECT_EQ(limit_.take_left_out(now_), 7U);
  now_ += 20s;
  EXPECT_EQ(limit_.take_left_out(now_), 2U);
}

TEST_F(LogLimitTest, HasNothingToTellIfNothingWasLeftOut) {
  admitted(3);
  now_ += 10s;
  EXPECT_EQ(limit_.take_left_out(now_), 0U);
}

}  // namespace
}  // namespace anchor::server
