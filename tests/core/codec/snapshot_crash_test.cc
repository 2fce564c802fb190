// Power is lost after each step of what happens to a snapshot directory: what is recovered is an
// old snapshot or the new one, and the new one for certain once somebody was told that it is there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/random.h"
#include "core/codec/snapshot_directory.h"
#include "core/codec/snapshot_receive.h"
#include "core/codec/snapshot_save.h"
#include "sim/virtual_files.h"
#include "tests/core/codec/snapshots.h"

namespace anchor::codec {
namespace {

using sim::VirtualFiles;

constexpr std::uint64_t kSeeds = 40;
constexpr std::size_t kPieceBytes = 50'000;

// The old snapshot's store and the new one's: the latter has blocks enough to be torn.
kv::Store old_store() {
  return store_of(1);
}
kv::Store new_store() {
  return store_of(2, 70'000);
}
SnapshotMeta old_meta() {
  return meta_at(5, 1);
}
SnapshotMeta new_meta() {
  return meta_at(9, 2);
}

// Does the next step; true once the new snapshot is said to be there.
using Work = std::function<bool()>;
using StartWork = std::function<Work(VirtualFiles&)>;

Work saving(VirtualFiles& files) {
  auto save = std::make_shared<SnapshotSave>(files, new_meta(), new_store());
  return [save] { return save->step().value().has_value(); };
}

Work receiving(VirtualFiles& files) {
  const Bytes contents = file_of(new_meta(), new_store());
  auto receive =
      std::make_shared<SnapshotReceive>(files, kClusterId, read_file(contents).value().file);
  return [receive, contents] {
    if (receive->complete()) return receive->step().value().has_value();
    const std::size_t offset = receive->received_bytes();
    const std::size_t size = std::min(kPieceBytes, contents.size() - offset);
    EXPECT_EQ(receive->write(offset, contents.view().subspan(offset, size)), true);
    return false;
  };
}

std::optional<SnapshotFile> newest_in(VirtualFiles& files) {
  const auto recovered = recover_snapshots(files, kClusterId);
  EXPECT_TRUE(recovered);
  // A crash is no damage: nothing gets its name before it is whole.
  EXPECT_TRUE(recovered->damaged.empty());
  if (!recovered->newest) return std::nullopt;
  const Snapshot& newest = *recovered->newest;
  const bool is_new = newest.file.position == new_meta().position;
  EXPECT_EQ(newest.store.digest(), (is_new ? new_store() : old_store()).digest());
  return newest.file;
}

VirtualFiles::Choose choices(std::uint64_t seed) {
  return [random = Random(seed)](std::uint64_t bound) mutable { return random.below(bound); };
}

// A directory with the old snapshot in it, some steps into the work; true if the work was done.
bool work(VirtualFiles& files, const StartWork& start, std::uint64_t steps) {
  save(files, old_meta(), old_store());
  const Work step = start(files);
  for (std::uint64_t i = 0; i < steps; ++i) {
    if (step()) return true;
  }
  return false;
}

void crash_after_each_step(const StartWork& start) {
  bool done = false;
  for (std::uint64_t steps = 0; !done; ++steps) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      SCOPED_TRACE(testing::Message() << "steps " << steps << " seed " << seed);
      VirtualFiles files;
      done = work(files, start, steps);
      files.crash(choices(seed));
      const auto newest = newest_in(files);
      ASSERT_TRUE(newest);
      if (done) {
        EXPECT_EQ(newest->position, new_meta().position);
      }
      // And the directory is as good as any other to go on with.
      EXPECT_EQ(newest_in(files), newest);
      save(files, new_meta(), new_store());
      EXPECT_EQ(newest_in(files)->position, new_meta().position);
    }
  }
}

// The process is killed, which loses nothing, and is started again; then power is lost. What the
// start found it has built upon.
void kill_then_crash_after_each_step(const StartWork& start) {
  bool done = false;
  for (std::uint64_t steps = 0; !done; ++steps) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      SCOPED_TRACE(testing::Message() << "steps " << steps << " seed " << seed);
      VirtualFiles files;
      done = work(files, start, steps);
      const auto found = newest_in(files);
      ASSERT_TRUE(found);
      files.crash(choices(seed));
      EXPECT_EQ(newest_in(files), found);
    }
  }
}

TEST(SnapshotCrash, SaveIsThereWholeOrNotAtAll) {
  crash_after_each_step(saving);
}
TEST(SnapshotCrash, ReceiveIsThereWholeOrNotAtAll) {
  crash_after_each_step(receiving);
}
TEST(SnapshotCrash, WhatAStartFoundOfASaveStays) {
  kill_then_crash_after_each_step(saving);
}
TEST(SnapshotCrash, WhatAStartFoundOfAReceiveStays) {
  kill_then_crash_after_each_step(receiving);
}

// Both unfinished: one more reason for what is left to be anything.
TEST(SnapshotCrash, SaveBesideAReceive) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    VirtualFiles files;
    save(files, old_meta(), old_store());
    const Work save_step = saving(files);
    const Work receive_step = receiving(files);
    Random random(seed);
    bool done = false;
    for (std::uint64_t steps = random.below(20); steps > 0 && !done; --steps) {
      done = random.one_in(2) ? save_step() : receive_step();
    }
    files.crash(choices(seed + kSeeds));
    const auto newest = newest_in(files);
    ASSERT_TRUE(newest);
    if (done) {
      EXPECT_EQ(newest->position, new_meta().position);
    }
  }
}

TEST(SnapshotCrash, PruningNeverTakesWhatItKeeps) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    VirtualFiles files;
    for (const std::uint64_t index : {1, 2, 3}) save(files, meta_at(index, 1), old_store());
    save(files, new_meta(), new_store());
    files.fail_after(seed % 5);
    const std::vector<raft::LogPosition> keep{new_meta().position};
    const bool pruned = prune_snapshots(files, keep).has_value();
    files.fail_after(UINT64_MAX);
    files.crash(choices(seed));
    EXPECT_EQ(newest_in(files)->position, new_meta().position);
    if (pruned) {
      EXPECT_EQ(files.list().value().size(), 1U);
    }
  }
}

}  // namespace
}  // namespace anchor::codec
