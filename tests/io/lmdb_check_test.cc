#include "io/lmdb_check.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "io/lmdb.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

constexpr std::size_t kPageBytes = 4096;

std::string number_key(std::uint64_t number) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

Result<Lmdb> open_file(const std::string& path, Lmdb::Mode mode) {
  return Lmdb::open(path, mode, {"logs", "stable"});
}

// One transaction as a log sees them: entries are appended, some of them large, and now and then
// the tail or the head goes.
struct Log {
  std::uint64_t first = 1;
  std::uint64_t end = 1;

  Result<void> change(Random& random, const LmdbTransaction& transaction) {
    LmdbBucket logs = transaction.bucket("logs");
    const std::string state(random.below(100), 's');
    Result<void> done = transaction.bucket("stable").put(as_bytes("state"), as_bytes(state));
    if (random.one_in(5)) {
      for (std::uint64_t count = random.below(end - first + 1); done && count > 0; --count) {
        if (!logs.erase(as_bytes(number_key(--end)))) done = failure("cannot erase");
      }
    }
    if (random.one_in(10)) {
      for (std::uint64_t count = random.below(end - first + 1); done && count > 0; --count) {
        if (!logs.erase(as_bytes(number_key(first++)))) done = failure("cannot erase");
      }
    }
    for (std::uint64_t count = random.below(40); done && count > 0; --count) {
      const std::uint64_t bound = random.one_in(30) ? 20000 : 200;
      const std::string value(random.below(bound), 'v');
      done = logs.append(as_bytes(number_key(end++)), as_bytes(value));
    }
    return done;
  }
};

void write_file(const std::string& path, Random& random, int transaction_count) {
  auto lmdb = open_file(path, Lmdb::Mode::kCreate);
  ASSERT_TRUE(lmdb) << lmdb.error().message;
  Log log;
  for (int i = 0; i < transaction_count; ++i) {
    const auto updated = lmdb->update(
        [&](const LmdbTransaction& transaction) { return log.change(random, transaction); });
    ASSERT_TRUE(updated) << updated.error().message;
  }
}

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void replace_contents(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

// Reads all, writes, and reads all again. Errors are fine: it is about not crashing.
void exercise(const std::string& path) {
  auto lmdb = open_file(path, Lmdb::Mode::kOpen);
  if (!lmdb) return;
  const auto walk = [&](const LmdbTransaction& transaction) -> Result<void> {
    std::size_t sum = 0;
    for (const char* bucket : {"logs", "stable"}) {
      auto cursor = transaction.bucket(bucket).cursor();
      if (!cursor) return std::unexpected(cursor.error());
      for (auto item = cursor->first(); item && *item; item = cursor->next()) {
        for (const std::byte byte : (*item)->value) sum += std::to_integer<std::size_t>(byte);
      }
    }
    return sum == 1 ? failure("not a likely sum") : Result<void>();
  };
  Random random(1);
  for (int round = 0; round < 2; ++round) {
    if (!lmdb->view(walk)) return;
    const auto updated = lmdb->update([&](const LmdbTransaction& transaction) -> Result<void> {
      LmdbBucket logs = transaction.bucket("logs");
      auto cursor = logs.cursor();
      if (!cursor) return std::unexpected(cursor.error());
      for (int i = 0; i < 30; ++i) {
        const auto last = cursor->last();
        if (!last || !*last) break;
        if (auto erased = cursor->erase(); !erased) return erased;
      }
      Log log{.first = 1 << 20, .end = 1 << 20};
      return log.change(random, transaction);
    });
    if (!updated) return;
  }
}

// Exercises each of these versions of a file in a child process, since LMDB may die of one. Returns
// the number of the version that it died of, or none.
std::optional<std::size_t> deadly_version(const std::vector<std::string>& versions) {
  const TemporaryDirectory temporary;
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const std::string path = temporary.path_of(std::to_string(i));
      replace_contents(path, versions[i]);
      exercise(path);
      std::filesystem::remove(path);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (std::filesystem::exists(temporary.path_of(std::to_string(i)))) return i;
  }
  return 0;  // it did not come to the first
}

TEST(LmdbCheck, MissingAndEmptyFilesAreNoDamage) {
  const TemporaryDirectory temporary;
  EXPECT_EQ(check_lmdb_file(temporary.path_of("raft.db")).value(), 0U);
  replace_contents(temporary.path_of("raft.db"), "");
  EXPECT_EQ(check_lmdb_file(temporary.path_of("raft.db")).value(), 0U);
}

TEST(LmdbCheck, FileThatCannotBeReadIsNoDamage) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path_of("raft.db");
  const auto error = [&] { return std::get<Error>(check_lmdb_file(path).error()).message; };
  // Not to be opened, even by root.
  std::filesystem::create_symlink("raft.db", path);
  EXPECT_EQ(error(), "cannot open " + path + ": Too many levels of symbolic links");
  std::filesystem::remove(path);
  // Opened, but not read.
  std::filesystem::create_directory(path);
  EXPECT_EQ(error(), "cannot read " + path + ": Is a directory");
}

TEST(LmdbCheck, PassesWhateverLmdbWrites) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TemporaryDirectory temporary;
    const std::string path = temporary.path_of("raft.db");
    Random random(seed);
    auto lmdb = open_file(path, Lmdb::Mode::kCreate);
    ASSERT_TRUE(lmdb) << lmdb.error().message;
    EXPECT_EQ(check_lmdb_file(path).value(), 1U);
    Log log;
    for (std::uint64_t transaction = 2; transaction <= 150; ++transaction) {
      ASSERT_TRUE(lmdb->update([&](const LmdbTransaction& t) { return log.change(random, t); }));
      const auto checked = check_lmdb_file(path);
      ASSERT_TRUE(checked) << "seed " << seed;
      EXPECT_EQ(*checked, transaction);
    }
  }
}

TEST(LmdbCheck, RefusesAFileThatIsCutShort) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path_of("raft.db");
  Random random(4);
  ASSERT_NO_FATAL_FAILURE(write_file(path, random, 20));
  const std::string whole = contents_of(path);
  for (std::size_t size = 1; size < 2 * kPageBytes; size += 97) {
    replace_contents(path, whole.substr(0, size));
    EXPECT_FALSE(check_lmdb_file(path)) << size;
  }
}

TEST(LmdbCheck, RefusesAMetaPageThatWasSetBack) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path_of("raft.db");
  Random random(5);
  // The last transaction, number 23 with the one that made the buckets, wrote meta page 1.
  ASSERT_NO_FATAL_FAILURE(write_file(path, random, 22));
  std::string contents = contents_of(path);
  char& number = contents[kPageBytes + 16 + 128];
  ASSERT_EQ(number, 23);
  number = 21;
  replace_contents(path, contents);
  EXPECT_FALSE(check_lmdb_file(path));
}

TEST(LmdbCheck, FlippedBitIsRefusedOrHarmless) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path_of("raft.db");
  Random random(6);
  ASSERT_NO_FATAL_FAILURE(write_file(path, random, 25));
  const std::string whole = contents_of(path);
  std::vector<std::string> accepted;
  std::vector<std::size_t> flipped_bits;
  for (int i = 0; i < 400; ++i) {
    // The first two pages describe the rest, and each page begins with what describes it.
    const std::size_t page_count = random.one_in(4) ? 2 : whole.size() / kPageBytes;
    const std::size_t page = random.below(page_count);
    const std::size_t offset = random.below(random.one_in(4) ? kPageBytes : 160);
    const std::size_t bit = random.below(8);
    std::string damaged = whole;
    damaged[page * kPageBytes + offset] ^= static_cast<char>(1 << bit);
    replace_contents(path, damaged);
    if (!check_lmdb_file(path)) continue;
    accepted.push_back(std::move(damaged));
    flipped_bits.push_back(8 * (page * kPageBytes + offset) + bit);
  }
  EXPECT_LT(accepted.size(), 360u);
  const std::optional<std::size_t> deadly = deadly_version(accepted);
  EXPECT_FALSE(deadly) << "bit " << flipped_bits[*deadly];
}

TEST(LmdbCheck, PageInAnothersPlaceIsRefusedOrHarmless) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path_of("raft.db");
  Random random(7);
  ASSERT_NO_FATAL_FAILURE(write_file(path, random, 25));
  const std::string whole = contents_of(path);
  const std::size_t page_count = whole.size() / kPageBytes;
  std::vector<std::string> accepted;
  for (int i = 0; i < 200; ++i) {
    const std::size_t from = random.below(page_count);
    const std::size_t to = random.below(page_count);
    std::string damaged = whole;
    damaged.replace(to * kPageBytes, kPageBytes, whole.substr(from * kPageBytes, kPageBytes));
    replace_contents(path, damaged);
    if (check_lmdb_file(path)) accepted.push_back(std::move(damaged));
  }
  EXPECT_LT(accepted.size(), 180u);
  EXPECT_FALSE(deadly_version(accepted));
}

}  // namespace
}  // namespace anchor::io
