#include "io/snapshot_worker.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/codec/snapshot_directory.h"
#include "core/raft/configuration.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

constexpr raft::ClusterId kCluster(77);

// A server's directory with a worker on a loop, and what that has said.
class Place {
 public:
  explicit Place(uv_loop_t* loop)
      : files(*SnapshotFiles::open(directory.path())),
        worker(loop, files, kCluster,
               {.saved = [this](SnapshotSaved done) { saved.push_back(done.file); },
                .written = [this](SnapshotWritten done) { written.push_back(done.received_bytes); },
                .received = [this](SnapshotReceived done) { received = std::move(done); },
                .chunk_read =
                    [this](const raft::Message& message) {
                      chunks.push_back(std::get<raft::InstallSnapshot>(message.body));
                    },
                .damaged = [this](const codec::DamagedSnapshot&) { ++damaged_count; },
                .failed = [this](const Error& error) { failures.push_back(error.message); },
                .state_damaged = [this] { ++state_damaged_count; }}) {}

  TemporaryDirectory directory;
  SnapshotFiles files;
  std::vector<raft::SnapshotFile> saved;
  std::vector<std::uint64_t> written;
  std::optional<SnapshotReceived> received;
  std::vector<raft::InstallSnapshot> chunks;
  int damaged_count = 0;
  int state_damaged_count = 0;
  std::vector<std::string> failures;
  SnapshotWorker worker;
};

class SnapshotWorkerTest : public testing::Test {
 protected:
  SnapshotWorkerTest() {
    uv_loop_init(&loop_);
    leader_.emplace(&loop_);
    follower_.emplace(&loop_);
  }
  ~SnapshotWorkerTest() override {
    int closed = 0;
    leader_->worker.close([&] { ++closed; });
    follower_->worker.close([&] { ++closed; });
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(closed, 2);
    leader_.reset();
    follower_.reset();
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  template <typename Condition>
  void run_until(const Condition& condition) {
    while (!condition()) uv_run(&loop_, UV_RUN_ONCE);
  }

  static SnapshotSave request_at(std::uint64_t index) {
    return {.position = {raft::Index(index), raft::Term(2)},
            .configuration = {raft::Index(1), std::make_shared<const raft::Configuration>(
                                                  raft::founding_configuration(
                                                      {{raft::ServerId("n1"), {}, "a:1", "a:2"}}))},
            .store = {}};
  }
  // At the leader, of a store with so many keys.
  raft::SnapshotFile save(std::uint64_t index, int keys) {
    SnapshotSave request = request_at(index);
    for (int key = 0; key < keys; ++key) {
      request.store.apply(kv::Put{"key" + std::to_string(key), Bytes::copy_of("value"), {}});
    }
    digest_ = request.store.digest();
    leader_->worker.save(std::move(request));
    const std::size_t before = leader_->saved.size();
    run_until([&] { return leader_->saved.size() > before || !leader_->failures.empty(); });
    return leader_->saved.back();
  }
  // From the leader to the follower, so many bytes at a time.
  void send(const raft::SnapshotFile& file, std::uint64_t chunk_bytes) {
    for (std::uint64_t offset = 0; offset < file.size_bytes; offset += chunk_bytes) {
      raft::Message message{.from = {},
                            .from_boot = {},
                            .to = {},
                            .term = {},
                            .body = raft::InstallSnapshot{.file = file, .offset = offset}};
      leader_->worker.read({std::move(message), chunk_bytes});
    }
    const std::uint64_t count = (file.size_bytes + chunk_bytes - 1) / chunk_bytes;
    run_until([&] { return leader_->chunks.size() == count; });
  }

  uv_loop_t loop_{};
  std::optional<Place> leader_;
  std::optional<Place> follower_;
  std::uint64_t digest_ = 0;
};

// A disk that stalls may carry out the reading after the pruning.
TEST_F(SnapshotWorkerTest, WhatIsGoneIsNotSent) {
  const raft::SnapshotFile gone = save(9, 10);
  const raft::SnapshotFile file = save(10, 10);
  ASSERT_TRUE(codec::prune_snapshots(leader_->files, std::vector{file.position}));
  raft::Message message{.from = {},
                        .from_boot = {},
                        .to = {},
                        .term = {},
                        .body = raft::InstallSnapshot{.file = gone}};
  leader_->worker.read({std::move(message), 100});
  send(file, file.size_bytes);
  ASSERT_EQ(leader_->chunks.size(), 1U);
  EXPECT_EQ(leader_->chunks.front().file, file);
  EXPECT_TRUE(leader_->failures.empty());
}

// As a fault of the memory would: one bit of a value.
void damage(const kv::Store& store, std::string_view key) {
  const kv::ItemRef item = store.find(key);
  const_cast<std::byte&>(item->value().front()) ^= std::byte(1);
}

TEST_F(SnapshotWorkerTest, ScrubbingFindsDamageInMemory) {
  kv::Store store;
  store.apply(kv::Put{"a", Bytes::copy_of("value"), {}});
  leader_->worker.scrub(store);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(leader_->state_damaged_count, 0);
  damage(store, "a");
  leader_->worker.scrub(store);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(leader_->state_damaged_count, 1);
}

// The log would be cut after it.
TEST_F(SnapshotWorkerTest, ADamagedStateIsNotSaved) {
  SnapshotSave request = request_at(9);
  request.store.apply(kv::Put{"a", Bytes::copy_of("value"), {}});
  damage(request.store, "a");
  leader_->worker.save(std::move(request));
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(leader_->state_damaged_count, 1);
  EXPECT_TRUE(leader_->saved.empty());
  const auto found = codec::recover_snapshots(leader_->files, kCluster);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->newest);
}

TEST_F(SnapshotWorkerTest, WhatOneSavesAnotherReceives) {
  const raft::SnapshotFile file = save(9, 5000);
  send(file, 10'000);
  for (const raft::InstallSnapshot& chunk : leader_->chunks) follower_->worker.receive(chunk);
  run_until([&] { return follower_->received.has_value(); });
  EXPECT_EQ(follower_->received->file, file);
  EXPECT_EQ(follower_->received->store.digest(), digest_);
  EXPECT_EQ(follower_->received->configuration.index, raft::Index(1));
  EXPECT_EQ(follower_->written.back(), file.size_bytes);
  EXPECT_TRUE(leader_->failures.empty() && follower_->failures.empty());
  // The same bytes, under the same name.
  const auto found = codec::recover_snapshots(follower_->files, kCluster);
  ASSERT_TRUE(found && found->newest);
  EXPECT_EQ(found->newest->file, file);
}

TEST_F(SnapshotWorkerTest, ChunksOutOfTurnAreNotTaken) {
  const raft::SnapshotFile file = save(9, 1000);
  send(file, 10'000);
  ASSERT_GE(leader_->chunks.size(), 3U);
  for (const std::size_t chunk : {1U, 0U, 2U, 0U}) {
    follower_->worker.receive(leader_->chunks.at(chunk));
  }
  run_until([&] { return follower_->written.size() == 4; });
  EXPECT_EQ(follower_->written, (std::vector<std::uint64_t>{0, 10'000, 10'000, 10'000}));
}

TEST_F(SnapshotWorkerTest, DamagedSnapshotIsForgottenAndMayBeSentAgain) {
  const raft::SnapshotFile file = save(9, 1000);
  send(file, file.size_bytes);
  raft::InstallSnapshot damaged = leader_->chunks.front();
  Buffer copy(damaged.chunk.size());
  std::memcpy(copy.data(), damaged.chunk.data(), damaged.chunk.size());
  copy.data()[copy.size() / 2] ^= std::byte(1);
  damaged.chunk = std::move(copy).freeze();
  follower_->worker.receive(damaged);
  run_until([&] { return follower_->damaged_count == 1; });
  EXPECT_EQ(follower_->written, (std::vector<std::uint64_t>{file.size_bytes, 0}));
  follower_->worker.receive(leader_->chunks.front());
  run_until([&] { return follower_->received.has_value(); });
  EXPECT_EQ(follower_->received->store.digest(), digest_);
}

TEST_F(SnapshotWorkerTest, OldOnesAreRemovedAndNewerOnesStay) {
  const raft::SnapshotFile first = save(9, 10);
  leader_->saved.clear();
  const raft::SnapshotFile second = save(19, 10);
  leader_->saved.clear();
  const raft::SnapshotFile third = save(29, 10);
  leader_->worker.keep({second.position});
  run_until([&] { return leader_->files.list()->size() == 2; });
  EXPECT_EQ(*leader_->files.list(),
            (std::vector<std::string>{codec::snapshot_name(second.position),
                                      codec::snapshot_name(third.position)}));
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace anchor::io
