#include "sim/virtual_files.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace anchor::sim {
namespace {

using Names = std::vector<std::string>;

std::string contents_of(VirtualFiles& files, std::string_view name) {
  constexpr std::size_t kMaxBytes = 1 << 20;
  const auto read = files.read(name, 0, kMaxBytes);
  return read ? std::string(read->text()) : "error: " + read.error().message;
}

VirtualFiles::Choose nothing_survives() {
  return [](std::uint64_t) { return 0; };
}
VirtualFiles::Choose everything_survives() {
  return [](std::uint64_t bound) { return bound - 1; };
}

void write_unsynced(VirtualFiles& files, std::string_view name, std::string_view text) {
  ASSERT_TRUE(files.create(name));
  ASSERT_TRUE(files.append(name, as_bytes(text)));
}

TEST(VirtualFiles, HoldWhatWasWritten) {
  VirtualFiles files;
  write_unsynced(files, "b", "some ");
  ASSERT_TRUE(files.append("b", as_bytes("text")));
  write_unsynced(files, "a", "");
  EXPECT_EQ(files.list(), (Names{"a", "b"}));
  EXPECT_EQ(files.size_bytes("b"), 9U);
  EXPECT_EQ(files.read("b", 5, 100)->text(), "text");
  EXPECT_EQ(files.read("b", 5, 2)->text(), "te");
  EXPECT_EQ(files.read("b", 50, 2)->text(), "");
  ASSERT_TRUE(files.rename("b", "a"));
  EXPECT_EQ(files.list(), Names{"a"});
  EXPECT_EQ(contents_of(files, "a"), "some text");
  ASSERT_TRUE(files.create("a"));
  EXPECT_EQ(contents_of(files, "a"), "");
  ASSERT_TRUE(files.remove("a"));
  EXPECT_EQ(files.list(), Names{});
  EXPECT_FALSE(files.read("a", 0, 1));
  EXPECT_FALSE(files.rename("a", "b"));
}

TEST(VirtualFiles, KeepNothingThatWasNotSynced) {
  VirtualFiles files;
  write_unsynced(files, "a", "text");
  ASSERT_TRUE(files.sync("a"));
  files.crash(nothing_survives());
  EXPECT_EQ(files.list(), Names{});

  write_unsynced(files, "a", "text");
  ASSERT_TRUE(files.sync_directory());
  files.crash(nothing_survives());
  EXPECT_EQ(contents_of(files, "a"), "");
}

TEST(VirtualFiles, KeepAllThatWasSynced) {
  VirtualFiles files;
  write_unsynced(files, "a", "text");
  ASSERT_TRUE(files.sync("a"));
  ASSERT_TRUE(files.sync_directory());
  ASSERT_TRUE(files.append("a", as_bytes(" and more")));
  files.crash(nothing_survives());
  EXPECT_EQ(contents_of(files, "a"), "text");
}

TEST(VirtualFiles, MayKeepWhatWasNotSynced) {
  VirtualFiles files;
  write_unsynced(files, "a", "text");
  ASSERT_TRUE(files.rename("a", "b"));
  files.crash(everything_survives());
  EXPECT_EQ(files.list(), Names{"b"});
  EXPECT_EQ(contents_of(files, "b"), "text");
  files.crash(nothing_survives());
  EXPECT_EQ(contents_of(files, "b"), "text");
}

TEST(VirtualFiles, ForgetOrKeepEachChangeOfTheDirectory) {
  std::set<Names> left;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    VirtualFiles files;
    for (const std::string_view name : {"a", "b"}) write_unsynced(files, name, "");
    ASSERT_TRUE(files.sync_directory());
    ASSERT_TRUE(files.rename("a", "c"));
    ASSERT_TRUE(files.remove("b"));
    files.crash(
        [random = Random(seed)](std::uint64_t bound) mutable { return random.below(bound); });
    left.insert(files.list().value());
  }
  EXPECT_EQ(left, (std::set<Names>{{"a"}, {"a", "b"}, {"b", "c"}, {"c"}}));
}

TEST(VirtualFiles, TearWhatWasNotSyncedAtSectors) {
  constexpr std::size_t kSectorBytes = 512;
  const std::string synced(kSectorBytes + 100, 's');
  std::set<std::string> left;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    VirtualFiles files;
    write_unsynced(files, "a", synced);
    ASSERT_TRUE(files.sync("a"));
    ASSERT_TRUE(files.sync_directory());
    ASSERT_TRUE(files.append("a", as_bytes(std::string(2 * kSectorBytes, 'u'))));
    files.crash(
        [random = Random(seed)](std::uint64_t bound) mutable { return random.below(bound); });
    const std::string contents = contents_of(files, "a");
    ASSERT_EQ(contents.substr(0, synced.size()), synced);
    ASSERT_LE(contents.size(), synced.size() + 2 * kSectorBytes);
    // What of the second sector and of the third is there.
    left.insert(contents.substr(synced.size(), 1) +
                (contents.size() > 2 * kSectorBytes ? contents.substr(2 * kSectorBytes, 1) : "-"));
  }
  const std::string zero(1, '\0');
  const std::set<std::string> all{"uu", "u" + zero, zero + "u", zero + zero, "u-", zero + "-"};
  for (const std::string& kind : all) EXPECT_TRUE(left.contains(kind)) << kind;
}

TEST(VirtualFiles, RotWhereTheyAreTold) {
  VirtualFiles files;
  write_unsynced(files, "a", "aaa");
  ASSERT_TRUE(files.sync("a"));
  files.flip_bit("a", 8);
  EXPECT_EQ(contents_of(files, "a"), "a`a");
}

TEST(VirtualFiles, FailFromWhereTheyAreTold) {
  VirtualFiles files;
  files.fail_after(2);
  write_unsynced(files, "a", "text");
  EXPECT_FALSE(files.sync("a"));
  EXPECT_FALSE(files.list());
  files.fail_after(1);
  EXPECT_TRUE(files.sync("a"));
}

}  // namespace
}  // namespace anchor::sim
