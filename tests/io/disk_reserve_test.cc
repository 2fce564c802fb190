#include "io/disk_reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/io/small_disk.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

constexpr std::uint64_t kReserve = 4 << 20;

// On a disk of 16 MiB.
class Reserve : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << "a file system cannot be mounted here";
  }
  // Others leave so much free.
  void leave(std::uint64_t bytes) const {
    std::filesystem::remove(path_of("others"));
    const std::uint64_t free = std::filesystem::space(directory_.path()).available;
    ASSERT_GE(free, bytes);
    std::ofstream(path_of("others")) << std::string(free - bytes, 'x');
  }
  std::string path_of(const std::string& name) const { return directory_.path_of(name); }
  bool kept() const { return std::filesystem::exists(path_of("reserve")); }

  TemporaryDirectory directory_;
  SmallDisk disk_{directory_.path(), "16m"};
};

TEST_F(Reserve, IsKeptWhereThereIsPlenty) {
  DiskReserve reserve(directory_.path(), kReserve);
  EXPECT_FALSE(reserve.look().short_of_disk);
  struct stat file{};
  ASSERT_EQ(::stat(path_of("reserve").c_str(), &file), 0);
  EXPECT_GE(static_cast<std::uint64_t>(file.st_blocks) * 512, kReserve);
  leave(kReserve);
  EXPECT_FALSE(reserve.look().short_of_disk);
}

TEST_F(Reserve, IsGivenUpWhereThereIsLittle) {
  DiskReserve reserve(directory_.path(), kReserve);
  reserve.look();
  leave(kReserve / 8);
  EXPECT_TRUE(reserve.look().short_of_disk);
  EXPECT_FALSE(kept());
  // What it held is free, and that is no plenty.
  const DiskRoomFound found = reserve.look();
  EXPECT_TRUE(found.short_of_disk);
  EXPECT_GE(found.free_bytes, kReserve);
}

TEST_F(Reserve, ComesBackOnceThereIsPlentyAgain) {
  DiskReserve reserve(directory_.path(), kReserve);
  reserve.look();
  leave(0);
  ASSERT_TRUE(reserve.look().short_of_disk);
  leave(kReserve * 5 / 4);
  EXPECT_TRUE(reserve.look().short_of_disk);
  leave(2 * kReserve);
  EXPECT_FALSE(reserve.look().short_of_disk);
  EXPECT_TRUE(kept());
}

TEST_F(Reserve, OfTheLastStartIsKept) {
  DiskReserve(directory_.path(), kReserve).look();
  leave(kReserve / 2);
  DiskReserve reserve(directory_.path(), kReserve);
  EXPECT_FALSE(reserve.look().short_of_disk);
  // Of another size it would not do.
  DiskReserve another(directory_.path(), 2 * kReserve);
  EXPECT_TRUE(another.look().short_of_disk);
  EXPECT_FALSE(kept());
}

TEST_F(Reserve, IsForWhatIsNeededBeside) {
  DiskReserve reserve(directory_.path(), kReserve);
  EXPECT_FALSE(reserve.look(kReserve).short_of_disk);
  leave(kReserve);
  EXPECT_FALSE(reserve.look(kReserve / 2).short_of_disk);
  EXPECT_FALSE(reserve.look(kReserve, true).short_of_disk);  // it is what has used it up
  EXPECT_TRUE(reserve.look(kReserve).short_of_disk);
}

// The loop's side.
TEST_F(Reserve, IsWatched) {
  uv_loop_t loop{};
  uv_loop_init(&loop);
  std::vector<bool> seen;
  {
    DiskWatch watch(
        &loop, directory_.path(), kReserve,
        {.needed_bytes = [] { return std::uint64_t{0}; },
         .writing = [] { return false; },
         .changed = [&](const DiskRoomFound& found) { seen.push_back(found.short_of_disk); }});
    EXPECT_TRUE(seen.empty());
    leave(0);
    watch.writing(kReserve);  // looks at once
    while (seen.size() < 1) uv_run(&loop, UV_RUN_ONCE);
    EXPECT_TRUE(watch.short_of_disk());
    leave(2 * kReserve);
    while (seen.size() < 2) uv_run(&loop, UV_RUN_ONCE);  // looks after a while
    EXPECT_FALSE(watch.short_of_disk());
    bool closed = false;
    watch.writing(kReserve);
    watch.close([&] { closed = true; });
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
  }
  EXPECT_EQ(seen, (std::vector<bool>{true, false}));
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

TEST_F(Reserve, OfNothingIsNeverGivenUp) {
  DiskReserve reserve(directory_.path(), 0);
  leave(0);
  EXPECT_FALSE(reserve.look().short_of_disk);
  EXPECT_FALSE(kept());
}

TEST(NoReserve, IsSaidWhereTheDiskCannotBeSeen) {
  DiskReserve reserve("/no/such/directory", kReserve);
  const DiskRoomFound found = reserve.look();
  EXPECT_TRUE(found.short_of_disk);
  EXPECT_FALSE(found.problem.empty());
}

}  // namespace
}  // namespace anchor::io
