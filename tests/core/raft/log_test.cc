#include "core/raft/log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tests/core/raft/cluster.h"

namespace anchor::raft {
namespace {

SharedConfiguration shared_configuration(int servers) {
  return std::make_shared<const Configuration>(configuration_of(servers));
}

Log log_of(const std::vector<std::uint64_t>& terms, LogPosition base = {}) {
  return {base, {base.index, shared_configuration(3)}, entries_of(terms, base.index.value() + 1)};
}

PersistBatch take(Log& log, std::uint64_t id) {
  PersistBatch batch{.id = WriteId(id)};
  EXPECT_TRUE(log.take_unwritten(batch));
  return batch;
}

TEST(Log, AnEmptyOneEndsAtItsBase) {
  const Log log = log_of({}, position(5, 2));
  EXPECT_EQ(log.last(), position(5, 2));
  EXPECT_EQ(log.term_at(Index(5)), Term(2));
  EXPECT_EQ(log.term_at(Index(4)), std::nullopt);
  EXPECT_EQ(log.term_at(Index(6)), std::nullopt);
}

TEST(Log, WhatItStartsWithIsDurable) {
  Log log = log_of({1, 1});
  PersistBatch batch{.id = WriteId(1)};
  EXPECT_EQ(log.durable_index(), Index(2));
  EXPECT_FALSE(log.take_unwritten(batch));
}

TEST(Log, HandsEachEntryToTheDiskOnce) {
  Log log = log_of({1});
  log.append(entry_at(2, 1));
  EXPECT_EQ(take(log, 1).entries, entries_of({1}, 2));
  log.append(entry_at(3, 1));
  EXPECT_EQ(take(log, 2).entries, entries_of({1}, 3));
}

TEST(Log, EntriesCutBeforeTheDiskHeardOfThemAreNotMentioned) {
  Log log = log_of({1});
  log.append(entry_at(2, 1));
  log.truncate_from(Index(2));
  PersistBatch batch{.id = WriteId(1)};
  EXPECT_FALSE(log.take_unwritten(batch));
}

TEST(Log, TruncationsOfOneBatchAreMergedToTheFirst) {
  Log log = log_of({1, 1, 1, 1});
  log.truncate_from(Index(4));
  log.append(entry_at(4, 2));
  log.truncate_from(Index(2));
  log.append(entry_at(2, 3));
  const PersistBatch batch = take(log, 1);
  EXPECT_EQ(batch.truncate_from, Index(2));
  EXPECT_EQ(batch.entries, entries_of({3}, 2));
}

// etcd-io/raft documents this race: the write of an entry completes after another one has taken its
// place.
TEST(Log, AWriteSpeaksForNoEntryThatCameLaterAtItsIndex) {
  Log log = log_of({1});
  log.append(entry_at(2, 1));
  take(log, 1);
  log.truncate_from(Index(2));
  log.append(entry_at(2, 2));
  take(log, 2);
  log.persisted(WriteId(1));
  EXPECT_EQ(log.durable_index(), Index(1));
  log.persisted(WriteId(2));
  EXPECT_EQ(log.durable_index(), Index(2));
}

TEST(Log, AWriteOvertakenInPartSpeaksForTheRest) {
  Log log = log_of({});
  log.append(entry_at(1, 1));
  log.append(entry_at(2, 1));
  take(log, 1);
  log.truncate_from(Index(2));
  log.persisted(WriteId(1));
  EXPECT_EQ(log.durable_index(), Index(1));
}

TEST(Log, AnEntryNamesTheWriteThatItWaitsFor) {
  Log log = log_of({1});
  log.append(entry_at(2, 1));
  take(log, 4);
  log.append(entry_at(3, 1));
  EXPECT_EQ(log.write_of(Index(1), WriteId(5)), WriteId(0));
  EXPECT_EQ(log.write_of(Index(2), WriteId(5)), WriteId(4));
  EXPECT_EQ(log.write_of(Index(3), WriteId(5)), WriteId(5));
}

TEST(Log, TakesAsManyEntriesAsFitButAtLeastOne) {
  const Log log = log_of({1, 1, 1});
  const std::uint64_t each = entry_bytes(log.at(Index(1)));
  EXPECT_EQ(log.from(Index(1), 2 * each).size(), 2U);
  EXPECT_EQ(log.from(Index(1), 2 * each - 1).size(), 1U);
  EXPECT_EQ(log.from(Index(3), 0).size(), 1U);
}

TEST(Log, AConfigurationIsInForceFromItsAppendToItsTruncation) {
  Log log = log_of({1});
  const SharedConfiguration before = log.configuration();
  const SharedConfiguration next = shared_configuration(5);
  log.append({Index(2), Term(1), next});
  EXPECT_EQ(log.configuration(), next);
  EXPECT_EQ(log.configuration_index(), Index(2));
  log.truncate_from(Index(2));
  EXPECT_EQ(log.configuration(), before);
}

TEST(Log, ATruncationRollsBackToTheConfigurationInWhichTheLogThenEnds) {
  Log log = log_of({1});
  const SharedConfiguration first = shared_configuration(4);
  log.append({Index(2), Term(1), first});
  log.append({Index(3), Term(1), shared_configuration(5)});
  log.truncate_from(Index(3));
  EXPECT_EQ(log.configuration(), first);
}

TEST(Log, KnowsWhichConfigurationWasTheNewestAtAnyIndex) {
  Log log = log_of({1});
  const SharedConfiguration base = log.configuration();
  const SharedConfiguration first = shared_configuration(4);
  const SharedConfiguration second = shared_configuration(5);
  log.append({Index(2), Term(1), first});
  log.append({Index(3), Term(1), NoOp{}});
  log.append({Index(4), Term(1), second});
  EXPECT_EQ(log.configuration_at(Index(1)).configuration, base);
  EXPECT_EQ(log.configuration_at(Index(3)).configuration, first);
  EXPECT_EQ(log.configuration_at(Index(3)).index, Index(2));
  EXPECT_EQ(log.configuration_at(Index(9)).configuration, second);
  EXPECT_EQ(log.configurations_from(Index(1)).size(), 3U);
  EXPECT_EQ(log.configurations_from(Index(2)).size(), 2U);
  EXPECT_EQ(log.configurations_from(Index(4)).size(), 1U);
}

TEST(Log, FindsTheLastPositionAtWhichAnotherLogCouldAgree) {
  const Log log = log_of({1, 1, 3, 3, 5});
  EXPECT_EQ(log.possible_agreement(position(9, 5)), position(5, 5));
  EXPECT_EQ(log.possible_agreement(position(9, 4)), position(4, 3));
  EXPECT_EQ(log.possible_agreement(position(3, 4)), position(3, 3));
  EXPECT_EQ(log.possible_agreement(position(9, 2)), position(2, 1));
  EXPECT_EQ(log.possible_agreement({}), LogPosition{});
}

// --- Against a model ---------------------------------------------------------------------------

// The log and, for each entry, the write in which it went to the disk. The disk itself is a list
// of entries, changed by batches only.
class Model {
 public:
  explicit Model(LogPosition base) : base_(base), log_(log_of({}, base)) {}

  void append(bool new_term) {
    term_ = term_ + (new_term ? 1 : 0);
    const std::uint64_t index = base_.index.value() + entries_.size() + 1;
    entries_.push_back({entry_at(index, term_.value()), std::nullopt});
    log_.append(entries_.back().entry);
  }

  // Keeps `kept` entries. Raft cuts for a later term only.
  void truncate(std::size_t kept) {
    entries_.resize(kept);
    log_.truncate_from(base_.index + kept + 1);
    ++term_;
  }

  void take() {
    PersistBatch batch{.id = next_write_};
    if (!log_.take_unwritten(batch)) return;
    writes_.push_back(batch);
    for (Written& written : entries_) {
      if (!written.write) written.write = next_write_;
    }
    ++next_write_;
  }

  void complete_one() {
    if (writes_.empty()) return;
    const PersistBatch& batch = writes_.front();
    if (batch.truncate_from) disk_.resize(*batch.truncate_from - base_.index - 1);
    disk_.insert(disk_.end(), batch.entries.begin(), batch.entries.end());
    completed_ = batch.id;
    log_.persisted(batch.id);
    writes_.erase(writes_.begin());
  }

  void check() const {
    const std::size_t durable = durable_count();
    RC_ASSERT(log_.last().index == base_.index + entries_.size());
    RC_ASSERT(log_.durable_index() == base_.index + durable);
    RC_ASSERT(disk_.size() >= durable);
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      const Index index = base_.index + at + 1;
      const Entry& entry = entries_[at].entry;
      RC_ASSERT(log_.at(index) == entry);
      RC_ASSERT(log_.contains({index, entry.term}));
      if (at < durable) RC_ASSERT(disk_[at] == entry);
      const WriteId expected = at < durable ? WriteId() : entries_[at].write.value_or(next_write_);
      RC_ASSERT(log_.write_of(index, next_write_) == expected);
    }
  }

  void check_agreement(LogPosition asked) const {
    LogPosition expected = base_;
    for (const Written& written : entries_) {
      const Entry& entry = written.entry;
      if (entry.index <= asked.index && entry.term <= asked.term) {
        expected = {entry.index, entry.term};
      }
    }
    RC_ASSERT(log_.possible_agreement(asked) == expected);
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t writes() const { return writes_.size(); }
  const std::vector<Entry>& disk() const { return disk_; }
  const Log& log() const { return log_; }

 private:
  struct Written {
    Entry entry;
    std::optional<WriteId> write;
  };

  std::size_t durable_count() const {
    const auto undone = [&](const Written& written) {
      return !written.write || *written.write > completed_;
    };
    return std::ranges::find_if(entries_, undone) - entries_.begin();
  }

  LogPosition base_;
  Log log_;
  std::vector<Written> entries_;
  std::vector<PersistBatch> writes_;
  std::vector<Entry> disk_;
  WriteId next_write_{1};
  WriteId completed_;
  Term term_{3};
};

RC_GTEST_PROP(LogProperty, KnowsWhatIsDurableHoweverWritesAndTruncationsOvertakeOneAnother, ()) {
  Model model(*rc::gen::arbitrary<bool>() ? position(7, 2) : LogPosition{});
  const auto operations = *rc::gen::scale(3.0, rc::gen::arbitrary<std::vector<std::uint8_t>>());
  for (const std::uint8_t operation : operations) {
    const std::size_t argument = operation / 8U;
    switch (operation % 8) {
      case 0:
        if (model.size() > 0) model.truncate(argument % model.size());
        break;
      case 1:
      case 2:
        model.take();
        break;
      case 3:
      case 4:
        model.complete_one();
        break;
      default:
        model.append(argument % 4 == 0);
    }
    model.check();
    model.check_agreement(position(7 + argument % 16, 2 + argument / 4));
  }
  model.take();
  while (model.writes() > 0) model.complete_one();
  model.check();
  RC_ASSERT(model.log().durable_index() == model.log().last().index);
  RC_ASSERT(model.disk().size() == model.size());
}

}  // namespace
}  // namespace anchor::raft
