#include "io/log_store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "core/codec/recovery.h"
#include "io/lmdb_check.h"

namespace anchor::io {
namespace {

constexpr std::string_view kDatabaseFile = "raft.db";
constexpr std::string_view kNewDatabaseFile = "raft.db.new";
constexpr std::string_view kNewDatabaseLockFile = "raft.db.new-lock";
constexpr std::string_view kHardStateFile = "hardstate";

constexpr std::string_view kLogs = "logs";
constexpr std::string_view kStable = "stable";

constexpr std::string_view kFormatVersionKey = "formatVersion";
constexpr std::uint64_t kFormatVersion = 1;
// Term, vote and identity are one value, where bbolt users may look for a key each: they change
// together, one checksum covers them, and the second copy in "hardstate" has the same bytes.
constexpr std::string_view kStateKey = "state";
// Of a member that joined: what it was told of the members.
constexpr std::string_view kMembershipKey = "membership";

// Big-endian, so that the order of the bytes is that of the numbers.
using NumberBytes = std::array<std::byte, 8>;
NumberBytes to_big_endian(std::uint64_t number) {
  NumberBytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(number >> (56 - 8 * i));
  return bytes;
}
// Requires: 8 bytes.
std::uint64_t from_big_endian(ByteView bytes) {
  std::uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

Result<void> put_stable_state(const LmdbTransaction& transaction, const codec::StableState& state) {
  return transaction.bucket(kStable).put(as_bytes(kStateKey),
                                         codec::encode_stable_state(state).view());
}

Result<void> append_entry(LmdbBucket& logs, raft::ClusterId cluster_id, const raft::Entry& entry) {
  return logs.append(to_big_endian(entry.index.value()),
                     codec::encode_log_record(cluster_id, entry).view());
}

// From the end, as what is cut is the tail.
Result<void> truncate(const LmdbBucket& logs, raft::Index from) {
  Result<LmdbCursor> cursor = logs.cursor();
  if (!cursor) return std::unexpected(cursor.error());
  const NumberBytes first = to_big_endian(from.value());
  while (true) {
    const Result<std::optional<LmdbItem>> last = cursor->last();
    if (!last) return std::unexpected(last.error());
    if (!*last || as_text((*last)->key) < as_text(first)) return {};
    if (Result<void> erased = cursor->erase(); !erased) return erased;
  }
}

Result<void> check_format_version(const LmdbTransaction& transaction) {
  const Result<std::optional<ByteView>> version =
      transaction.bucket(kStable).get(as_bytes(kFormatVersionKey));
  if (!version) return std::unexpected(version.error());
  if (!*version || (*version)->size() != sizeof(kFormatVersion)) {
    return codec::refusal("the format version is missing");
  }
  const std::uint64_t number = from_big_endian(**version);
  if (number == kFormatVersion) return {};
  return failure("it has format version " + std::to_string(number) + "; this anchor knows " +
                 std::to_string(kFormatVersion));
}

Result<void> read_records(const LmdbBucket& logs, std::vector<codec::StoredRecord>& records) {
  Result<LmdbCursor> cursor = logs.cursor();
  if (!cursor) return std::unexpected(cursor.error());
  Result<std::optional<LmdbItem>> item = cursor->first();
  for (; item && *item; item = cursor->next()) {
    if ((*item)->key.size() != sizeof(NumberBytes)) {
      return codec::refusal("a key of the log is no index");
    }
    records.push_back({raft::Index(from_big_endian((*item)->key)), Bytes::copy_of((*item)->value)});
  }
  if (!item) return std::unexpected(item.error());
  return {};
}

Result<codec::StoredMember> read_member(const DataDirectory& directory, const Lmdb& database) {
  codec::StoredMember stored;
  Result<std::optional<Bytes>> file = directory.read_file(kHardStateFile);
  if (!file) return std::unexpected(file.error());
  stored.hard_state_file = *std::move(file);
  const Result<void> viewed = database.view([&](const LmdbTransaction& transaction) {
    Result<void> read = check_format_version(transaction);
    if (!read) return read;
    const Result<std::optional<ByteView>> state =
        transaction.bucket(kStable).get(as_bytes(kStateKey));
    if (!state) return Result<void>(std::unexpected(state.error()));
    if (*state) stored.stable_state = Bytes::copy_of(**state);
    const Result<std::optional<ByteView>> membership =
        transaction.bucket(kStable).get(as_bytes(kMembershipKey));
    if (!membership) return Result<void>(std::unexpected(membership.error()));
    if (*membership) stored.membership = Bytes::copy_of(**membership);
    return read_records(transaction.bucket(kLogs), stored.records);
  });
  if (!viewed) return std::unexpected(viewed.error());
  return stored;
}

Result<Lmdb> open_database(const DataDirectory& directory, std::string_view name, Lmdb::Mode mode) {
  return Lmdb::open(directory.path_of(name), mode, {std::string(kLogs), std::string(kStable)});
}

// A whole database under a temporary name. `fill` puts in what the member begins with.
template <typename Fill>
Result<void> write_new_database(const DataDirectory& directory, const codec::StableState& initial,
                                const Fill& fill) {
  for (const std::string_view leftover : {kNewDatabaseFile, kNewDatabaseLockFile}) {
    if (Result<void> removed = directory.remove_file(leftover); !removed) return removed;
  }
  Result<Lmdb> database = open_database(directory, kNewDatabaseFile, Lmdb::Mode::kCreate);
  if (!database) return std::unexpected(database.error());
  return database->update([&](const LmdbTransaction& transaction) {
    Result<void> done =
        transaction.bucket(kStable).put(as_bytes(kFormatVersionKey), to_big_endian(kFormatVersion));
    if (done) done = put_stable_state(transaction, initial);
    if (done) done = fill(transaction);
    return done;
  });
}

// The database comes last and whole, by a rename: where it is, all else is.
template <typename Fill>
Result<void> make_member(const DataDirectory& directory, const codec::StableState& initial,
                         const Fill& fill) {
  ANCHOR_ASSERT(initial.boot == raft::Boot());
  Result<void> done =
      directory.write_file_durably(kHardStateFile, codec::new_hard_state_file(initial).view());
  if (done) done = write_new_database(directory, initial, fill);
  if (done) done = directory.remove_file(kNewDatabaseLockFile);
  if (done) done = directory.rename_file(kNewDatabaseFile, kDatabaseFile);
  return done;
}

}  // namespace

Result<HardStateCopy> HardStateCopy::open(const DataDirectory& directory,
                                          const codec::StableState& state) {
  const Result<std::optional<Bytes>> bytes = directory.read_file(kHardStateFile);
  if (!bytes) return std::unexpected(bytes.error());
  const Result<codec::HardStateFile> old =
      *bytes ? codec::read_hard_state_file(**bytes) : failure("there is none");
  if (!old) {
    const Result<void> written =
        directory.write_file_durably(kHardStateFile, codec::new_hard_state_file(state).view());
    if (!written) return std::unexpected(written.error());
  }
  Result<File> file = File::open(directory.path_of(kHardStateFile), O_RDWR);
  if (!file) return std::unexpected(file.error());
  HardStateCopy copy(*std::move(file), old ? old->next : codec::kSecondHardStateSlot);
  if (old) {
    if (const Result<void> written = copy.write(state); !written) {
      return std::unexpected(written.error());
    }
  }
  return copy;
}

Result<void> HardStateCopy::write(const codec::StableState& state) {
  const codec::HardStateWrite slot = codec::write_hard_state_slot(next_, state);
  if (Result<void> written = file_.write_at(slot.offset, slot.bytes.view()); !written) {
    return written;
  }
  if (Result<void> synced = file_.sync(); !synced) return synced;
  next_ = next_.next();
  return {};
}

LogStore::LogStore(Lmdb database, HardStateCopy copy, const raft::Recovered& recovered)
    : database_(std::move(database)),
      copy_(std::move(copy)),
      stable_(codec::stable_state_of(recovered)),
      last_index_(recovered.base.index + recovered.entries.size()) {}

Result<std::optional<OpenedLogStore>> LogStore::open(const DataDirectory& directory) {
  const auto transaction = check_lmdb_file(directory.path_of(kDatabaseFile));
  if (!transaction) {
    const auto* damage = std::get_if<LmdbDamage>(&transaction.error());
    if (damage != nullptr) return codec::refusal(damage->message);
    // It may be whole, and readable tomorrow: nobody is told to give it up.
    return std::unexpected(std::get<Error>(transaction.error()));
  }
  if (*transaction > 0) {
    Result<OpenedLogStore> opened = open_member(directory);
    if (!opened) return std::unexpected(opened.error());
    return *std::move(opened);
  }
  const Result<std::optional<Bytes>> file = directory.read_file(kHardStateFile);
  if (!file) return std::unexpected(file.error());
  if (!*file) return std::nullopt;
  // A creation that was cut short: nothing was said yet in this member's name.
  const Result<codec::HardStateFile> state = codec::read_hard_state_file(**file);
  if (state && state->state.boot == raft::Boot()) return std::nullopt;
  return codec::refusal(directory.path_of(kDatabaseFile) +
                        " is missing or empty, though hardstate shows that this is a member's "
                        "directory");
}

Result<OpenedLogStore> LogStore::open_member(const DataDirectory& directory) {
  Result<Lmdb> database = open_database(directory, kDatabaseFile, Lmdb::Mode::kOpen);
  if (!database) return std::unexpected(database.error());
  const Result<codec::StoredMember> stored = read_member(directory, *database);
  if (!stored) return std::unexpected(stored.error());
  Result<SnapshotFiles> snapshots = SnapshotFiles::open(directory.path());
  if (!snapshots) return std::unexpected(snapshots.error());
  Result<codec::RecoveredMember> member = codec::recover(*stored, *snapshots);
  if (!member) return std::unexpected(member.error());

  // This start is counted in both copies before anybody hears of it.
  const codec::StableState stable = codec::stable_state_of(member->raft);
  const Result<void> counted =
      database->update([&](const LmdbTransaction& transaction) -> Result<void> {
        if (member->records_obsolete) {
          if (auto cut = truncate(transaction.bucket(kLogs), raft::Index()); !cut) return cut;
        }
        return put_stable_state(transaction, stable);
      });
  if (!counted) return std::unexpected(counted.error());
  Result<HardStateCopy> copy = HardStateCopy::open(directory, stable);
  if (!copy) return std::unexpected(copy.error());

  std::unique_ptr<LogStore> store(
      new LogStore(*std::move(database), *std::move(copy), member->raft));
  return OpenedLogStore{std::move(store), std::move(member->raft), std::move(member->store),
                        *std::move(snapshots), std::move(member->damaged_snapshots)};
}

Result<OpenedLogStore> LogStore::create(const DataDirectory& directory,
                                        const codec::StableState& initial,
                                        std::span<const raft::Entry> entries) {
  const Result<void> made =
      make_member(directory, initial, [&](const LmdbTransaction& transaction) -> Result<void> {
        LmdbBucket logs = transaction.bucket(kLogs);
        for (const raft::Entry& entry : entries) {
          if (auto done = append_entry(logs, initial.cluster_id, entry); !done) return done;
        }
        return {};
      });
  if (!made) return std::unexpected(made.error());
  return open_member(directory);
}

Result<OpenedLogStore> LogStore::create_joiner(const DataDirectory& directory,
                                               const codec::StableState& initial,
                                               const raft::Configuration& members) {
  ANCHOR_ASSERT(members.has(initial.self) && initial.hard_state == raft::HardState());
  const Result<void> made =
      make_member(directory, initial, [&](const LmdbTransaction& transaction) {
        const Bytes record = codec::encode_membership(initial.cluster_id, members);
        return transaction.bucket(kStable).put(as_bytes(kMembershipKey), record.view());
      });
  if (!made) return std::unexpected(made.error());
  return open_member(directory);
}

Result<void> LogStore::commit(std::span<const raft::PersistBatch> batches) {
  if (broken_) return std::unexpected(*broken_);
  const Result<void> written = write(batches);
  if (!written) broken_ = written.error();
  return written;
}

Result<void> LogStore::write(std::span<const raft::PersistBatch> batches) {
  codec::StableState stable = stable_;
  for (const raft::PersistBatch& batch : batches) {
    if (batch.hard_state) stable.hard_state = *batch.hard_state;
  }
  ANCHOR_ASSERT(!codec::more_recent(stable_, stable));
  const bool compacting = compact_to_ != raft::Index();
  const Result<void> committed =
      database_.update([&](const LmdbTransaction& transaction) -> Result<void> {
        LmdbBucket logs = transaction.bucket(kLogs);
        for (const raft::PersistBatch& batch : batches) {
          if (Result<void> done = write_batch(logs, batch); !done) return done;
        }
        std::size_t appended = 0;
        for (const raft::PersistBatch& batch : batches) appended += batch.entries.size();
        if (Result<void> done = compact(logs, appended); !done) return done;
        if (stable == stable_) return {};
        return put_stable_state(transaction, stable);
      });
  if (compacting && compact_to_ == raft::Index()) database_.release_pages();
  if (!committed || stable == stable_) return committed;

  // After the database, never before: whichever is older has then missed a write.
  if (Result<void> copied = copy_.write(stable); !copied) return copied;
  stable_ = std::move(stable);
  return {};
}

Result<void> LogStore::write_batch(LmdbBucket& logs, const raft::PersistBatch& batch) {
  if (batch.truncate_from && *batch.truncate_from <= last_index_) {
    if (Result<void> cut = truncate(logs, *batch.truncate_from); !cut) return cut;
    last_index_ = batch.truncate_from->previous();
  }
  if (batch.compact_to) compact_to_ = std::max(compact_to_, *batch.compact_to);
  if (batch.begins_anew) {
    if (Result<void> cut = truncate(logs, raft::Index()); !cut) return cut;
    last_index_ = compact_to_;
  }
  ANCHOR_ASSERT(last_index_ >= compact_to_);
  for (const raft::Entry& entry : batch.entries) {
    ANCHOR_ASSERT(entry.index == last_index_.next());
    if (Result<void> done = append_entry(logs, stable_.cluster_id, entry); !done) return done;
    last_index_ = entry.index;
  }
  return {};
}

// A long part of the log all at once would hold up the writes behind it. But more goes than comes,
// or the file would grow.
Result<void> LogStore::compact(LmdbBucket& logs, std::size_t appended) {
  const std::size_t most = 512 + 2 * appended;
  if (compact_to_ == raft::Index()) return {};
  Result<LmdbCursor> cursor = logs.cursor();
  if (!cursor) return std::unexpected(cursor.error());
  const NumberBytes end = to_big_endian(compact_to_.value());
  for (std::size_t count = 0; count < most; ++count) {
    const Result<std::optional<LmdbItem>> first = cursor->first();
    if (!first) return std::unexpected(first.error());
    if (!*first || as_text((*first)->key) > as_text(end)) {
      compact_to_ = {};
      return {};
    }
    if (Result<void> erased = cursor->erase(); !erased) return erased;
  }
  return {};
}

}  // namespace anchor::io
