#pragma once

#include <lmdb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace anchor::io {

struct LmdbItem {
  ByteView key;
  ByteView value;
};

// A place in a bucket, whose keys are in byte order. Must not outlive its transaction; what it
// returns is valid until the transaction next changes something, or ends. None: there is no more.
class LmdbCursor {
 public:
  Result<std::optional<LmdbItem>> first() { return move(MDB_FIRST, {}); }
  Result<std::optional<LmdbItem>> last() { return move(MDB_LAST, {}); }
  Result<std::optional<LmdbItem>> next() { return move(MDB_NEXT, {}); }
  Result<std::optional<LmdbItem>> previous() { return move(MDB_PREV, {}); }
  // The first item whose key is not before `key`.
  Result<std::optional<LmdbItem>> seek(ByteView key) { return move(MDB_SET_RANGE, key); }
  // The item that the cursor stands at. Requires: it stands at one.
  Result<void> erase();

 private:
  friend class LmdbBucket;
  struct Close {
    void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
  };
  explicit LmdbCursor(MDB_cursor* cursor) : cursor_(cursor) {}
  Result<std::optional<LmdbItem>> move(MDB_cursor_op operation, ByteView key);

  std::unique_ptr<MDB_cursor, Close> cursor_;
};

// Keys and values under a name, within a transaction. Keys are of 1 to 511 bytes.
class LmdbBucket {
 public:
  Result<std::optional<ByteView>> get(ByteView key) const;
  Result<void> put(ByteView key, ByteView value);
  // Requires: `key` sorts after every other, or it is an error. Fills pages to the brim, where
  // `put` leaves them half full.
  Result<void> append(ByteView key, ByteView value);
  // True if there was one.
  Result<bool> erase(ByteView key);
  Result<LmdbCursor> cursor() const;

 private:
  friend class LmdbTransaction;
  LmdbBucket(MDB_txn* transaction, MDB_dbi handle) : transaction_(transaction), handle_(handle) {}
  Result<void> put(ByteView key, ByteView value, unsigned flags);

  MDB_txn* transaction_;
  MDB_dbi handle_;
};

class Lmdb;

class LmdbTransaction {
 public:
  // Requires: the environment was opened with it.
  LmdbBucket bucket(std::string_view name) const;

 private:
  friend class Lmdb;
  LmdbTransaction(const Lmdb& environment, MDB_txn* transaction)
      : environment_(environment), transaction_(transaction) {}

  const Lmdb& environment_;
  MDB_txn* transaction_;
};

// An LMDB environment in one file, in the shape of bbolt: named buckets, and transactions that are
// functions. Every commit is synchronous: when `update` has returned, the disk has it. LMDB
// believes what the file says and may crash on a damaged one: see lmdb_check.h.
class Lmdb {
 public:
  enum class Mode {
    kOpen,    // file and buckets exist
    kCreate,  // what is missing is made
  };
  static Result<Lmdb> open(const std::string& path, Mode mode,
                           const std::vector<std::string>& buckets);

  // Commits what `body` did, unless that returns an error. One at a time.
  using Body = std::function<Result<void>(const LmdbTransaction&)>;
  Result<void> update(const Body& body);
  // A snapshot to read. Keep it short: it holds back pages that updates would use again.
  Result<void> view(const Body& body) const;

  // Lets go of what was read of the file, which else counts as this process's memory for ever; now
  // and then an update does, and each view. Not within one.
  void release_pages() const;

 private:
  friend class LmdbTransaction;
  struct Close {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
  };
  struct OpenBucket {
    std::string name;
    MDB_dbi handle;
  };

  Lmdb(std::unique_ptr<MDB_env, Close> environment, std::string path)
      : environment_(std::move(environment)), path_(std::move(path)) {}
  Result<void> open_buckets(Mode mode, const std::vector<std::string>& names);
  Result<void> run(unsigned flags, const std::function<Result<void>(MDB_txn*)>& body) const;

  std::unique_ptr<MDB_env, Close> environment_;
  std::string path_;
  std::vector<OpenBucket> buckets_;
  std::uint64_t updates_ = 0;
  void* map_ = nullptr;  // of the file; null: unknown
};

}  // namespace anchor::io
