#include "core/kv/command.h"
#include "core/kv/item_codec.h"
#include "core/wire/flat_message.h"
#include "proto/command.capnp.h"

// Answers to bytes and back: as a leader sends them to where a command came from, and as a session
// keeps them.
namespace anchor::kv {
namespace {

// --- To bytes -----------------------------------------------------------------------------------

struct OperationResultWriter {
  proto::OperationResult::Builder builder;
  void operator()(const PutResult& put) {
    auto to = builder.initPut();
    if (put.previous) write_item(to.initPrevious(), *put.previous);
  }
  void operator()(const DeleteResult& erase) {
    auto to = builder.initDelete();
    to.setDeleted(erase.deleted);
    write_items(to.initPrevious(static_cast<unsigned>(erase.previous.size())), erase.previous);
  }
  void operator()(const GetResult& get) {
    auto to = builder.initGet();
    write_items(to.initItems(static_cast<unsigned>(get.items.size())), get.items);
    to.setCount(get.count);
    to.setMore(get.more);
    to.setKeysOnly(get.keys_only);
  }
};

struct ResultWriter {
  proto::CommandResult::Builder builder;
  void operator()(const PutDone& done) {
    auto to = builder.initPutDone();
    to.setRevision(done.revision.value());
    if (done.previous) write_item(to.initPrevious(), *done.previous);
    to.setLease(done.lease.value());
  }
  void operator()(const DeleteDone& done) {
    auto to = builder.initDeleteDone();
    to.setRevision(done.revision.value());
    to.setDeleted(done.deleted);
    if (done.previous) write_item(to.initPrevious(), *done.previous);
  }
  void operator()(const RangeDeleted& done) {
    auto to = builder.initRangeDeleted();
    to.setRevision(done.revision.value());
    to.setDeleted(done.deleted);
  }
  void operator()(const TransactionDone& done) {
    auto to = builder.initTransactionDone();
    to.setRevision(done.revision.value());
    to.setSucceeded(done.succeeded);
    auto results = to.initResults(static_cast<unsigned>(done.results.size()));
    for (unsigned i = 0; i < results.size(); ++i) {
      std::visit(OperationResultWriter{results[i]}, done.results[i]);
    }
  }
  void operator()(const ConditionFailed& failed) {
    auto to = builder.initConditionFailed();
    to.setRevision(failed.revision.value());
    to.setModRevision(failed.mod_revision.value());
  }
  void operator()(const LeaseGranted& granted) {
    auto to = builder.initLeaseGranted();
    to.setLease(granted.id.value());
    to.setTtlUs(static_cast<std::uint64_t>(granted.ttl.count()));
  }
  void operator()(const LeaseRevoked& revoked) {
    auto to = builder.initLeaseRevoked();
    to.setRevision(revoked.revision.value());
    to.setDeleted(revoked.deleted);
  }
  void operator()(const LeasesExpired& expired) {
    auto to = builder.initLeasesExpired();
    to.setRevision(expired.revision.value());
    to.setCount(expired.count);
    to.setDeleted(expired.deleted);
  }
  void operator()(const LeaseUnknown&) { builder.setLeaseUnknown(); }
  void operator()(const LeasesFull&) { builder.setLeasesFull(); }
  void operator()(const SessionOpened& opened) {
    auto to = builder.initSessionOpened();
    to.setSession(opened.id.value());
    to.setTtlUs(static_cast<std::uint64_t>(opened.ttl.count()));
  }
  void operator()(const SessionClosed&) { builder.setSessionClosed(); }
  void operator()(const SessionsExpired& expired) { builder.setSessionsExpired(expired.count); }
  void operator()(const SettingsChanged& changed) {
    write_settings(builder.initSettingsChanged(static_cast<unsigned>(kSettings.size())),
                   changed.settings);
  }
  void operator()(const DigestNoted& noted) {
    auto to = builder.initDigestNoted();
    to.setNumber(noted.number);
    to.setDigest(noted.digest);
  }
  void operator()(const DigestJudged& judged) {
    builder.setDigestJudged(static_cast<proto::DigestVerdict>(judged.verdict));
  }
  void operator()(const OverQuota& over) { builder.setOverQuota(over.revision.value()); }
  void operator()(const SessionUnknown&) { builder.setSessionUnknown(); }
  void operator()(const SessionExpired&) { builder.setSessionExpired(); }
  void operator()(const SessionOutOfOrder& order) {
    builder.setSessionOutOfOrder(order.last_sequence);
  }
  void operator()(const SessionsFull&) { builder.setSessionsFull(); }
  void operator()(const ResultTooLarge&) { builder.setResultTooLarge(); }
  void operator()(const InvalidCommand&) { builder.setInvalidCommand(); }
};

std::size_t size_bytes(const ItemRef& item) {
  return item ? written_bytes(*item) : 0;
}

std::size_t size_bytes(const std::vector<ItemRef>& items) {
  std::size_t size = 16;
  for (const ItemRef& item : items) size += size_bytes(item);
  return size;
}

}  // namespace

std::size_t result_bytes(const CommandResult& result) {
  if (const auto* put = std::get_if<PutDone>(&result)) return size_bytes(put->previous);
  if (const auto* erase = std::get_if<DeleteDone>(&result)) return size_bytes(erase->previous);
  if (std::holds_alternative<SettingsChanged>(result)) return 64 * kSettings.size();
  const auto* done = std::get_if<TransactionDone>(&result);
  if (done == nullptr) return 0;
  std::size_t size = 0;
  for (const OperationResult& each : done->results) {
    constexpr std::size_t kFixed = 48;
    size += kFixed;
    if (const auto* put = std::get_if<PutResult>(&each)) size += size_bytes(put->previous);
    if (const auto* erase = std::get_if<DeleteResult>(&each)) size += size_bytes(erase->previous);
    if (const auto* get = std::get_if<GetResult>(&each)) size += size_bytes(get->items);
  }
  return size;
}

namespace {

// --- From bytes ---------------------------------------------------------------------------------

Result<OperationResult> read_operation_result(proto::OperationResult::Reader from) {
  switch (from.which()) {
    case proto::OperationResult::PUT: {
      const auto put = from.getPut();
      return PutResult{put.hasPrevious() ? read_item(put.getPrevious()) : ItemRef()};
    }
    case proto::OperationResult::DELETE: {
      const auto erase = from.getDelete();
      return DeleteResult{erase.getDeleted(), read_items(erase.getPrevious())};
    }
    case proto::OperationResult::GET: {
      const auto get = from.getGet();
      return GetResult{.items = read_items(get.getItems()),
                       .count = get.getCount(),
                       .more = get.getMore(),
                       .keys_only = get.getKeysOnly()};
    }
  }
  return failure("an operation's result is of a kind that this version does not know");
}

Result<CommandResult> read_transaction(proto::CommandResult::TransactionDone::Reader from) {
  TransactionDone done{.revision = Revision(from.getRevision()), .succeeded = from.getSucceeded()};
  for (const auto& each : from.getResults()) {
    auto result = read_operation_result(each);
    if (!result) return std::unexpected(result.error());
    done.results.push_back(*std::move(result));
  }
  return done;
}

Result<CommandResult> read_digest_judged(proto::CommandResult::Reader from) {
  const auto verdict = static_cast<DigestVerdict>(from.getDigestJudged());
  if (verdict > DigestVerdict::kObsolete) {
    return failure("a digest's verdict is of a kind that this version does not know");
  }
  return DigestJudged{verdict};
}

// Requires: it is one of these.
CommandResult read_lease_result(proto::CommandResult::Reader from) {
  switch (from.which()) {
    case proto::CommandResult::LEASE_GRANTED: {
      const auto granted = from.getLeaseGranted();
      return LeaseGranted{LeaseId(granted.getLease()),
                          Duration(static_cast<Duration::rep>(granted.getTtlUs()))};
    }
    case proto::CommandResult::LEASE_REVOKED: {
      const auto revoked = from.getLeaseRevoked();
      return LeaseRevoked{Revision(revoked.getRevision()), revoked.getDeleted()};
    }
    case proto::CommandResult::LEASES_EXPIRED: {
      const auto expired = from.getLeasesExpired();
      return LeasesExpired{.revision = Revision(expired.getRevision()),
                           .count = expired.getCount(),
                           .deleted = expired.getDeleted()};
    }
    case proto::CommandResult::LEASE_UNKNOWN:
      return LeaseUnknown{};
    default:
      return LeasesFull{};
  }
}

// The same.
CommandResult read_session_result(proto::CommandResult::Reader from) {
  switch (from.which()) {
    case proto::CommandResult::SESSION_OPENED: {
      const auto opened = from.getSessionOpened();
      return SessionOpened{SessionId(opened.getSession()),
                           Duration(static_cast<Duration::rep>(opened.getTtlUs()))};
    }
    case proto::CommandResult::SESSION_CLOSED:
      return SessionClosed{};
    case proto::CommandResult::SESSIONS_EXPIRED:
      return SessionsExpired{from.getSessionsExpired()};
    case proto::CommandResult::SESSION_UNKNOWN:
      return SessionUnknown{};
    case proto::CommandResult::SESSION_EXPIRED:
      return SessionExpired{};
    case proto::CommandResult::SESSION_OUT_OF_ORDER:
      return SessionOutOfOrder{from.getSessionOutOfOrder()};
    default:
      return SessionsFull{};
  }
}

Result<CommandResult> read_result(proto::CommandResult::Reader from) {
  switch (from.which()) {
    case proto::CommandResult::PUT_DONE: {
      const auto done = from.getPutDone();
      return PutDone{Revision(done.getRevision()),
                     done.hasPrevious() ? read_item(done.getPrevious()) : ItemRef(),
                     LeaseId(done.getLease())};
    }
    case proto::CommandResult::DELETE_DONE: {
      const auto done = from.getDeleteDone();
      return DeleteDone{.revision = Revision(done.getRevision()),
                        .deleted = done.getDeleted(),
                        .previous = done.hasPrevious() ? read_item(done.getPrevious()) : ItemRef()};
    }
    case proto::CommandResult::RANGE_DELETED: {
      const auto done = from.getRangeDeleted();
      return RangeDeleted{Revision(done.getRevision()), done.getDeleted()};
    }
    case proto::CommandResult::TRANSACTION_DONE:
      return read_transaction(from.getTransactionDone());
    case proto::CommandResult::CONDITION_FAILED: {
      const auto failed = from.getConditionFailed();
      return ConditionFailed{Revision(failed.getRevision()), Revision(failed.getModRevision())};
    }
    case proto::CommandResult::LEASE_GRANTED:
    case proto::CommandResult::LEASE_REVOKED:
    case proto::CommandResult::LEASES_EXPIRED:
    case proto::CommandResult::LEASE_UNKNOWN:
    case proto::CommandResult::LEASES_FULL:
      return read_lease_result(from);
    case proto::CommandResult::SESSION_OPENED:
    case proto::CommandResult::SESSION_CLOSED:
    case proto::CommandResult::SESSIONS_EXPIRED:
    case proto::CommandResult::SESSION_UNKNOWN:
    case proto::CommandResult::SESSION_EXPIRED:
    case proto::CommandResult::SESSION_OUT_OF_ORDER:
    case proto::CommandResult::SESSIONS_FULL:
      return read_session_result(from);
    case proto::CommandResult::SETTINGS_CHANGED: {
      const auto settings = read_settings(from.getSettingsChanged());
      if (!settings) return std::unexpected(settings.error());
      return SettingsChanged{*settings};
    }
    case proto::CommandResult::DIGEST_NOTED: {
      const auto noted = from.getDigestNoted();
      return DigestNoted{noted.getNumber(), noted.getDigest()};
    }
    case proto::CommandResult::DIGEST_JUDGED:
      return read_digest_judged(from);
    case proto::CommandResult::OVER_QUOTA:
      return OverQuota{Revision(from.getOverQuota())};
    case proto::CommandResult::RESULT_TOO_LARGE:
      return ResultTooLarge{};
    case proto::CommandResult::INVALID_COMMAND:
      return InvalidCommand{};
  }
  return failure("a result is of a kind that this version does not know");
}

}  // namespace

Bytes encode_result(const CommandResult& result) {
  constexpr std::size_t kFixed = 128;
  wire::FlatBuilder builder(0, kFixed + result_bytes(result));
  std::visit(ResultWriter{builder.init_root<proto::CommandResult>()}, result);
  return builder.finish();
}

Result<CommandResult> decode_result(const Bytes& bytes) {
  return wire::read_flat<proto::CommandResult>(
      bytes, [](proto::CommandResult::Reader from, const Bytes&) { return read_result(from); });
}

// What is the same is encoded so: there is one way to do it.
bool operator==(const CommandResult& a, const CommandResult& b) {
  return encode_result(a) == encode_result(b);
}

}  // namespace anchor::kv
