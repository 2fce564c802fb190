#include "io/lmdb.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

// Address space, not disk: the file grows as it is written, and the log is bounded far below.
constexpr std::size_t kMapBytes = std::size_t{64} << 30;
constexpr unsigned kLargestBucketCount = 16;
constexpr mdb_mode_t kOwnerOnly = 0600;

std::unexpected<Error> lmdb_failure(std::string_view what, int code) {
  return failure(std::string(what) + ": " + mdb_strerror(code));
}

// LMDB calls a write that is cut short an input/output error, and so says nothing of a full disk.
std::string if_full(const std::string& path) {
  constexpr std::uint64_t kTooLittleBytes = 64 << 10;
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return {};
  return disk.f_bavail * disk.f_frsize < kTooLittleBytes ? " (the disk is full)" : "";
}

// LMDB takes what it only reads without const.
MDB_val to_value(ByteView bytes) {
  return {.mv_size = bytes.size(), .mv_data = const_cast<std::byte*>(bytes.data())};
}

ByteView to_view(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

// Where the file is mapped, which LMDB tells only of maps at a fixed address. Null: unknown.
void* find_map(MDB_env* environment) {
  mdb_filehandle_t file = -1;
  struct stat status{};
  if (mdb_env_get_fd(environment, &file) != 0 || ::fstat(file, &status) != 0) return nullptr;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // start-end permissions offset device inode path
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t inode = 0;
    char dash = 0;
    std::string permissions;
    std::string offset;
    std::string device;
    std::istringstream fields(line);
    fields >> std::hex >> start >> dash >> end >> permissions >> offset >> device;
    fields >> std::dec >> inode;
    if (fields && inode == status.st_ino && end - start == kMapBytes) {
      return reinterpret_cast<void*>(start);
    }
  }
  return nullptr;
}

}  // namespace

Result<std::optional<LmdbItem>> LmdbCursor::move(MDB_cursor_op operation, ByteView key) {
  MDB_val found_key = to_value(key);
  MDB_val found_value{};
  const int code = mdb_cursor_get(cursor_.get(), &found_key, &found_value, operation);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return lmdb_failure("cannot read by a cursor", code);
  return LmdbItem{to_view(found_key), to_view(found_value)};
}

Result<void> LmdbCursor::erase() {
  const int code = mdb_cursor_del(cursor_.get(), 0);
  if (code != 0) return lmdb_failure("cannot erase by a cursor", code);
  return {};
}

Result<std::optional<ByteView>> LmdbBucket::get(ByteView key) const {
  MDB_val key_value = to_value(key);
  MDB_val found{};
  const int code = mdb_get(transaction_, handle_, &key_value, &found);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return lmdb_failure("cannot read", code);
  return to_view(found);
}

Result<void> LmdbBucket::put(ByteView key, ByteView value) {
  return put(key, value, 0);
}

Result<void> LmdbBucket::append(ByteView key, ByteView value) {
  return put(key, value, MDB_APPEND);
}

Result<void> LmdbBucket::put(ByteView key, ByteView value, unsigned flags) {
  MDB_val key_value = to_value(key);
  MDB_val data = to_value(value);
  const int code = mdb_put(transaction_, handle_, &key_value, &data, flags);
  if (code != 0) return lmdb_failure("cannot write", code);
  return {};
}

Result<bool> LmdbBucket::erase(ByteView key) {
  MDB_val key_value = to_value(key);
  const int code = mdb_del(transaction_, handle_, &key_value, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_failure("cannot erase", code);
  return true;
}

Result<LmdbCursor> LmdbBucket::cursor() const {
  MDB_cursor* cursor = nullptr;
  const int code = mdb_cursor_open(transaction_, handle_, &cursor);
  if (code != 0) return lmdb_failure("cannot open a cursor", code);
  return LmdbCursor(cursor);
}

LmdbBucket LmdbTransaction::bucket(std::string_view name) const {
  for (const Lmdb::OpenBucket& bucket : environment_.buckets_) {
    if (bucket.name == name) return {transaction_, bucket.handle};
  }
  assertion_failed(__FILE__, __LINE__, "the environment was opened with this bucket", name);
}

Result<Lmdb> Lmdb::open(const std::string& path, Mode mode,
                        const std::vector<std::string>& buckets) {
  MDB_env* created = nullptr;
  if (const int code = mdb_env_create(&created)) {
    return lmdb_failure("cannot create an LMDB environment", code);
  }
  Lmdb lmdb({created, {}}, path);
  mdb_env_set_maxdbs(created, kLargestBucketCount);
  if (const int code = mdb_env_set_mapsize(created, kMapBytes)) {
    return lmdb_failure("cannot size the map of " + path, code);
  }
  // MDB_NOTLS: a read transaction belongs to its object and not to the thread, since the thread
  // that opens is not the one that commits.
  if (const int code = mdb_env_open(created, path.c_str(), MDB_NOSUBDIR | MDB_NOTLS, kOwnerOnly)) {
    return lmdb_failure("cannot open " + path, code);
  }
  // A reader that was killed still holds back every page that was freed after it began.
  int dead_reader_count = 0;
  if (const int code = mdb_reader_check(created, &dead_reader_count)) {
    return lmdb_failure("cannot clear the readers of " + path, code);
  }
  lmdb.map_ = find_map(created);
  if (const Result<void> opened = lmdb.open_buckets(mode, buckets); !opened) {
    return std::unexpected(opened.error());
  }
  return lmdb;
}

Result<void> Lmdb::open_buckets(Mode mode, const std::vector<std::string>& names) {
  const bool create = mode == Mode::kCreate;
  return run(create ? 0 : MDB_RDONLY, [&](MDB_txn* transaction) -> Result<void> {
    for (const std::string& name : names) {
      MDB_dbi handle = 0;
      const int code = mdb_dbi_open(transaction, name.c_str(), create ? MDB_CREATE : 0, &handle);
      if (code != 0) return lmdb_failure("cannot open the bucket " + name, code);
      buckets_.push_back({name, handle});
    }
    return {};
  });
}

Result<void> Lmdb::update(const Body& body) {
  constexpr std::uint64_t kCommits = 64;
  if (++updates_ % kCommits == 0) release_pages();
  return run(0, [&](MDB_txn* transaction) { return body(LmdbTransaction(*this, transaction)); });
}

Result<void> Lmdb::view(const Body& body) const {
  auto viewed = run(
      MDB_RDONLY, [&](MDB_txn* transaction) { return body(LmdbTransaction(*this, transaction)); });
  release_pages();
  return viewed;
}

// The file's pages stay in the kernel's cache, to be mapped again when they are wanted.
void Lmdb::release_pages() const {
  // It is advice: nothing depends on its being taken.
  if (map_ != nullptr) static_cast<void>(::madvise(map_, kMapBytes, MADV_DONTNEED));
}

Result<void> Lmdb::run(unsigned flags, const std::function<Result<void>(MDB_txn*)>& body) const {
  MDB_txn* transaction = nullptr;
  if (const int code = mdb_txn_begin(environment_.get(), nullptr, flags, &transaction)) {
    return lmdb_failure("cannot begin a transaction on " + path_, code);
  }
  if (const Result<void> done = body(transaction); !done) {
    mdb_txn_abort(transaction);
    return failure(path_ + ": " + done.error().message);
  }
  // Also a reader is committed, which ends it: handles of buckets opened in it stay open.
  if (const int code = mdb_txn_commit(transaction)) {
    return lmdb_failure("cannot commit to " + path_ + if_full(path_), code);
  }
  return {};
}

}  // namespace anchor::io
