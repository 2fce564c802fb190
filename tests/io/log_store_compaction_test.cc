#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "core/codec/snapshot_save.h"
#include "core/raft/configuration.h"
#include "io/log_store.h"
#include "tests/io/temporary_directory.h"

// Logs that begin after a snapshot.
namespace anchor::io {
namespace {

constexpr raft::ClusterId kCluster(77);
const raft::Peer kSelf{raft::ServerId("n1"), raft::Incarnation(0)};

raft::Entry entry_of(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term),
          raft::Command{Bytes::copy_of(std::to_string(index) + "@" + std::to_string(term))}};
}

std::vector<raft::Entry> entries_of(std::uint64_t first, std::uint64_t last, std::uint64_t term) {
  std::vector<raft::Entry> entries;
  for (std::uint64_t index = first; index <= last; ++index) {
    entries.push_back(entry_of(index, term));
  }
  return entries;
}

// A member's directory, the store that is open on it, and what it was told.
class Member {
 public:
  Member() : directory_(*DataDirectory::open(temporary_.path())) {
    take(LogStore::create(directory_,
                          {.cluster_id = kCluster,
                           .self = kSelf,
                           .boot = raft::Boot(),
                           .hard_state = {.term = raft::Term(1), .vote = {}}},
                          {}));
  }

  const raft::Recovered& recovered() const { return opened_->recovered; }

  bool commit(raft::PersistBatch batch) {
    batch.id = raft::WriteId(++last_id_);
    return opened_->store->commit(std::span(&batch, 1)).has_value();
  }
  void restart() {
    opened_.reset();
    auto opened = LogStore::open(directory_);
    if (!opened) throw std::runtime_error(opened.error().message);
    take(**std::move(opened));
  }
  // As the worker does, before the log may begin there.
  void save_snapshot(raft::LogPosition position) {
    auto files = *SnapshotFiles::open(directory_.path());
    codec::SnapshotSave save(files,
                             {.cluster_id = kCluster,
                              .position = position,
                              .configuration_index = raft::Index(1),
                              .configuration = std::make_shared<const raft::Configuration>(
                                  raft::founding_configuration({{kSelf.id, {}, "a:1", "a:2"}}))},
                             {});
    for (auto saved = save.step(); !saved.value(); saved = save.step()) {
    }
  }

 private:
  void take(Result<OpenedLogStore> opened) {
    if (!opened) throw std::runtime_error(opened.error().message);
    opened_.emplace(*std::move(opened));
  }

  TemporaryDirectory temporary_;
  DataDirectory directory_;
  std::optional<OpenedLogStore> opened_;
  std::uint64_t last_id_ = 0;
};

raft::LogPosition position(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term)};
}

raft::HardState term_of(std::uint64_t term) {
  return {.term = raft::Term(term), .vote = {}};
}

// The old log has an entry of another term where the snapshot ends. If it stayed, the next start
// would take all of the records for another log's, and forget what was acknowledged since.
TEST(LogStoreCompaction, LogThatBeginsAnewLeavesNothingOfTheOldOne) {
  Member member;
  ASSERT_TRUE(
      member.commit({.id = {}, .hard_state = term_of(5), .entries = entries_of(1, 3000, 5)}));
  member.save_snapshot(position(2000, 6));
  ASSERT_TRUE(member.commit({.id = {},
                             .hard_state = term_of(6),
                             .truncate_from = raft::Index(2001),
                             .compact_to = raft::Index(2000),
                             .begins_anew = true}));
  ASSERT_TRUE(member.commit({.id = {}, .entries = entries_of(2001, 2010, 6)}));
  member.restart();
  EXPECT_EQ(member.recovered().base, position(2000, 6));
  EXPECT_EQ(member.recovered().entries, entries_of(2001, 2010, 6));
}

// What is of no use goes faster than what is new comes, however much that is.
TEST(LogStoreCompaction, OldRecordsGoFasterThanNewOnesCome) {
  Member member;
  ASSERT_TRUE(member.commit({.id = {}, .entries = entries_of(1, 5000, 1)}));
  member.save_snapshot(position(5000, 1));
  ASSERT_TRUE(member.commit(
      {.id = {}, .compact_to = raft::Index(5000), .entries = entries_of(5001, 7000, 1)}));
  ASSERT_TRUE(member.commit({.id = {}, .entries = entries_of(7001, 9000, 1)}));
  member.restart();
  EXPECT_EQ(member.recovered().base, position(5000, 1));
  EXPECT_EQ(member.recovered().entries, entries_of(5001, 9000, 1));
}

// What the log must hold, and may hold yet.
struct Model {
  std::uint64_t term = 1;
  raft::LogPosition base{};
  std::vector<raft::Entry> entries;

  std::uint64_t last() const { return base.index.value() + entries.size(); }
};

// A batch that Raft could ask for next, and the model after it; with the snapshot that it needs.
raft::PersistBatch any_batch(Member& member, Model& model) {
  raft::PersistBatch batch;
  const auto kind = *rc::gen::inRange(0, 6);
  if (kind == 0 && !model.entries.empty()) {
    const auto kept = *rc::gen::inRange<std::size_t>(0, model.entries.size());
    model.entries.resize(kept);
    batch.truncate_from = raft::Index(model.last() + 1);
    batch.hard_state = term_of(++model.term);
  } else if (kind == 1 && !model.entries.empty()) {
    const auto gone = *rc::gen::inRange<std::size_t>(1, model.entries.size() + 1);
    model.base = {model.entries[gone - 1].index, model.entries[gone - 1].term};
    model.entries.erase(model.entries.begin(),
                        model.entries.begin() + static_cast<std::ptrdiff_t>(gone));
    batch.compact_to = model.base.index;
    member.save_snapshot(model.base);
  } else if (kind == 2) {
    batch.hard_state = term_of(++model.term);
    const std::uint64_t first = model.base.index.value() + 1;
    model.base = position(*rc::gen::inRange(first, model.last() + 20), model.term);
    model.entries.clear();
    batch.truncate_from = model.base.index.next();
    batch.compact_to = model.base.index;
    batch.begins_anew = true;
    member.save_snapshot(model.base);
  }
  const auto more = *rc::gen::element<std::uint64_t>(0, 1, 10, 700);
  batch.entries = entries_of(model.last() + 1, model.last() + more, model.term);
  model.entries.insert(model.entries.end(), batch.entries.begin(), batch.entries.end());
  return batch;
}

TEST(LogStoreCompaction, HoldsWhatTheModelHoldsAfterAnyBatchesAndRestarts) {
  EXPECT_TRUE(rc::check([] {
    Member member;
    Model model;
    for (int commits = *rc::gen::inRange(1, 12); commits > 0; --commits) {
      RC_ASSERT(member.commit(any_batch(member, model)));
      if (commits != 1 && *rc::gen::inRange(0, 3) != 0) continue;
      member.restart();
      const raft::Recovered& recovered = member.recovered();
      // Some of what is of no use may still be there.
      RC_ASSERT(recovered.base.index <= model.base.index);
      const std::size_t more = model.base.index - recovered.base.index;
      RC_ASSERT(recovered.entries.size() == more + model.entries.size());
      RC_ASSERT(std::equal(model.entries.begin(), model.entries.end(),
                           recovered.entries.begin() + static_cast<std::ptrdiff_t>(more)));
    }
  }));
}

}  // namespace
}  // namespace anchor::io
