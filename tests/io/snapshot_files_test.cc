#include "io/snapshot_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/codec/snapshot_directory.h"
#include "core/codec/snapshot_receive.h"
#include "tests/core/codec/snapshots.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

using Names = std::vector<std::string>;

class SnapshotFilesTest : public testing::Test {
 protected:
  SnapshotFiles open() {
    auto files = SnapshotFiles::open(temporary_.path());
    EXPECT_TRUE(files) << files.error().message;
    return *std::move(files);
  }
  std::string path_of(const std::string& name) const {
    return temporary_.path_of("snapshots/" + name);
  }

  TemporaryDirectory temporary_;
};

TEST_F(SnapshotFilesTest, MakesItsDirectoryOrTakesTheOneThatIsThere) {
  EXPECT_EQ(open().list(), Names{});
  EXPECT_TRUE(std::filesystem::is_directory(temporary_.path_of("snapshots")));
  EXPECT_EQ(open().list(), Names{});
}

TEST_F(SnapshotFilesTest, SaysWhyItCannotMakeIt) {
  const auto refused = SnapshotFiles::open(temporary_.path_of("missing"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(temporary_.path_of("missing/snapshots")),
            std::string::npos);
}

TEST_F(SnapshotFilesTest, ReadsBackWhatWasAppended) {
  SnapshotFiles files = open();
  ASSERT_TRUE(files.create("b"));
  ASSERT_TRUE(files.append("b", as_bytes("some ")));
  ASSERT_TRUE(files.create("a"));
  ASSERT_TRUE(files.append("b", as_bytes("text")));
  ASSERT_TRUE(files.append("a", as_bytes("other")));
  ASSERT_TRUE(files.sync("a"));
  ASSERT_TRUE(files.sync("b"));
  EXPECT_EQ(files.size_bytes("b"), 9U);
  EXPECT_EQ(files.read("b", 0, 100)->text(), "some text");
  EXPECT_EQ(files.read("b", 5, 2)->text(), "te");
  EXPECT_EQ(files.read("b", 9, 100)->text(), "");
  EXPECT_EQ(files.read("a", 0, 100)->text(), "other");
}

TEST_F(SnapshotFilesTest, CreatesAnewWhatIsThere) {
  SnapshotFiles files = open();
  for (const std::string_view text : {"a longer text", "text"}) {
    ASSERT_TRUE(files.create("a"));
    ASSERT_TRUE(files.append("a", as_bytes(text)));
    EXPECT_EQ(files.read("a", 0, 100)->text(), text);
  }
}

TEST_F(SnapshotFilesTest, RenamesOverAnotherAndRemoves) {
  SnapshotFiles files = open();
  for (const std::string_view name : {"a", "b", "c"}) {
    ASSERT_TRUE(files.create(name));
    ASSERT_TRUE(files.append(name, as_bytes(name)));
  }
  ASSERT_TRUE(files.rename("a", "b"));
  ASSERT_TRUE(files.remove("c"));
  ASSERT_TRUE(files.sync_directory());
  EXPECT_EQ(files.list(), Names{"b"});
  EXPECT_EQ(files.read("b", 0, 100)->text(), "a");
}

TEST_F(SnapshotFilesTest, ListsFilesOnlyAndInOrder) {
  SnapshotFiles files = open();
  for (const std::string name : {"9-1.snap", "10-1.snap", "notes"}) std::ofstream{path_of(name)};
  std::filesystem::create_directory(path_of("directory"));
  EXPECT_EQ(files.list(), (Names{"10-1.snap", "9-1.snap", "notes"}));
}

TEST_F(SnapshotFilesTest, ErrorsNameThePath) {
  SnapshotFiles files = open();
  std::filesystem::create_directory(path_of("directory"));
  const auto expect_path = [&](const auto& result, const std::string& name) {
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find(path_of(name)), std::string::npos)
        << result.error().message;
  };
  expect_path(files.create("directory"), "directory");
  expect_path(files.rename("missing", "a"), "missing");
  expect_path(files.remove("missing"), "missing");
  expect_path(files.read("missing", 0, 1), "missing");
  expect_path(files.size_bytes("missing"), "missing");
}

// The protocol over it, from one directory to another.
TEST_F(SnapshotFilesTest, HoldsSnapshotsThatAreSavedSentAndRecovered) {
  SnapshotFiles files = open();
  const kv::Store store = codec::store_of(20, 50'000);
  const codec::SnapshotFile file = codec::save(files, codec::meta_at(9, 2), store);
  EXPECT_EQ(files.list(), Names{"9-2.snap"});

  const TemporaryDirectory other;
  auto received_files = SnapshotFiles::open(other.path());
  ASSERT_TRUE(received_files);
  codec::SnapshotReceive receive(*received_files, codec::kClusterId, file);
  while (!receive.complete()) {
    const auto piece = codec::read_snapshot(files, file.position, receive.received_bytes(), 99'999);
    ASSERT_TRUE(piece && *piece);
    ASSERT_EQ(receive.write(receive.received_bytes(), (*piece)->view()), true);
  }
  auto step = receive.step();
  while (step && !*step) step = receive.step();
  ASSERT_TRUE(step) << step.error().message;
  ASSERT_TRUE(std::holds_alternative<codec::Snapshot>(**step));

  for (SnapshotFiles* directory : {&files, &*received_files}) {
    const auto recovered = codec::recover_snapshots(*directory, codec::kClusterId);
    ASSERT_TRUE(recovered) << recovered.error().message;
    ASSERT_TRUE(recovered->newest);
    EXPECT_EQ(recovered->newest->file, file);
    EXPECT_EQ(recovered->newest->store.digest(), store.digest());
  }
}

}  // namespace
}  // namespace anchor::io
