#include "io/disk_writer.h"

#include <gtest/gtest.h>

#include <semaphore>
#include <string>
#include <vector>

#include "io/log_store.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

raft::PersistBatch batch_of(std::uint64_t id) {
  return {.id = raft::WriteId(id)};
}

// A loop with a writer on it, and a disk whose commits begin and end when the test wants it.
class Fixture {
 public:
  Fixture()
      : writer(start_loop(loop),
               {.commit = [this](auto batches) { return commit(batches); },
                .on_durable = [this](raft::WriteId id) { durable = id; },
                .on_failure = [this](const Error& error) { failures.push_back(error.message); }}) {}
  ~Fixture() {
    may_end.release(1000);
    writer.close([] {});
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }

  template <typename Condition>
  void run_until(const Condition& condition) {
    while (!condition()) uv_run(&loop, UV_RUN_ONCE);
  }

  uv_loop_t loop{};
  // Of the disk thread.
  std::vector<std::vector<raft::WriteId>> commits;
  bool fails = false;
  std::counting_semaphore<> has_begun{0};
  std::counting_semaphore<> may_end{0};
  // Of the loop's thread.
  raft::WriteId durable;
  std::vector<std::string> failures;
  DiskWriter writer;

 private:
  static uv_loop_t* start_loop(uv_loop_t& loop) {
    uv_loop_init(&loop);
    return &loop;
  }

  Result<void> commit(std::span<const raft::PersistBatch> batches) {
    commits.emplace_back();
    for (const raft::PersistBatch& batch : batches) commits.back().push_back(batch.id);
    has_begun.release();
    may_end.acquire();
    if (fails) return failure("input/output error");
    return {};
  }
};

using Ids = std::vector<raft::WriteId>;

TEST(DiskWriter, ReportsABatchOnceItIsDurable) {
  Fixture fixture;
  fixture.writer.write(batch_of(1));
  fixture.has_begun.acquire();
  uv_run(&fixture.loop, UV_RUN_NOWAIT);
  EXPECT_EQ(fixture.durable, raft::WriteId());
  EXPECT_EQ(fixture.writer.pending_batch_count(), 1u);
  EXPECT_TRUE(fixture.writer.oldest_pending_since());

  fixture.may_end.release();
  fixture.run_until([&] { return fixture.durable == raft::WriteId(1); });
  EXPECT_EQ(fixture.writer.pending_batch_count(), 0u);
  EXPECT_FALSE(fixture.writer.oldest_pending_since());
}

TEST(DiskWriter, BatchesThatGatherDuringACommitShareTheNext) {
  Fixture fixture;
  fixture.writer.write(batch_of(1));
  fixture.has_begun.acquire();
  for (std::uint64_t id = 2; id <= 4; ++id) fixture.writer.write(batch_of(id));
  fixture.may_end.release(2);
  fixture.run_until([&] { return fixture.durable == raft::WriteId(4); });
  EXPECT_EQ(fixture.commits,
            (std::vector{Ids{raft::WriteId(1)},
                         Ids{raft::WriteId(2), raft::WriteId(3), raft::WriteId(4)}}));
  EXPECT_EQ(fixture.writer.commit_count(), 2u);
}

TEST(DiskWriter, OldestPendingBatchIsTheFirstNotYetDurable) {
  Fixture fixture;
  fixture.writer.write(batch_of(1));
  fixture.has_begun.acquire();
  const auto first = fixture.writer.oldest_pending_since();
  fixture.writer.write(batch_of(2));
  EXPECT_EQ(fixture.writer.oldest_pending_since(), first);
  fixture.may_end.release();
  fixture.run_until([&] { return fixture.durable == raft::WriteId(1); });
  ASSERT_TRUE(fixture.writer.oldest_pending_since());
  EXPECT_GE(*fixture.writer.oldest_pending_since(), *first);
}

TEST(DiskWriter, FailureIsReportedOnceAndNothingIsWrittenAfterIt) {
  Fixture fixture;
  fixture.fails = true;
  fixture.writer.write(batch_of(1));
  fixture.has_begun.acquire();
  fixture.writer.write(batch_of(2));
  fixture.may_end.release(2);
  fixture.run_until([&] { return !fixture.failures.empty(); });
  fixture.writer.write(batch_of(3));
  fixture.writer.stop();
  EXPECT_EQ(fixture.failures, std::vector<std::string>{"input/output error"});
  EXPECT_EQ(fixture.durable, raft::WriteId());
  EXPECT_EQ(fixture.commits.size(), 1u);
}

TEST(DiskWriter, StopFinishesWhatWasHandedOver) {
  Fixture fixture;
  fixture.may_end.release(3);
  for (std::uint64_t id = 1; id <= 3; ++id) fixture.writer.write(batch_of(id));
  fixture.writer.stop();
  EXPECT_EQ(fixture.durable, raft::WriteId(3));
  EXPECT_EQ(fixture.writer.pending_batch_count(), 0u);
}

TEST(DiskWriter, DropsWhatComesAfterTheStop) {
  Fixture fixture;
  fixture.writer.stop();
  fixture.writer.write(batch_of(1));
  EXPECT_EQ(fixture.writer.pending_batch_count(), 0u);
  EXPECT_TRUE(fixture.commits.empty());
}

TEST(DiskWriter, KnowsHowLongCommitsTake) {
  Fixture fixture;
  EXPECT_EQ(fixture.writer.commit_p99().count(), 0);
  fixture.may_end.release(3);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    fixture.writer.write(batch_of(id));
    fixture.run_until([&] { return fixture.durable == raft::WriteId(id); });
  }
  EXPECT_EQ(fixture.writer.commit_count(), 3u);
  EXPECT_GE(fixture.writer.commit_p99(), fixture.writer.commit_p50());
}

TEST(DiskWriter, CallsBackWhenTheLoopHoldsNothingOfItAnyMore) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  bool closed = false;
  {
    DiskWriter writer(&loop, {.commit = [](auto) -> Result<void> { return {}; },
                              .on_durable = [](raft::WriteId) {},
                              .on_failure = [](const Error&) {}});
    writer.close([&] { closed = true; });
    EXPECT_FALSE(closed);
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  EXPECT_TRUE(closed);
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

TEST(DiskWriter, WritesToALogStore) {
  const TemporaryDirectory temporary;
  const auto directory = DataDirectory::open(temporary.path());
  ASSERT_TRUE(directory);
  const codec::StableState initial{.cluster_id = raft::ClusterId(7),
                                   .self = {raft::ServerId("n1"), raft::Incarnation()},
                                   .boot = raft::Boot(),
                                   .hard_state = {.term = raft::Term(1), .vote = {}}};
  uv_loop_t loop;
  uv_loop_init(&loop);
  raft::WriteId durable;
  {
    auto opened = LogStore::create(*directory, initial, {});
    ASSERT_TRUE(opened) << opened.error().message;
    LogStore& store = *opened->store;
    DiskWriter writer(&loop, {.commit = [&](auto batches) { return store.commit(batches); },
                              .on_durable = [&](raft::WriteId id) { durable = id; },
                              .on_failure = [](const Error& error) { FAIL() << error.message; }});
    for (std::uint64_t id = 1; id <= 50; ++id) {
      writer.write(
          {.id = raft::WriteId(id), .entries = {{raft::Index(id), raft::Term(1), raft::NoOp()}}});
    }
    while (durable < raft::WriteId(50)) uv_run(&loop, UV_RUN_ONCE);
    writer.close([] {});
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  uv_loop_close(&loop);
  const auto reopened = LogStore::open(*directory);
  ASSERT_TRUE(reopened && *reopened);
  EXPECT_EQ((*reopened)->recovered.entries.size(), 50u);
}

}  // namespace
}  // namespace anchor::io
