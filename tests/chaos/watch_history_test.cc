#include "tests/chaos/watch_history.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anchor::chaos {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

// --- What clients did ---------------------------------------------------------------------------

Operation put(std::uint32_t key, std::uint64_t value, Revision revision) {
  return {.kind = Kind::kPut,
          .outcome = Outcome::kDone,
          .key = key,
          .value = value,
          .revision = revision,
          .key_revision = revision,
          .effective = true};
}
Operation erase(std::uint32_t key, Revision revision) {
  return {.kind = Kind::kDelete,
          .outcome = Outcome::kDone,
          .key = key,
          .revision = revision,
          .effective = true};
}
Operation with(Operation operation, Outcome outcome) {
  operation.outcome = outcome;
  operation.effective = false;
  operation.revision = 0;
  return operation;
}
Operation lost(Operation operation) {
  return with(operation, Outcome::kUnknown);
}
Operation in_transaction(Operation operation) {
  operation.group = 1;
  return operation;
}

// --- What watchers were shown -------------------------------------------------------------------

// The value that was there before it, and its revision; zero: nothing.
struct Before {
  std::uint64_t value = 0;
  Revision revision = 0;
};

// The last of its revision; value 0: a delete.
Shown event(Revision revision, std::uint32_t key, std::uint64_t value, Before before = {}) {
  return {.last_of_revision = true,
          .key = key,
          .revision = revision,
          .value = value,
          .previous_revision = before.revision,
          .previous_value = before.value};
}
// Others of its revision follow.
Shown part(Revision revision, std::uint32_t key, std::uint64_t value, Before before = {}) {
  Shown shown = event(revision, key, value, before);
  shown.last_of_revision = false;
  return shown;
}
Shown progress(Revision revision) {
  return {.kind = Shown::Kind::kProgress, .revision = revision};
}
Shown resync(Revision compacted, Revision revision) {
  return {.kind = Shown::Kind::kResync, .revision = revision, .previous_revision = compacted};
}

WatchConnection from(Revision revision, std::vector<Shown> shown) {
  return {.from = revision, .shown = std::move(shown)};
}

// What the first violation says; empty: there is none.
std::string first(const std::vector<Operation>& history,
                  const std::vector<WatchConnection>& connections) {
  const auto found = find_watch_violations(history, connections);
  return found.empty() ? "" : found.front().substr(0, found.front().find(':'));
}

// Two keys; the second write of k0 knows the first.
const std::vector<Operation> kWrites{put(0, 7, 2), put(1, 8, 3), put(0, 9, 4), erase(1, 5)};
const Shown kFirst = event(2, 0, 7);
const Shown kSecond = event(3, 1, 8);
const Shown kThird = event(4, 0, 9, {7, 2});
const Shown kFourth = event(5, 1, 0, {8, 3});

TEST(ChaosWatchHistory, IsSatisfiedWithWhatHappened) {
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, kSecond, kThird, kFourth, progress(9)}),
                            from(4, {kThird}), from(9, {progress(6), progress(7)})}),
            "");
}

TEST(ChaosWatchHistory, TakesAWatchThatEndsAnywhere) {
  EXPECT_EQ(first(kWrites, {from(1, {kFirst}), from(3, {}), from(3, {kSecond, kThird})}), "");
}

TEST(ChaosWatchHistory, FindsRevisionsThatGoBack) {
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, kThird, kSecond})}), "revisions went back");
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, progress(5), kThird})}), "revisions went back");
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, kSecond, progress(2)})}), "progress went back");
}

TEST(ChaosWatchHistory, FindsWhatAResumedWatchRepeats) {
  EXPECT_EQ(first(kWrites, {from(4, {kSecond, kThird})}), "an event of what was not asked for");
}

TEST(ChaosWatchHistory, FindsAWriteThatNobodyWasShown) {
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, kSecond, kFourth})}), "watches do not show a write");
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, kSecond, kThird, progress(5)})}),
            "watches do not show a write");
}

TEST(ChaosWatchHistory, FindsAWriteThatOneWasNotShown) {
  const WatchConnection whole = from(1, {kFirst, kSecond, kThird, kFourth});
  EXPECT_EQ(first(kWrites, {whole, from(1, {kFirst, kThird})}), "a watch missed a revision");
  EXPECT_EQ(first(kWrites, {whole, from(1, {kFirst, kSecond, progress(4)})}),
            "a watch missed a revision");
  EXPECT_EQ(first(kWrites, {whole, from(3, {kThird})}), "a watch missed a revision");
}

TEST(ChaosWatchHistory, TakesWhatAResyncLeftOut) {
  EXPECT_EQ(first(kWrites, {from(1, {resync(3, 3)}), from(4, {kThird, kFourth})}), "");
}

TEST(ChaosWatchHistory, FindsAResyncWithoutNeed) {
  EXPECT_EQ(first(kWrites, {from(1, {kFirst, resync(2, 4)})}), "a resync of what is not compacted");
  EXPECT_EQ(first(kWrites, {from(1, {resync(3, 3), progress(4)})}),
            "a watch went on after it had ended");
}

TEST(ChaosWatchHistory, FindsWatchesThatDisagree) {
  const std::vector<Operation> history{put(0, 7, 2), lost(put(0, 8, 0)), lost(put(0, 9, 0))};
  EXPECT_EQ(first(history, {from(1, {kFirst, event(3, 0, 8, {7, 2})}),
                            from(1, {kFirst, event(3, 0, 9, {7, 2})})}),
            "watches disagree on what a revision did");
}

TEST(ChaosWatchHistory, FindsAValueThatNobodyWrote) {
  EXPECT_EQ(first({}, {from(1, {kFirst})}), "a watch shows a value that nobody wrote to this key");
  EXPECT_EQ(first({put(1, 7, 2)}, {from(1, {kFirst})}),
            "a watch shows a value that nobody wrote to this key");
}

TEST(ChaosWatchHistory, FindsWhatWasAnsweredAsNotApplied) {
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kConditionFailed}) {
    EXPECT_EQ(first({with(put(0, 7, 2), outcome)}, {from(1, {kFirst})}),
              "a watch shows a value whose write was answered as not applied");
  }
}

TEST(ChaosWatchHistory, FindsAWriteAtAnotherRevisionThanItWasTold) {
  EXPECT_EQ(first({put(0, 7, 3)}, {from(1, {kFirst})}),
            "a watch shows a value that was written at revision 3");
}

TEST(ChaosWatchHistory, FindsAWriteThatTookEffectTwice) {
  EXPECT_EQ(first({lost(put(0, 7, 0))}, {from(1, {kFirst, event(3, 0, 7, {7, 2})})}),
            "a watch shows a write twice, also at 2");
}

TEST(ChaosWatchHistory, AnUnknownDeleteExplainsOneEvent) {
  const std::vector<Operation> history{put(0, 7, 2), lost(erase(0, 0)), put(0, 8, 4)};
  const Shown erased = event(3, 0, 0, {7, 2});
  const Shown again = event(4, 0, 8);
  EXPECT_EQ(first(history, {from(1, {kFirst, erased, again})}), "");
  EXPECT_EQ(first(history, {from(1, {kFirst, erased, again, event(5, 0, 0, {8, 4})})}),
            "watches show more deletes than anybody made");
  EXPECT_EQ(first({put(0, 7, 2), erase(1, 3)}, {from(1, {kFirst, erased})}),
            "a watch shows a delete that nobody made");
}

TEST(ChaosWatchHistory, FindsADeleteOfNothing) {
  EXPECT_EQ(first({lost(erase(0, 0))}, {from(1, {event(2, 0, 0)})}),
            "a delete of what was not there");
}

TEST(ChaosWatchHistory, FindsAWrongPreviousValue) {
  const std::string wrong = "what was there before is not what the key's last event left";
  const std::vector<Operation> history{put(0, 7, 2), put(0, 9, 3)};
  EXPECT_EQ(first(history, {from(1, {kFirst, event(3, 0, 9, {7, 2})})}), "");
  EXPECT_EQ(first(history, {from(1, {kFirst, event(3, 0, 9, {8, 2})})}), wrong);
  EXPECT_EQ(first(history, {from(1, {kFirst, event(3, 0, 9)})}), wrong);
  EXPECT_EQ(first(history, {from(1, {event(2, 0, 7, {6, 1})})}), wrong);
}

TEST(ChaosWatchHistory, DoesNotKnowWhatWasBeforeThatNobodyWasShown) {
  const std::vector<Operation> history{put(0, 7, 2), put(0, 9, 5)};
  EXPECT_EQ(first(history, {from(1, {kFirst}), from(5, {event(5, 0, 9, {8, 4})})}), "");
  EXPECT_EQ(first(history, {from(1, {kFirst}), from(5, {event(5, 0, 9, {8, 1})})}),
            "what was there before is not what the key's last event left");
}

// --- Transactions -------------------------------------------------------------------------------

const std::vector<Operation> kTransaction{in_transaction(put(0, 7, 2)),
                                          in_transaction(put(1, 8, 2))};

TEST(ChaosWatchHistory, TakesATransactionAtOneRevision) {
  const std::vector<Shown> shown{part(2, 0, 7), event(2, 1, 8)};
  EXPECT_EQ(first(kTransaction, {from(1, shown), from(1, {shown[0]})}), "");
}

TEST(ChaosWatchHistory, FindsHalfATransaction) {
  const std::vector<Operation> unanswered{lost(kTransaction[0]), lost(kTransaction[1])};
  EXPECT_EQ(first(unanswered, {from(1, {event(2, 0, 7)})}),
            "a watch shows half a transaction, and not k1");
  EXPECT_EQ(first(unanswered, {from(1, {part(2, 0, 7)})}), "") << "it was cut in two";
  EXPECT_EQ(first(unanswered, {from(1, {event(2, 0, 7), event(3, 1, 8)})}),
            "a watch shows half a transaction, and not k1");
}

TEST(ChaosWatchHistory, FindsARevisionThatWasNotRepeatedFromItsBeginning) {
  const WatchConnection whole = from(1, {part(2, 0, 7), event(2, 1, 8)});
  EXPECT_EQ(first(kTransaction, {whole, from(1, {part(2, 0, 7)}), from(1, {event(2, 1, 8)})}),
            "watches disagree on what a revision did");
}

TEST(ChaosWatchHistory, FindsAnIdThatIsNotAtTheLastEvent) {
  EXPECT_EQ(first(kTransaction, {from(1, {event(2, 0, 7), event(2, 1, 8)})}),
            "an event after the last of its revision");
  EXPECT_EQ(first(kTransaction, {from(1, {part(2, 0, 7), part(2, 1, 8), progress(2)})}),
            "progress within a revision");
  EXPECT_EQ(first({put(0, 7, 2), put(1, 8, 3)}, {from(1, {part(2, 0, 7), event(3, 1, 8)})}),
            "a revision ended without an id");
}

TEST(ChaosWatchHistory, FindsTwoWritesAtOneRevision) {
  EXPECT_EQ(
      first({lost(put(0, 7, 0)), lost(put(1, 8, 0))}, {from(1, {part(2, 0, 7), event(2, 1, 8)})}),
      "a watch shows two writes at one revision");
}

TEST(ChaosWatchHistory, FindsDeletesThatWereNotOneTransaction) {
  const std::vector<Operation> puts{put(0, 7, 2), put(1, 8, 3)};
  const std::vector<WatchConnection> shown{
      from(1, {kFirst, kSecond, part(4, 0, 0, {7, 2}), event(4, 1, 0, {8, 3})})};
  std::vector<Operation> together = puts;
  std::vector<Operation> apart = puts;
  for (const std::uint32_t key : {0U, 1U}) {
    together.push_back(in_transaction(lost(erase(key, 0))));
    apart.push_back(lost(erase(key, 0)));
  }
  EXPECT_EQ(first(together, shown), "");
  EXPECT_EQ(first(apart, shown), "a watch shows deletes at one revision that nobody made");
}

TEST(ChaosWatchHistory, FindsAKeyThatChangedTwiceInARevision) {
  EXPECT_EQ(first({put(0, 7, 2)}, {from(1, {part(2, 0, 7), event(2, 0, 7)})}),
            "a key changed twice in a revision");
}

}  // namespace
}  // namespace anchor::chaos
