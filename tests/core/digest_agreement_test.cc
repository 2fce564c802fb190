#include "core/digest_agreement.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace anchor {
namespace {

constexpr raft::Index kPoint(7);

raft::ServerId id_of(int number) {
  return raft::ServerId("n" + std::to_string(number));
}

raft::Configuration voters(int count) {
  std::vector<raft::Member> members;
  for (int number = 1; number <= count; ++number) members.push_back({id_of(number), {}, "", ""});
  return raft::founding_configuration(std::move(members));
}

// A leader of so many voters that has just published a point.
class Agreement : public testing::Test {
 protected:
  Agreement() {
    leader_.begin(Instant());
    EXPECT_TRUE(leader_.take_check_due(now_));
    leader_.published(kPoint, now_);
  }

  void report(int from, std::uint64_t digest, raft::Index point = kPoint) {
    leader_.report(id_of(from), point, digest);
  }
  auto verdict(int count) { return leader_.take_verdict(voters(count), id_of(1), now_); }

  static constexpr Duration kInterval = 10s;
  static constexpr Duration kPatience = 3s;
  DigestAgreement leader_{kInterval, kPatience};
  Instant now_ = Instant() + kInterval;
};

TEST_F(Agreement, IsWhatAMajorityReports) {
  report(1, 5);
  EXPECT_FALSE(verdict(3));
  report(3, 5);
  EXPECT_EQ(verdict(3), (kv::JudgeDigest{kPoint.value(), 5}));
}

TEST_F(Agreement, IsPublishedOnce) {
  report(1, 5);
  report(2, 5);
  EXPECT_TRUE(verdict(3));
  report(3, 6);
  EXPECT_FALSE(verdict(3));
}

// Of the leader, too, the majority may say that it is wrong.
TEST_F(Agreement, IsNotTheLeadersToDecide) {
  report(1, 6);
  report(2, 5);
  EXPECT_FALSE(verdict(3));
  report(3, 5);
  EXPECT_EQ(verdict(3), (kv::JudgeDigest{kPoint.value(), 5}));
}

TEST_F(Agreement, NeedsAMajorityOfTheVotersAndOfNobodyElse) {
  report(1, 5);
  report(8, 5);  // a learner
  report(9, 5);
  EXPECT_FALSE(verdict(3));
}

TEST_F(Agreement, IsImpossibleOnceTooManyDiffer) {
  report(1, 5);
  report(2, 6);
  EXPECT_EQ(verdict(2), kv::JudgeDigest{.number = kPoint.value()});
}

TEST_F(Agreement, IsGivenUpAfterAWhileWhereReportsDiffer) {
  report(1, 5);
  report(2, 6);
  EXPECT_FALSE(verdict(3));
  EXPECT_EQ(leader_.due(), now_ + kPatience);
  now_ += kPatience;
  EXPECT_EQ(verdict(3), kv::JudgeDigest{.number = kPoint.value()});
}

TEST_F(Agreement, WaitsForOthersFromWhenReportsDiffer) {
  report(1, 5);
  now_ += kPatience;
  report(2, 6);
  EXPECT_FALSE(verdict(3));
  EXPECT_EQ(leader_.due(), now_ + kPatience);
  report(3, 6);
  EXPECT_EQ(verdict(3), (kv::JudgeDigest{kPoint.value(), 6}));
}

// A log that takes it long is no reason to stop everybody.
TEST_F(Agreement, IsNotGivenUpBeforeTheLeaderHasReported) {
  report(2, 5);
  report(3, 6);
  EXPECT_FALSE(verdict(3));
  now_ += kPatience;
  EXPECT_FALSE(verdict(3));
  report(1, 6);
  EXPECT_EQ(verdict(3), (kv::JudgeDigest{kPoint.value(), 6}));
}

// Were the next point published meanwhile, there would never be a verdict.
TEST_F(Agreement, HasItsTimeBeforeTheNextPoint) {
  report(1, 5);
  now_ += kInterval;
  report(2, 6);
  EXPECT_FALSE(verdict(3));
  EXPECT_FALSE(leader_.take_check_due(now_));
  now_ += kPatience;
  EXPECT_EQ(verdict(3), kv::JudgeDigest{.number = kPoint.value()});
  EXPECT_TRUE(leader_.take_check_due(now_));
}

TEST_F(Agreement, HasItsTimeHoweverShortTheIntervalIs) {
  DigestAgreement often(1ms, kPatience);
  often.begin(now_);
  now_ += 1ms;
  ASSERT_TRUE(often.take_check_due(now_));
  often.published(kPoint, now_);
  now_ += kPatience - 1ms;
  EXPECT_FALSE(often.take_check_due(now_));
  EXPECT_EQ(often.due(), now_ + 1ms);
  often.report(id_of(1), kPoint, 5);
  often.report(id_of(2), kPoint, 5);
  EXPECT_TRUE(often.take_verdict(voters(3), id_of(1), now_));
}

TEST_F(Agreement, IsNotInQuestionWhereLearnersDiffer) {
  report(1, 5);
  report(9, 6);
  now_ += kPatience;
  EXPECT_FALSE(verdict(3));
  EXPECT_TRUE(leader_.take_check_due(now_ + kInterval));
}

// The operator has removed one.
TEST_F(Agreement, IsNotInQuestionOnceTheVotersThatAreLeftDoNotDiffer) {
  report(1, 5);
  report(3, 6);
  EXPECT_FALSE(verdict(3));
  EXPECT_FALSE(verdict(2));
  EXPECT_EQ(leader_.due(), Instant() + 2 * kInterval);
}

TEST_F(Agreement, IsNotGivenUpWhereReportsAreFew) {
  report(1, 5);
  now_ += kPatience;
  EXPECT_FALSE(verdict(3));
}

TEST_F(Agreement, HeedsNoReportOfAnotherPoint) {
  report(1, 5);
  report(2, 5, raft::Index(6));
  EXPECT_FALSE(verdict(3));
}

TEST_F(Agreement, IsNotSoughtAgainBeforeSomethingChanges) {
  report(1, 5);
  report(2, 5);
  EXPECT_TRUE(verdict(3));
  now_ += kInterval;
  EXPECT_FALSE(leader_.take_check_due(now_));
  leader_.state_changed();
  EXPECT_FALSE(leader_.take_check_due(now_));
  now_ += kInterval;
  EXPECT_TRUE(leader_.take_check_due(now_));
}

TEST_F(Agreement, IsSoughtAgainWhereThereWasNone) {
  report(1, 5);
  report(2, 6);
  EXPECT_TRUE(verdict(2));
  now_ += kInterval;
  EXPECT_TRUE(leader_.take_check_due(now_));
}

TEST_F(Agreement, IsForLeadersToSeek) {
  leader_.end();
  EXPECT_FALSE(leader_.due());
  report(1, 5);
  report(2, 5);
  EXPECT_FALSE(verdict(3));
  EXPECT_FALSE(leader_.take_check_due(now_ + kInterval));
}

}  // namespace
}  // namespace anchor
