#include "core/codec/snapshot_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/codec/snapshot_receive.h"
#include "core/codec/snapshot_save.h"
#include "sim/virtual_files.h"
#include "tests/core/codec/snapshots.h"

namespace anchor::codec {
namespace {

using sim::VirtualFiles;
using Names = std::vector<std::string>;

raft::LogPosition position_of(std::uint64_t index, std::uint64_t term) {
  return {.index = raft::Index(index), .term = raft::Term(term)};
}

void put_file(SnapshotFiles& files, std::string_view name, std::string_view contents) {
  ASSERT_TRUE(files.create(name));
  ASSERT_TRUE(files.append(name, as_bytes(contents)));
  ASSERT_TRUE(files.sync(name));
  ASSERT_TRUE(files.sync_directory());
}

Names names_in(SnapshotFiles& files) {
  return files.list().value();
}

RecoveredSnapshots recover_from(SnapshotFiles& files) {
  auto recovered = recover_snapshots(files, kClusterId);
  EXPECT_TRUE(recovered);
  return std::move(recovered).value_or(RecoveredSnapshots());
}

// All of the file, in pieces.
void send(SnapshotFiles& from, raft::LogPosition position, SnapshotReceive& to) {
  constexpr std::size_t kPieceBytes = 10'000;
  while (!to.complete()) {
    const auto piece = read_snapshot(from, position, to.received_bytes(), kPieceBytes);
    ASSERT_TRUE(piece && *piece);
    ASSERT_EQ(to.write(to.received_bytes(), (*piece)->view()), true);
  }
}

CheckedSnapshot finish(SnapshotReceive& receive) {
  while (true) {
    auto step = receive.step();
    ANCHOR_ASSERT(step.has_value(), step.error().message);
    if (*step) return **std::move(step);
  }
}

// --- Names --------------------------------------------------------------------------------------

TEST(SnapshotName, IsReadBack) {
  EXPECT_EQ(snapshot_name(position_of(120, 3)), "120-3.snap");
  EXPECT_EQ(unfinished_snapshot_name(position_of(120, 3)), "120-3.snap.new");
  for (const auto position : {position_of(0, 0), position_of(120, 3), position_of(7, UINT64_MAX)}) {
    EXPECT_EQ(parse_snapshot_name(snapshot_name(position)), position);
  }
}

TEST(SnapshotName, IsNothingElse) {
  for (const std::string_view name : {"",
                                      "-",
                                      ".snap",
                                      "-.snap",
                                      "1.snap",
                                      "1-.snap",
                                      "-1.snap",
                                      "1-2",
                                      "1-2.snap.new",
                                      "1-2.snap ",
                                      " 1-2.snap",
                                      "+1-2.snap",
                                      "01-2.snap",
                                      "1-02.snap",
                                      "1-2-3.snap",
                                      "1--2.snap",
                                      "1-0x2.snap",
                                      "18446744073709551616-1.snap",
                                      "received.part",
                                      "1-2.SNAP"}) {
    EXPECT_FALSE(parse_snapshot_name(name)) << name;
  }
}

// --- Saving and recovering ----------------------------------------------------------------------

TEST(SnapshotDirectory, EmptyOneHasNone) {
  VirtualFiles files;
  const RecoveredSnapshots recovered = recover_from(files);
  EXPECT_FALSE(recovered.newest);
  EXPECT_TRUE(recovered.files.empty());
  EXPECT_TRUE(recovered.damaged.empty());
}

TEST(SnapshotDirectory, NewestSnapshotIsRecovered) {
  VirtualFiles files;
  // Among them one whose name sorts before that of an older one.
  const SnapshotFile first = save(files, meta_at(9, 2), store_of(1));
  const SnapshotFile third = save(files, meta_at(100, 3), store_of(3, 70'000));
  const SnapshotFile second = save(files, meta_at(90, 2), store_of(2));
  const RecoveredSnapshots recovered = recover_from(files);
  ASSERT_TRUE(recovered.newest);
  EXPECT_EQ(recovered.newest->file, third);
  EXPECT_EQ(recovered.newest->store.digest(), store_of(3, 70'000).digest());
  EXPECT_EQ(recovered.files, (std::vector<SnapshotFile>{third, second, first}));
  EXPECT_TRUE(recovered.damaged.empty());
}

TEST(SnapshotDirectory, SaveReplacesOneOfTheSamePosition) {
  VirtualFiles files;
  const SnapshotFile file = save(files, meta_at(9, 2), store_of(2));
  files.flip_bit("9-2.snap", 1000);
  EXPECT_EQ(save(files, meta_at(9, 2), store_of(2)), file);
  ASSERT_TRUE(recover_from(files).newest);
}

TEST(SnapshotDirectory, LeftoversAreClearedAwayAndNothingElse) {
  VirtualFiles files;
  save(files, meta_at(9, 2), store_of(1));
  for (const std::string_view name : {"10-2.snap.new", "received.part", "notes.new", "notes"}) {
    put_file(files, name, "text");
  }
  EXPECT_TRUE(recover_from(files).newest);
  EXPECT_EQ(names_in(files), (Names{"9-2.snap", "notes", "notes.new"}));
}

TEST(SnapshotDirectory, DamagedSnapshotsAreReportedAndKept) {
  VirtualFiles files;
  const SnapshotFile good = save(files, meta_at(5, 1), store_of(2));
  save(files, meta_at(9, 2), store_of(2));
  files.flip_bit("9-2.snap", 1000);
  put_file(files, "12-2.snap", "");
  put_file(files, "13-2.snap", file_of(meta_at(14, 2), store_of(1)).text());
  put_file(files, "15-2.snap", file_of(meta_at(15, 2, raft::ClusterId(8)), store_of(1)).text());

  const RecoveredSnapshots recovered = recover_from(files);
  ASSERT_TRUE(recovered.newest);
  EXPECT_EQ(recovered.newest->file, good);
  EXPECT_EQ(recovered.files, std::vector<SnapshotFile>{good});
  std::vector<std::string> damaged;
  for (const DamagedSnapshot& snapshot : recovered.damaged) {
    damaged.push_back(snapshot.name + ": " + snapshot.reason);
  }
  EXPECT_EQ(damaged,
            (Names{"15-2.snap: it is of another cluster", "13-2.snap: it is of another position",
                   "12-2.snap: it is cut short", "9-2.snap: the frame's checksum does not match"}));
  EXPECT_EQ(names_in(files).size(), 5U);
}

TEST(SnapshotDirectory, OlderSnapshotsAreLookedAtFromTheirEnd) {
  VirtualFiles files;
  save(files, meta_at(3, 1), store_of(2));
  const SnapshotFile older = save(files, meta_at(5, 1), store_of(2));
  const SnapshotFile newest = save(files, meta_at(9, 2), store_of(2));
  put_file(files, "2-1.snap", "too short for a footer");
  files.flip_bit("3-1.snap", 8 * older.size_bytes - 1);
  const RecoveredSnapshots recovered = recover_from(files);
  EXPECT_EQ(recovered.files, (std::vector<SnapshotFile>{newest, older}));
  ASSERT_EQ(recovered.damaged.size(), 2U);
  EXPECT_EQ(recovered.damaged[0].name, "3-1.snap");
  EXPECT_EQ(recovered.damaged[1].name, "2-1.snap");
}

TEST(SnapshotDirectory, PruningKeepsWhatItIsToldTo) {
  VirtualFiles files;
  for (const std::uint64_t index : {3, 5, 9}) save(files, meta_at(index, 2), store_of(1));
  put_file(files, "10-2.snap.new", "being written");
  put_file(files, "received.part", "being received");
  const std::vector<raft::LogPosition> keep{position_of(9, 2), position_of(5, 2)};
  ASSERT_TRUE(prune_snapshots(files, keep));
  const Names kept{"10-2.snap.new", "5-2.snap", "9-2.snap", "received.part"};
  EXPECT_EQ(names_in(files), kept);
  // What is gone stays gone.
  files.crash([](std::uint64_t) { return 0; });
  EXPECT_EQ(names_in(files), kept);
}

// --- Receiving ----------------------------------------------------------------------------------

class Receive : public testing::Test {
 protected:
  Receive() : file_(save(sender_, meta_at(9, 2), store_of(3, 70'000))) {}

  Bytes contents() { return *read_snapshot(sender_, file_.position, 0, file_.size_bytes).value(); }

  VirtualFiles sender_;
  VirtualFiles receiver_;
  SnapshotFile file_;
};

TEST_F(Receive, GivesTheSnapshotThatWasSent) {
  SnapshotReceive receive(receiver_, kClusterId, file_);
  send(sender_, file_.position, receive);
  const CheckedSnapshot received = finish(receive);
  const auto* snapshot = std::get_if<Snapshot>(&received);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->file, file_);
  EXPECT_EQ(snapshot->store.digest(), store_of(3, 70'000).digest());
  EXPECT_EQ(names_in(receiver_), Names{"9-2.snap"});
  EXPECT_EQ(recover_from(receiver_).files, std::vector<SnapshotFile>{file_});
}

TEST_F(Receive, TakesOnlyWhatComesNext) {
  SnapshotReceive receive(receiver_, kClusterId, file_);
  const Bytes whole = contents();
  const auto piece = [&](std::size_t offset, std::size_t size) {
    return whole.view().subspan(offset, size);
  };
  EXPECT_EQ(receive.write(100, piece(100, 100)), false);
  EXPECT_EQ(receive.write(0, piece(0, 100)), true);
  EXPECT_EQ(receive.write(0, piece(0, 100)), false);
  EXPECT_EQ(receive.write(50, piece(50, 100)), false);
  EXPECT_EQ(receive.write(200, piece(200, 100)), false);
  EXPECT_EQ(receive.received_bytes(), 100U);
  const std::string too_much(file_.size_bytes, 'x');
  EXPECT_EQ(receive.write(100, as_bytes(too_much)), false);
  EXPECT_FALSE(receive.complete());
  EXPECT_EQ(receive.write(100, piece(100, whole.size() - 100)), true);
  EXPECT_TRUE(receive.complete());
  EXPECT_TRUE(std::holds_alternative<Snapshot>(finish(receive)));
}

TEST_F(Receive, BadContentsAreRemoved) {
  const Bytes whole = contents();
  for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged(whole.text());
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    SnapshotReceive receive(receiver_, kClusterId, file_);
    ASSERT_EQ(receive.write(0, as_bytes(damaged)), true);
    EXPECT_TRUE(std::holds_alternative<DamagedSnapshot>(finish(receive))) << at;
    EXPECT_EQ(names_in(receiver_), Names{});
  }
}

TEST_F(Receive, GoodSnapshotThatIsNotThePromisedOneIsRemoved) {
  const auto refused = [&](raft::ClusterId cluster_id, const SnapshotFile& promised) {
    SnapshotReceive receive(receiver_, cluster_id, promised);
    EXPECT_EQ(receive.write(0, contents().view()), true);
    const bool damaged = std::holds_alternative<DamagedSnapshot>(finish(receive));
    return damaged && names_in(receiver_).empty();
  };
  SnapshotFile other_checksum = file_;
  ++other_checksum.checksum;
  SnapshotFile other_term = file_;
  ++other_term.position.term;
  EXPECT_TRUE(refused(kClusterId, other_checksum));
  EXPECT_TRUE(refused(kClusterId, other_term));
  EXPECT_TRUE(refused(raft::ClusterId(8), file_));
}

TEST_F(Receive, PromiseOfNothingIsNotKept) {
  SnapshotFile nothing = file_;
  nothing.size_bytes = 0;
  SnapshotReceive receive(receiver_, kClusterId, nothing);
  EXPECT_FALSE(receive.complete());
  EXPECT_EQ(receive.write(0, {}), true);
  EXPECT_TRUE(receive.complete());
  EXPECT_TRUE(std::holds_alternative<DamagedSnapshot>(finish(receive)));
}

TEST_F(Receive, BeginsAnewWhereAnotherWasGivenUp) {
  SnapshotReceive given_up(receiver_, kClusterId, file_);
  ASSERT_EQ(given_up.write(0, as_bytes("something")), true);
  SnapshotReceive receive(receiver_, kClusterId, file_);
  EXPECT_EQ(receive.received_bytes(), 0U);
  send(sender_, file_.position, receive);
  EXPECT_TRUE(std::holds_alternative<Snapshot>(finish(receive)));
}

// --- A disk that fails --------------------------------------------------------------------------

// Each operation in turn is the first to fail; returns how many there are.
template <typename Attempt>
std::uint64_t operations_until_success(const Attempt& attempt) {
  std::uint64_t operations = 0;
  while (!attempt(operations)) ++operations;
  return operations;
}

TEST(FailingDisk, EndsASave) {
  const std::uint64_t operations = operations_until_success([](std::uint64_t succeeding) {
    VirtualFiles files;
    files.fail_after(succeeding);
    SnapshotSave save(files, meta_at(9, 2), store_of(2, 70'000));
    while (true) {
      const auto step = save.step();
      if (!step || *step) return step.has_value();
    }
  });
  // Header, two blocks of items and two of changes, footer; create, sync, rename, sync of the
  // directory.
  EXPECT_EQ(operations, 10U);
}

TEST(FailingDisk, EndsAReceive) {
  const Bytes contents = file_of(meta_at(9, 2), store_of(2));
  const SnapshotFile file = read_file(contents)->file;
  const std::uint64_t operations = operations_until_success([&](std::uint64_t succeeding) {
    VirtualFiles files;
    files.fail_after(succeeding);
    SnapshotReceive receive(files, kClusterId, file);
    if (!receive.write(0, contents.view())) return false;
    while (true) {
      const auto step = receive.step();
      if (!step || *step) return step.has_value();
    }
  });
  // Create, append, sync, read, rename, sync of the directory.
  EXPECT_EQ(operations, 6U);
}

TEST(FailingDisk, EndsARecovery) {
  const std::uint64_t operations = operations_until_success([](std::uint64_t succeeding) {
    VirtualFiles files;
    save(files, meta_at(5, 1), store_of(1));
    save(files, meta_at(9, 2), store_of(1));
    put_file(files, "received.part", "");
    files.fail_after(succeeding);
    return recover_snapshots(files, kClusterId).has_value();
  });
  // List, remove, sync of the directory; read the newest; size and end of the other.
  EXPECT_EQ(operations, 6U);
}

}  // namespace
}  // namespace anchor::codec
