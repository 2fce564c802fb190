#include "core/codec/snapshot_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/codec/damage.h"
#include "tests/core/codec/golden.h"
#include "tests/core/codec/snapshots.h"
#include "tests/core/generators.h"
#include "tests/core/kv/commands.h"

namespace anchor::codec {
namespace {

// With its own items' fields unlike one another.
kv::Store small_store() {
  kv::Store store;
  store.apply(put_of("a key", "first"));
  store.apply(put_of("another", ""));
  store.apply(put_of("a key", "a value"));
  store.apply(put_of("gone", "x"));
  store.apply(kv::Delete{"gone", kv::Always{}});
  return store;
}

// Why the file is refused; empty if it is not.
std::string refusal_of(const Bytes& file) {
  const auto read = read_file(file);
  return read ? "" : read.error().message;
}

void expect_same(const kv::Store& a, const kv::Store& b) {
  EXPECT_EQ(a.digest(), b.digest());
  EXPECT_EQ(a.revision(), b.revision());
  ASSERT_EQ(a.tree().size(), b.tree().size());
  for (auto i = a.tree().begin(), j = b.tree().begin(); i.valid(); i.next(), j.next()) {
    EXPECT_TRUE(equal(i.item(), j.item()));
  }
}

// --- What was written is read -------------------------------------------------------------------

RC_GTEST_PROP(Snapshot, HoldsHistorySessionsAndSettings, ()) {
  kv::Store store;
  for (const kv::Command& command : kv::draw_commands()) store.apply(command);
  const auto read = read_file(file_of(meta_at(9, 2), store));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->store.digest() == store.digest());
  RC_ASSERT(read->store.recomputed_digest() == store.digest());
  RC_ASSERT(read->store.settings() == store.settings());
  RC_ASSERT(file_of(meta_at(9, 2), read->store) == file_of(meta_at(9, 2), store));
}

RC_GTEST_PROP(Snapshot, HoldsWhatTheStoreHeld,
              (const std::vector<kv::Command>& commands, const raft::ClusterId& cluster_id,
               const raft::LogPosition& position, const raft::SharedConfiguration& configuration)) {
  kv::Store store;
  for (const kv::Command& command : commands) store.apply(command);
  const SnapshotMeta meta{.cluster_id = cluster_id,
                          .position = position,
                          .configuration_index = position.index,
                          .configuration = configuration};
  const auto read = read_file(file_of(meta, store));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->meta.cluster_id == cluster_id);
  RC_ASSERT(read->meta.position == position);
  RC_ASSERT(read->meta.configuration_index == position.index);
  RC_ASSERT(*read->meta.configuration == *configuration);
  RC_ASSERT(read->store.digest() == store.digest());
  RC_ASSERT(read->store.recomputed_digest() == store.digest());
  RC_ASSERT(read->store.tree().size() == store.tree().size());
}

TEST(Snapshot, HoldsEveryFieldOfEveryItem) {
  const kv::Store store = small_store();
  const auto read = read_file(file_of(meta_at(9, 2), store));
  ASSERT_TRUE(read) << read.error().message;
  expect_same(read->store, store);
}

TEST(Snapshot, HoldsAnEmptyStore) {
  const auto read = read_file(file_of(meta_at(1, 1), {}));
  ASSERT_TRUE(read) << read.error().message;
  expect_same(read->store, {});
}

TEST(Snapshot, StoreThatWasReadGoesOnAsTheOneThatWasWritten) {
  kv::Store store = small_store();
  auto read = read_file(file_of(meta_at(9, 2), store));
  ASSERT_TRUE(read) << read.error().message;
  for (const kv::Command& command :
       {kv::Command(put_of("a key", "third")), kv::Command(put_of("new", "y")),
        kv::Command(kv::Delete{"another", kv::IfPresent{}})}) {
    EXPECT_EQ(read->store.apply(command), store.apply(command));
  }
  expect_same(read->store, store);
}

TEST(Snapshot, IsOfTheStateAsItWasWhenItBegan) {
  kv::Store store = store_of(3, 70'000);
  const Bytes before = file_of(meta_at(9, 2), store);
  SnapshotWriter writer(meta_at(9, 2), store);
  std::vector<Bytes> frames;
  while (auto frame = writer.next()) {
    frames.push_back(*std::move(frame));
    store.apply(put_of("b", "changed meanwhile"));
  }
  EXPECT_EQ(joined(frames), before);
}

TEST(Snapshot, BlocksAndFramesAreBounded) {
  kv::Store store;
  for (std::size_t i = 0; i < 3000; ++i) store.apply(put_of("key" + std::to_string(i), "value"));
  store.apply(put_of(std::string(kv::kKeyBytes, 'x'), std::string(kv::kValueBytes, 'y')));
  const std::vector<Bytes> frames = frames_of(meta_at(9, 2), store);
  EXPECT_GT(frames.size(), 4U);
  for (const Bytes& frame : frames) EXPECT_LE(frame.size(), kSnapshotFrameBytes);
  EXPECT_EQ(frames.back().size(), kSnapshotFooterBytes);
  const auto read = read_file(joined(frames));
  ASSERT_TRUE(read) << read.error().message;
  expect_same(read->store, store);
}

RC_GTEST_PROP(Snapshot, IsReadHoweverItIsCut, ()) {
  const Bytes file = file_of(meta_at(9, 2), store_of(3, 30'000));
  SnapshotReader reader;
  for (std::size_t offset = 0; offset < file.size();) {
    const auto wanted = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 20),
                                        rc::gen::inRange<std::size_t>(1, 100'000));
    const std::size_t size = std::min(wanted, file.size() - offset);
    RC_ASSERT(reader.take(file.view().subspan(offset, size)).has_value());
    offset += size;
  }
  RC_ASSERT(reader.finish().has_value());
}

// --- The format ---------------------------------------------------------------------------------

TEST(Snapshot, FormatIsWhatItWas) {
  expect_golden("snapshot", "empty", file_of(meta_at(1, 1), {}));
  expect_golden("snapshot", "few_keys", file_of(meta_at(9, 2), small_store()));
}

// Two ways to one state, through trees of different shapes, whose history is compacted.
TEST(Snapshot, SameStateMakesTheSameBytes) {
  const auto store_after = [](const std::string& prefix_of_what_goes) {
    kv::Store store;
    const auto number = [](std::size_t i) { return std::to_string(1000 + i); };
    for (std::size_t i = 0; i < 200; ++i) store.apply(put_of("k" + number(i), "v"));
    for (std::size_t i = 0; i < 300; ++i) {
      store.apply(put_of(prefix_of_what_goes + number(i), "v"));
    }
    for (std::size_t i = 0; i < 300; ++i) {
      store.apply(kv::Delete{prefix_of_what_goes + number(i), kv::Always{}});
    }
    store.apply(kv::ChangeSettings{{{"history_revisions", 0}}});
    return store;
  };
  EXPECT_EQ(file_of(meta_at(9, 2), store_after("a")), file_of(meta_at(9, 2), store_after("z")));
}

TEST(SnapshotFile, IsTheSameForWriterReaderAndFooter) {
  const kv::Store store = store_of(3, 70'000);
  SnapshotWriter writer(meta_at(9, 2), store);
  while (writer.next()) {
  }
  const Bytes bytes = file_of(meta_at(9, 2), store);
  EXPECT_EQ(writer.file().position, meta_at(9, 2).position);
  EXPECT_EQ(writer.file().size_bytes, bytes.size());
  const auto read = read_file(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->file, writer.file());
  const Bytes footer = bytes.slice(bytes.size() - kSnapshotFooterBytes, kSnapshotFooterBytes);
  EXPECT_EQ(read_snapshot_footer(kClusterId, meta_at(9, 2).position, bytes.size(), footer),
            writer.file());
}

TEST(SnapshotFile, DiffersWhereverTheSnapshotDoes) {
  const auto checksum_of = [](const SnapshotMeta& meta, const kv::Store& store) {
    const auto read = read_file(file_of(meta, store));
    return read ? read->file.checksum : 0;
  };
  SnapshotMeta other_configuration = meta_at(9, 2);
  other_configuration.configuration_index = raft::Index(2);
  const std::vector<std::uint64_t> checksums = {
      checksum_of(meta_at(9, 2), small_store()),
      checksum_of(meta_at(9, 3), small_store()),
      checksum_of(meta_at(8, 2), small_store()),
      checksum_of(meta_at(9, 2, raft::ClusterId(8)), small_store()),
      checksum_of(other_configuration, small_store()),
      checksum_of(meta_at(9, 2), store_of(2)),
  };
  for (std::size_t i = 0; i < checksums.size(); ++i) {
    EXPECT_NE(checksums[i], 0U);
    EXPECT_EQ(std::ranges::count(checksums, checksums[i]), 1) << i;
  }
}

TEST(SnapshotFile, FooterOfAnotherSnapshotIsRefused) {
  const Bytes footer = frames_of(meta_at(9, 2), small_store()).back();
  const raft::LogPosition position = meta_at(9, 2).position;
  EXPECT_TRUE(read_snapshot_footer(kClusterId, position, 500, footer));
  EXPECT_FALSE(read_snapshot_footer(raft::ClusterId(8), position, 500, footer));
  EXPECT_FALSE(read_snapshot_footer(kClusterId, meta_at(9, 3).position, 500, footer));
  EXPECT_TRUE(refuses_all_damage(footer, [&](const Bytes& damaged) {
    return read_snapshot_footer(kClusterId, position, 500, damaged);
  }));
}

// --- Damage -------------------------------------------------------------------------------------

TEST(Snapshot, IsRefusedWhenCutShortOrWithAFlippedBit) {
  EXPECT_TRUE(refuses_all_damage(file_of(meta_at(9, 2), small_store()), read_file));
}

TEST(Snapshot, IsRefusedWhenSomethingFollows) {
  const Bytes file = file_of(meta_at(9, 2), small_store());
  EXPECT_EQ(refusal_of(joined({file, Bytes::copy_of("x")})), "something follows its end");
  EXPECT_EQ(refusal_of(joined({file, file})), "something follows its end");
}

TEST(Snapshot, IsRefusedWithoutAnyOfItsFramesOrWithOneTwice) {
  const std::vector<Bytes> frames = frames_of(meta_at(9, 2), store_of(3, 70'000));
  ASSERT_EQ(frames.size(), 8U);  // a block for each item and each change
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::vector<Bytes> without = frames;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(refusal_of(joined(without)), "") << i;
    std::vector<Bytes> twice = frames;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), frames[i]);
    EXPECT_NE(refusal_of(joined(twice)), "") << i;
  }
}

TEST(Snapshot, IsRefusedInAnyOtherOrder) {
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  const std::vector<Bytes> frames = frames_of(meta_at(9, 2), store_of(3, 70'000));
  while (std::ranges::next_permutation(order).found) {
    std::vector<Bytes> reordered;
    for (const std::size_t i : order) reordered.push_back(frames[i]);
    EXPECT_NE(refusal_of(joined(reordered)), "");
  }
  EXPECT_EQ(refusal_of(joined({frames[0], frames[2], frames[1], frames[3], frames[4]})),
            "block 1 stands where block 0 should");
}

// Each frame is good, and stands where the like of it should.
TEST(Snapshot, IsRefusedWithAFrameOfAnother) {
  const std::vector<Bytes> frames = frames_of(meta_at(9, 2), store_of(3, 70'000));
  const std::vector<std::vector<Bytes>> others = {
      frames_of(meta_at(9, 2, raft::ClusterId(8)), store_of(3, 70'000)),
      frames_of(meta_at(8, 2), store_of(3, 70'000)),
      frames_of(meta_at(9, 3), store_of(3, 70'000)),
      // Of the same cluster and position, as replicas that diverged would make them.
      frames_of(meta_at(9, 2), store_of(3, 70'001)),
  };
  for (const std::vector<Bytes>& other : others) {
    ASSERT_EQ(other.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (other[i] == frames[i]) continue;
      std::vector<Bytes> spliced = frames;
      spliced[i] = other[i];
      const std::string refusal = refusal_of(joined(spliced));
      EXPECT_NE(refusal, "") << i;
      // Found by the frame itself, and not only when all has been read.
      if (&other != &others.back()) {
        EXPECT_EQ(refusal, "a frame is of another snapshot") << i;
      }
    }
  }
}

TEST(Snapshot, IsRefusedForItsFirstError) {
  SnapshotReader reader;
  const Bytes file = file_of(meta_at(9, 2), small_store());
  const Bytes damaged = with_flipped_bit(file, 100);
  const auto first = reader.take(damaged.view());
  ASSERT_FALSE(first);
  EXPECT_EQ(reader.take(file.view()), first);
  const auto finished = reader.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error(), first.error());
}

// Before any memory is set aside for it.
TEST(Snapshot, FrameThatStatesTooMuchIsRefusedAtItsHeader) {
  Buffer header(kFrameHeaderBytes);
  for (std::size_t i = 4; i < 8; ++i) header.data()[i] = std::byte{0xff};
  SnapshotReader reader;
  EXPECT_FALSE(reader.take(header.span()));
}

// --- What no honest node wrote, under checksums that match --------------------------------------

SnapshotFrame frame_of(SnapshotPart part) {
  return {.cluster_id = kClusterId, .position = meta_at(9, 2).position, .part = std::move(part)};
}

SnapshotHeader header_of(std::uint64_t configuration_index, std::uint64_t revision) {
  return {.configuration_index = raft::Index(configuration_index),
          .configuration = meta_at(9, 2).configuration,
          .state = {.revision = kv::Revision(revision),
                    .compacted = kv::Revision(revision),
                    .next_lease = kv::LeaseId(1),
                    .next_session = kv::SessionId(1),
                    .settings = {}},
          .item_count = 1};
}

kv::ItemRef item_of(std::string_view key, std::uint64_t create, std::uint64_t mod,
                    std::uint64_t version, std::size_t value_bytes = 1) {
  return kv::Item::create(key, as_bytes(std::string(value_bytes, 'v')),
                          {.create_revision = kv::Revision(create),
                           .mod_revision = kv::Revision(mod),
                           .version = version});
}

Result<void> take(SnapshotReader& reader, SnapshotPart part) {
  return reader.take(encode_snapshot_frame(frame_of(std::move(part))).view());
}

TEST(Snapshot, HeaderThatContradictsItselfIsRefused) {
  EXPECT_TRUE(SnapshotReader().take(encode_snapshot_frame(frame_of(header_of(9, 1))).view()));
  EXPECT_FALSE(SnapshotReader().take(encode_snapshot_frame(frame_of(header_of(10, 1))).view()));
  EXPECT_FALSE(SnapshotReader().take(encode_snapshot_frame(frame_of(header_of(9, 0))).view()));
}

TEST(Snapshot, ItemThatNoStoreCouldHoldIsRefused) {
  const auto taken = [](std::vector<kv::ItemRef> items) {
    SnapshotReader reader;
    EXPECT_TRUE(take(reader, header_of(1, 5)));
    return take(reader, SnapshotBlock{.ordinal = 0, .content = SnapshotItems{std::move(items)}})
        .has_value();
  };
  EXPECT_TRUE(taken({item_of("a", 2, 5, 2), item_of("b", 3, 3, 1)}));
  EXPECT_FALSE(taken({item_of("b", 2, 5, 2), item_of("a", 3, 3, 1)}));
  EXPECT_FALSE(taken({item_of("a", 2, 5, 2), item_of("a", 3, 3, 1)}));
  EXPECT_FALSE(taken({item_of("", 2, 2, 1)}));
  EXPECT_FALSE(taken({item_of(std::string(kv::kKeyBytes + 1, 'k'), 2, 2, 1)}));
  EXPECT_FALSE(taken({item_of("a", 2, 2, 1, kv::kValueBytes + 1)}));
  EXPECT_FALSE(taken({item_of("a", 3, 2, 1)}));
  EXPECT_FALSE(taken({item_of("a", 2, 6, 1)}));
  EXPECT_FALSE(taken({item_of("a", 2, 2, 0)}));
}

TEST(Snapshot, FooterThatCountsWrongIsRefused) {
  const std::vector<Bytes> frames = frames_of(meta_at(9, 2), store_of(1));
  const auto good = decode_snapshot_frame(frames.back());
  ASSERT_TRUE(good) << good.error().message;
  const auto refused_with = [&](auto&& alter) {
    SnapshotFooter footer = std::get<SnapshotFooter>(good->part);
    alter(footer);
    std::vector<Bytes> altered = frames;
    altered.back() = encode_snapshot_frame(frame_of(footer));
    return refusal_of(joined(altered));
  };
  EXPECT_EQ(refused_with([](SnapshotFooter&) {}), "");
  EXPECT_NE(refused_with([](SnapshotFooter& footer) { ++footer.block_count; }), "");
  EXPECT_NE(refused_with([](SnapshotFooter& footer) { ++footer.item_count; }), "");
  EXPECT_NE(refused_with([](SnapshotFooter& footer) { ++footer.digest; }), "");
  EXPECT_NE(refused_with([](SnapshotFooter& footer) { ++footer.checksum; }), "");
}

}  // namespace
}  // namespace anchor::codec
