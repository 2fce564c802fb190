#include "io/log_store.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/lmdb_check.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

const raft::Peer kSelf{raft::ServerId("n1"), raft::Incarnation(0)};
const raft::Peer kOther{raft::ServerId("n2"), raft::Incarnation(9)};

codec::StableState initial_state() {
  return {.cluster_id = raft::ClusterId(77),
          .self = kSelf,
          .boot = raft::Boot(),
          .hard_state = {.term = raft::Term(1), .vote = {}}};
}

raft::Entry entry_of(std::uint64_t index, std::uint64_t term, const std::string& text = "x") {
  return {raft::Index(index), raft::Term(term), raft::Command{Bytes::copy_of(text)}};
}

raft::PersistBatch batch_of(std::uint64_t id, std::vector<raft::Entry> entries) {
  return {.id = raft::WriteId(id), .entries = std::move(entries)};
}

raft::HardState hard_state_of(std::uint64_t term, std::optional<raft::Peer> vote = {}) {
  return {raft::Term(term), std::move(vote)};
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace_contents(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

// A member's directory. Tests restart it by `open`, after letting go of the store.
class Member {
 public:
  Member() : directory_(*DataDirectory::open(temporary_.path())) {}

  const DataDirectory& directory() const { return directory_; }
  std::string path_of(const std::string& name) const { return temporary_.path_of(name); }

  OpenedLogStore create(const std::vector<raft::Entry>& entries = {}) const {
    auto created = LogStore::create(directory_, initial_state(), entries);
    if (!created) throw std::runtime_error(created.error().message);
    return *std::move(created);
  }
  OpenedLogStore open() const {
    auto opened = LogStore::open(directory_);
    if (!opened) throw std::runtime_error(opened.error().message);
    if (!*opened) throw std::runtime_error("the directory is empty");
    return **std::move(opened);
  }
  std::string error_of_open() const {
    const auto opened = LogStore::open(directory_);
    return opened ? "no error" : opened.error().message;
  }

 private:
  TemporaryDirectory temporary_;
  DataDirectory directory_;
};

Result<void> commit(LogStore& store, raft::PersistBatch batch) {
  return store.commit(std::span(&batch, 1));
}

bool mentions(const std::string& message, const std::string& words) {
  return message.find(words) != std::string::npos;
}

TEST(LogStore, FindsNoMemberInAnEmptyDirectory) {
  const Member member;
  const auto opened = LogStore::open(member.directory());
  ASSERT_TRUE(opened);
  EXPECT_FALSE(*opened);
}

TEST(LogStore, CreatedMemberStartsWithItsFoundingEntries) {
  const Member member;
  const OpenedLogStore opened = member.create({entry_of(1, 1), entry_of(2, 1)});
  EXPECT_EQ(opened.recovered.self, kSelf);
  EXPECT_EQ(opened.recovered.cluster_id, raft::ClusterId(77));
  EXPECT_EQ(opened.recovered.boot, raft::Boot(1));
  EXPECT_EQ(opened.recovered.hard_state, hard_state_of(1));
  EXPECT_EQ(opened.recovered.entries, (std::vector{entry_of(1, 1), entry_of(2, 1)}));
}

TEST(LogStore, LeavesNothingButItsFiles) {
  const Member member;
  (void)member.create();
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(member.directory().path())) {
    names.push_back(file.path().filename().string());
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"LOCK", "hardstate", "raft.db", "raft.db-lock",
                                             "snapshots"}));
}

TEST(LogStore, CountsEveryStart) {
  const Member member;
  (void)member.create();
  for (std::uint64_t boot = 2; boot < 6; ++boot) {
    EXPECT_EQ(member.open().recovered.boot, raft::Boot(boot));
    const auto file = codec::read_hard_state_file(**member.directory().read_file("hardstate"));
    ASSERT_TRUE(file);
    EXPECT_EQ(file->state.boot, raft::Boot(boot));
  }
}

TEST(LogStore, KeepsWhatWasCommitted) {
  const Member member;
  {
    const OpenedLogStore opened = member.create({entry_of(1, 1)});
    ASSERT_TRUE(commit(*opened.store, {.id = raft::WriteId(1),
                                       .hard_state = hard_state_of(3, kOther),
                                       .entries = {entry_of(2, 3), entry_of(3, 3)}}));
  }
  const OpenedLogStore opened = member.open();
  EXPECT_EQ(opened.recovered.hard_state, hard_state_of(3, kOther));
  EXPECT_EQ(opened.recovered.entries,
            (std::vector{entry_of(1, 1), entry_of(2, 3), entry_of(3, 3)}));
}

TEST(LogStore, TruncatesBeforeItAppends) {
  const Member member;
  {
    const OpenedLogStore opened =
        member.create({entry_of(1, 1), entry_of(2, 1, "gone"), entry_of(3, 1, "gone")});
    ASSERT_TRUE(commit(*opened.store, {.id = raft::WriteId(1),
                                       .hard_state = hard_state_of(2),
                                       .truncate_from = raft::Index(2),
                                       .entries = {entry_of(2, 2)}}));
  }
  EXPECT_EQ(member.open().recovered.entries, (std::vector{entry_of(1, 1), entry_of(2, 2)}));
}

TEST(LogStore, WritesSeveralBatchesInTheirOrder) {
  const Member member;
  {
    const OpenedLogStore opened = member.create();
    const std::vector<raft::PersistBatch> batches{
        batch_of(1, {entry_of(1, 1), entry_of(2, 1)}),
        {.id = raft::WriteId(2), .hard_state = hard_state_of(2)},
        {.id = raft::WriteId(3), .truncate_from = raft::Index(1), .entries = {entry_of(1, 2)}},
        {.id = raft::WriteId(4), .hard_state = hard_state_of(2, kSelf)}};
    ASSERT_TRUE(opened.store->commit(batches));
  }
  const OpenedLogStore opened = member.open();
  EXPECT_EQ(opened.recovered.hard_state, hard_state_of(2, kSelf));
  EXPECT_EQ(opened.recovered.entries, std::vector{entry_of(1, 2)});
}

TEST(LogStore, WritesTheSecondCopyOnlyWhenTheHardStateChanges) {
  const Member member;
  const OpenedLogStore opened = member.create();
  const std::string before = contents_of(member.path_of("hardstate"));
  ASSERT_TRUE(commit(*opened.store, batch_of(1, {entry_of(1, 1)})));
  EXPECT_EQ(contents_of(member.path_of("hardstate")), before);
  ASSERT_TRUE(commit(*opened.store, {.id = raft::WriteId(2), .hard_state = hard_state_of(2)}));
  EXPECT_NE(contents_of(member.path_of("hardstate")), before);
}

TEST(LogStore, MendsTheSecondCopyWhenItIsLost) {
  const Member member;
  (void)member.create();
  std::filesystem::remove(member.path_of("hardstate"));
  EXPECT_EQ(member.open().recovered.boot, raft::Boot(2));
  replace_contents(member.path_of("hardstate"), "rubbish");
  EXPECT_EQ(member.open().recovered.boot, raft::Boot(3));
  const auto file = codec::read_hard_state_file(**member.directory().read_file("hardstate"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->state.boot, raft::Boot(3));
}

TEST(LogStore, RefusesADatabaseThatWasSetBack) {
  const Member member;
  std::string old_database;
  {
    const OpenedLogStore opened = member.create();
    old_database = contents_of(member.path_of("raft.db"));
    ASSERT_TRUE(commit(*opened.store, {.id = raft::WriteId(1), .hard_state = hard_state_of(2)}));
  }
  replace_contents(member.path_of("raft.db"), old_database);
  EXPECT_TRUE(mentions(member.error_of_open(), "the end of the log is unknown"));
}

TEST(LogStore, RefusesWhenTheDatabaseIsGone) {
  const Member member;
  (void)member.create();
  std::filesystem::remove(member.path_of("raft.db"));
  EXPECT_TRUE(mentions(member.error_of_open(), "is missing"));
  replace_contents(member.path_of("raft.db"), "");
  EXPECT_TRUE(mentions(member.error_of_open(), "is missing"));
}

TEST(LogStore, RefusesADamagedDatabaseBeforeLmdbSeesIt) {
  const Member member;
  (void)member.create();
  replace_contents(member.path_of("raft.db"), std::string(20000, 'x'));
  EXPECT_TRUE(mentions(member.error_of_open(), "is damaged: page 0"));
}

// Whoever was told to empty the directory would lose a member that is well.
TEST(LogStore, DatabaseThatCannotBeReadIsNotGivenUp) {
  const Member member;
  (void)member.create();
  const std::string database = member.path_of("raft.db");
  std::filesystem::rename(database, member.path_of("elsewhere"));
  std::filesystem::create_directory(database);
  EXPECT_EQ(member.error_of_open(), "cannot read " + database + ": Is a directory");
  std::filesystem::remove(database);
  std::filesystem::create_symlink("raft.db", database);
  EXPECT_EQ(member.error_of_open(),
            "cannot open " + database + ": Too many levels of symbolic links");
  std::filesystem::remove(database);
  std::filesystem::rename(member.path_of("elsewhere"), database);
  EXPECT_EQ(member.open().recovered.boot, raft::Boot(2));
}

TEST(LogStore, RefusedStartChangesNothing) {
  const Member member;
  (void)member.create();
  const std::string hard_state = contents_of(member.path_of("hardstate"));
  std::string database = contents_of(member.path_of("raft.db"));
  database[16] ^= 1;
  replace_contents(member.path_of("raft.db"), database);
  EXPECT_NE(member.error_of_open(), "no error");
  EXPECT_EQ(contents_of(member.path_of("hardstate")), hard_state);
  EXPECT_EQ(contents_of(member.path_of("raft.db")), database);
}

TEST(LogStore, NamesTheEntryWhoseRecordIsDamaged) {
  const Member member;
  const std::string text = "a text that stands out in the file";
  {
    const OpenedLogStore opened = member.create({entry_of(1, 1), entry_of(2, 1, text)});
  }
  std::string database = contents_of(member.path_of("raft.db"));
  // Copies of it may be left on pages that are free again.
  for (auto at = database.find(text); at != database.npos; at = database.find(text, at + 1)) {
    database[at] ^= 1;
  }
  replace_contents(member.path_of("raft.db"), database);
  EXPECT_TRUE(mentions(member.error_of_open(), "entry 2 of the log is damaged"));
}

TEST(LogStore, CreationThatWasCutShortLeftNoMember) {
  const Member member;
  // What is on disk before the database takes its place.
  ASSERT_TRUE(member.directory().write_file_durably(
      "hardstate", codec::new_hard_state_file(initial_state()).view()));
  replace_contents(member.path_of("raft.db.new"), "half a database");
  const auto opened = LogStore::open(member.directory());
  ASSERT_TRUE(opened);
  EXPECT_FALSE(*opened);
  EXPECT_EQ(member.create({entry_of(1, 1)}).recovered.entries.size(), 1u);
}

// In a child process, whose files cannot grow any more.
TEST(LogStore, IsBrokenForGoodAfterAFailedCommit) {
  const Member member;
  (void)member.create();
  const pid_t child = ::fork();
  if (child == 0) {
    const OpenedLogStore opened = member.open();
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = std::filesystem::file_size(member.path_of("raft.db"));
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string large(1 << 20, 'x');
    const bool failed = !commit(*opened.store, batch_of(1, {entry_of(1, 1, large)}));
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const bool still_fails = !commit(*opened.store, batch_of(2, {entry_of(1, 1)}));
    ::_exit(failed && still_fails ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(member.open().recovered.entries.empty());
}

// What the store must hold, told without a disk.
struct Model {
  raft::HardState hard_state = initial_state().hard_state;
  std::vector<raft::Entry> entries;

  void apply(const raft::PersistBatch& batch) {
    if (batch.hard_state) hard_state = *batch.hard_state;
    if (batch.truncate_from && batch.truncate_from->value() <= entries.size()) {
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(batch.truncate_from->value()) - 1,
                    entries.end());
    }
    entries.insert(entries.end(), batch.entries.begin(), batch.entries.end());
  }
};

// A batch that Raft could ask for next.
raft::PersistBatch any_batch(const Model& model, std::uint64_t id) {
  raft::PersistBatch batch{.id = raft::WriteId(id)};
  std::uint64_t term = model.hard_state.term.value();
  if (*rc::gen::inRange(0, 4) == 0) {
    batch.hard_state = hard_state_of(++term);
    if (*rc::gen::arbitrary<bool>()) batch.hard_state->vote = kOther;
  }
  std::uint64_t end = model.entries.size() + 1;
  if (*rc::gen::inRange(0, 4) == 0) {
    end = *rc::gen::inRange<std::uint64_t>(1, end + 1);
    batch.truncate_from = raft::Index(end);
  }
  for (int count = *rc::gen::inRange(0, 12); count > 0; --count) {
    // Some are larger than a page.
    const std::size_t size = *rc::gen::element<std::size_t>(0, 1, 100, 3000, 10000);
    batch.entries.push_back(entry_of(end++, term, std::string(size, 'v')));
  }
  return batch;
}

TEST(LogStore, HoldsWhatTheModelHoldsAfterAnyBatchesAndRestarts) {
  EXPECT_TRUE(rc::check([] {
    const Member member;
    Model model;
    OpenedLogStore opened = member.create();
    std::uint64_t id = 0;
    for (int commits = *rc::gen::inRange(1, 12); commits > 0; --commits) {
      std::vector<raft::PersistBatch> batches;
      for (int count = *rc::gen::inRange(1, 4); count > 0; --count) {
        batches.push_back(any_batch(model, ++id));
        model.apply(batches.back());
      }
      RC_ASSERT(opened.store->commit(batches).has_value());
      if (commits != 1 && *rc::gen::inRange(0, 3) != 0) continue;
      opened.store.reset();
      opened = member.open();
      RC_ASSERT(opened.recovered.hard_state == model.hard_state);
      RC_ASSERT(opened.recovered.entries == model.entries);
    }
  }));
}

}  // namespace
}  // namespace anchor::io
