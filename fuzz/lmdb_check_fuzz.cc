// A member's database with bytes changed here and there. Whatever passes the check LMDB must be
// able to read and to write without dying of it; what it then says is another matter, for which
// there are checksums.

#include "io/lmdb_check.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/random.h"
#include "fuzz/round_trip.h"
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

// A log's life: entries are appended, some of them large, and now and then the tail goes.
Result<void> change_log(const LmdbTransaction& transaction, Random& random) {
  LmdbBucket logs = transaction.bucket("logs");
  auto cursor = logs.cursor();
  if (!cursor) return std::unexpected(cursor.error());
  for (std::uint64_t count = random.below(20); count > 0; --count) {
    const auto last = cursor->last();
    if (!last || !*last) break;
    if (auto erased = cursor->erase(); !erased) return erased;
  }
  const auto last = cursor->last();
  if (!last) return std::unexpected(last.error());
  std::uint64_t end = 1;
  if (*last) {
    for (const std::byte byte : (*last)->key) end = end << 8 | std::to_integer<std::uint64_t>(byte);
    ++end;
  }
  for (std::uint64_t count = random.below(40); count > 0; --count) {
    const std::string value(random.below(random.one_in(20) ? 9000 : 300), 'v');
    const auto done = logs.append(as_bytes(number_key(end++)), as_bytes(value));
    if (!done) return done;
  }
  return transaction.bucket("stable").put(as_bytes("state"), as_bytes("some state"));
}

Result<void> read_all(const LmdbTransaction& transaction) {
  std::uint32_t checksum = 0;
  for (const char* bucket : {"logs", "stable"}) {
    auto cursor = transaction.bucket(bucket).cursor();
    if (!cursor) return std::unexpected(cursor.error());
    for (auto item = cursor->first(); item && *item; item = cursor->next()) {
      checksum = crc32c((*item)->key, crc32c((*item)->value, checksum));
    }
  }
  return checksum == 1 ? failure("not a likely checksum") : Result<void>();
}

// Errors are fine.
void exercise(const std::string& path, Lmdb::Mode mode, int transactions) {
  auto lmdb = Lmdb::open(path, mode, {"logs", "stable"});
  if (!lmdb) return;
  Random random(1);
  for (int i = 0; i < transactions; ++i) {
    if (!lmdb->view(read_all)) return;
    if (!lmdb->update([&](const auto& transaction) { return change_log(transaction, random); })) {
      return;
    }
  }
}

class Target {
 public:
  Target() : path_(temporary_.path_of("raft.db")) {
    exercise(path_, Lmdb::Mode::kCreate, 25);
    std::ifstream file(path_, std::ios::binary);
    sound_.assign(std::istreambuf_iterator<char>(file), {});
    ANCHOR_ASSERT(check_lmdb_file(path_).has_value());
  }

  // Each change is a page (1 byte), an offset in it (2) and the bytes' new value (2). A page's
  // first part describes the rest, and so is hit as often as all the rest.
  void run(ByteView input) {
    constexpr std::size_t kChangeBytes = 5;
    std::string damaged = sound_;
    for (; input.size() >= kChangeBytes; input = input.subspan(kChangeBytes)) {
      const auto number = [&](std::size_t i) { return std::to_integer<std::size_t>(input[i]); };
      const std::size_t page = number(0) % (damaged.size() / kPageBytes);
      std::size_t offset = number(1) << 8 | number(2);
      offset = offset % 2 == 0 ? offset / 2 % 256 : offset / 2 % (kPageBytes - 1);
      damaged[page * kPageBytes + offset] = static_cast<char>(number(3));
      damaged[page * kPageBytes + offset + 1] = static_cast<char>(number(4));
    }
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << damaged;
    if (check_lmdb_file(path_)) exercise(path_, Lmdb::Mode::kOpen, 2);
  }

 private:
  TemporaryDirectory temporary_;
  std::string path_;
  std::string sound_;
};

}  // namespace
}  // namespace anchor::io

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static anchor::io::Target target;
  target.run(anchor::fuzz::as_view(data, size));
  return 0;
}
