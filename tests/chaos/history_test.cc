#include "tests/chaos/history.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace anchor::chaos {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

TimePoint at(int milliseconds) {
  return TimePoint(std::chrono::milliseconds(milliseconds));
}

// From `begin` to one millisecond later.
Operation put(int begin, std::uint64_t value, Revision revision) {
  return {.kind = Kind::kPut,
          .outcome = Outcome::kDone,
          .value = value,
          .begin = at(begin),
          .end = at(begin + 1),
          .revision = revision,
          .key_revision = revision,
          .effective = true};
}
Operation read(int begin, std::uint64_t value, Revision key_revision, Revision revision) {
  return {.kind = Kind::kRead,
          .outcome = Outcome::kDone,
          .value = value,
          .begin = at(begin),
          .end = at(begin + 1),
          .revision = revision,
          .key_revision = key_revision};
}
Operation stale_read(int begin, std::uint64_t value, Revision revision, Duration age) {
  Operation operation = read(begin, value, revision, revision);
  operation.kind = Kind::kStaleRead;
  operation.age = age;
  return operation;
}
Operation erase(int begin, Revision revision) {
  return {.kind = Kind::kDelete,
          .outcome = Outcome::kDone,
          .begin = at(begin),
          .end = at(begin + 1),
          .revision = revision,
          .effective = true};
}
Operation with(Operation operation, Outcome outcome) {
  operation.outcome = outcome;
  operation.effective = false;
  return operation;
}

// What the first violation says; empty: there is none.
std::string first(const std::vector<Operation>& history) {
  const auto found = find_violations(history);
  return found.empty() ? "" : found.front().substr(0, found.front().find(':'));
}

TEST(ChaosHistory, IsSatisfiedWithWhatASingleCopyWouldSay) {
  EXPECT_EQ(first({read(0, 0, 0, 1), put(2, 7, 2), read(4, 7, 2, 2), put(6, 8, 3), erase(8, 4),
                   read(10, 0, 0, 4)}),
            "");
}

TEST(ChaosHistory, TakesOverlappingOnesInAnyOrder) {
  EXPECT_EQ(first({put(0, 7, 2), put(1, 8, 3), read(1, 7, 2, 2)}), "");
}

TEST(ChaosHistory, FindsAReadThatMissesAWrite) {
  EXPECT_EQ(first({put(0, 7, 2), put(2, 8, 3), read(4, 7, 2, 3)}),
            "missed the write at revision 3 of the key");
}

TEST(ChaosHistory, FindsAReadOfAnOldState) {
  EXPECT_EQ(first({put(0, 7, 2), put(2, 8, 3), read(4, 7, 2, 2)}),
            "began after revision 3 had been told, but is at 2");
}

TEST(ChaosHistory, FindsAWriteBeforeOneThatHadEnded) {
  EXPECT_EQ(first({put(0, 7, 3), put(2, 8, 2)}),
            "began after revision 3 had been told, but is at 2");
}

TEST(ChaosHistory, FindsTwoWritesWithOneRevision) {
  Operation other = put(1, 8, 2);
  other.key = 1;
  EXPECT_EQ(first({put(0, 7, 2), other}), "another write has the same revision");
}

TEST(ChaosHistory, FindsWhatWasLost) {
  EXPECT_EQ(first({put(0, 7, 2), read(2, 0, 0, 2)}),
            "saw nothing, but the key was written and not deleted");
}

TEST(ChaosHistory, FindsWhatWasAnsweredAsNotApplied) {
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kConditionFailed}) {
    Operation refused = with(put(0, 7, 2), outcome);
    refused.key_revision = 0;
    EXPECT_EQ(first({refused, read(2, 7, 2, 2)}),
              "a value whose write was answered as not applied");
  }
}

TEST(ChaosHistory, FindsAValueThatNobodyWrote) {
  EXPECT_EQ(first({read(0, 7, 2, 2)}), "a value that nobody wrote to this key");
}

TEST(ChaosHistory, TakesAnUnknownWriteFromWhereItWasSeen) {
  const Operation unknown = with(put(0, 7, 0), Outcome::kUnknown);
  EXPECT_EQ(first({unknown, read(2, 0, 0, 1), read(8, 7, 2, 2)}), "");
  EXPECT_EQ(first({unknown, read(2, 7, 2, 2), read(4, 7, 5, 5)}),
            "a value that was written at revision 2");
  EXPECT_EQ(first({unknown, read(2, 7, 2, 2), read(4, 0, 0, 2)}),
            "saw nothing, but the key was written and not deleted");
}

TEST(ChaosHistory, FindsAnUnknownWriteBeforeItBegan) {
  const Operation unknown = with(put(4, 7, 0), Outcome::kUnknown);
  EXPECT_EQ(first({put(0, 8, 3), unknown, read(6, 7, 2, 2)}),
            "began after revision 3 had been told, but is at 2");
  EXPECT_EQ(first({unknown, read(0, 7, 2, 2)}), "a value from the future");
}

TEST(ChaosHistory, AnUnknownDeleteExplainsTheEndOfOneWrite) {
  const Operation unknown = with(erase(2, 0), Outcome::kUnknown);
  EXPECT_EQ(first({put(0, 7, 2), unknown, read(4, 0, 0, 3)}), "");
  EXPECT_EQ(first({put(0, 7, 2), unknown, read(4, 0, 0, 3), put(6, 8, 4), read(8, 0, 0, 5)}),
            "saw nothing, but the key was written and not deleted");
}

TEST(ChaosHistory, JudgesConditions) {
  Operation done = put(4, 8, 3);
  done.condition = 2;
  EXPECT_EQ(first({put(0, 7, 2), done}), "");
  done.condition = 0;
  EXPECT_EQ(first({put(0, 7, 2), done}), "saw nothing, but the key was written and not deleted");
  Operation failed = with(put(4, 8, 2), Outcome::kConditionFailed);
  failed.condition = 1;
  failed.key_revision = 0;
  EXPECT_EQ(first({put(0, 7, 2), failed}), "saw nothing, but the key was written and not deleted");
  failed.key_revision = 2;
  EXPECT_EQ(first({put(0, 7, 2), failed}), "");
}

// Of the transaction 1.
Operation in_transaction(Operation operation, std::uint32_t key) {
  operation.group = 1;
  operation.key = key;
  return operation;
}

std::pair<Operation, Operation> unanswered_transaction() {
  return {with(in_transaction(put(0, 7, 0), 0), Outcome::kUnknown),
          with(in_transaction(put(0, 8, 0), 1), Outcome::kUnknown)};
}

TEST(ChaosHistory, TakesATransactionAtOneRevision) {
  Operation other_key = read(2, 8, 2, 2);
  other_key.key = 1;
  EXPECT_EQ(first({in_transaction(put(0, 7, 2), 0), in_transaction(put(0, 8, 2), 1),
                   read(2, 7, 2, 2), other_key}),
            "");
}

TEST(ChaosHistory, FindsHalfATransaction) {
  const auto [one, other] = unanswered_transaction();
  Operation nothing = read(4, 0, 0, 2);
  nothing.key = 1;
  EXPECT_EQ(first({one, other, nothing}), "");
  EXPECT_EQ(first({one, other, read(2, 7, 2, 2), nothing}),
            "saw nothing, but the key was written and not deleted");
}

TEST(ChaosHistory, FindsATransactionAtTwoRevisions) {
  const auto [one, other] = unanswered_transaction();
  Operation later = read(4, 8, 3, 3);
  later.key = 1;
  EXPECT_EQ(first({one, other, read(2, 7, 2, 2), later}), "a value that was written at revision 2");
}

// As a session's would be that ran twice.
TEST(ChaosHistory, FindsAWriteThatTookEffectTwice) {
  EXPECT_EQ(first({put(0, 7, 2), put(2, 8, 3), read(4, 7, 4, 4)}),
            "a value that was written at revision 2");
}

TEST(ChaosHistory, AStaleReadMayBeAsOldAsItSays) {
  const std::vector<Operation> writes{put(0, 7, 2), put(100, 8, 3)};
  const auto with_read = [&](Duration age) {
    auto history = writes;
    history.push_back(stale_read(200, 7, 2, age));
    return first(history);
  };
  EXPECT_EQ(with_read(150ms), "");
  EXPECT_EQ(with_read(50ms), "began after revision 3 had been told, but is at 2");
}

}  // namespace
}  // namespace anchor::chaos
