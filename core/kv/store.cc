#include "core/kv/store.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/kv/writing.h"

namespace anchor::kv {
namespace {

Revision mod_revision_of(const ItemRef* item) {
  return item == nullptr ? Revision() : (*item)->mod_revision();
}

bool holds(const Condition& condition, const ItemRef* item) {
  struct Check {
    const ItemRef* item;
    bool operator()(const Always&) const { return true; }
    bool operator()(const IfAbsent&) const { return item == nullptr; }
    bool operator()(const IfPresent&) const { return item != nullptr; }
    bool operator()(const IfModRevision& wanted) const {
      return item != nullptr && (*item)->mod_revision() == wanted.revision;
    }
  };
  return std::visit(Check{item}, condition);
}

bool changes_keys(const CommandBody& body) {
  return std::holds_alternative<Put>(body) || std::holds_alternative<Delete>(body) ||
         std::holds_alternative<DeleteRange>(body) || std::holds_alternative<Transaction>(body);
}

}  // namespace

// --- Commands -----------------------------------------------------------------------------------

CommandResult Store::apply(const Bytes& command) {
  const auto decoded = decode_command(command);
  if (!decoded) return InvalidCommand{};
  return apply(*decoded);
}

CommandResult Store::apply(const Command& command) {
  if (!command.session) return run(command.body);
  return run_in_session(*command.session, command.body);
}

CommandResult Store::run(const CommandBody& body) {
  struct Run {
    Store& store;
    CommandResult operator()(const Put& command) { return store.put(command); }
    CommandResult operator()(const Delete& command) { return store.erase(command); }
    CommandResult operator()(const DeleteRange& command) { return store.erase_range(command); }
    CommandResult operator()(const Transaction& command) { return store.transact(command); }
    CommandResult operator()(const GrantLease& command) { return store.grant_lease(command); }
    CommandResult operator()(const RevokeLease& command) { return store.revoke_lease(command); }
    CommandResult operator()(const ExpireLeases& command) { return store.expire_leases(command); }
    CommandResult operator()(const OpenSession&) { return store.open_session(); }
    CommandResult operator()(const CloseSession& command) { return store.close_session(command); }
    CommandResult operator()(const ExpireSessions& command) {
      return store.expire_sessions(command);
    }
    CommandResult operator()(const ChangeSettings& command) {
      return store.change_settings(command);
    }
    CommandResult operator()(const CheckDigest& command) { return store.check_digest(command); }
    CommandResult operator()(const JudgeDigest& command) { return store.judge_digest(command); }
  };
  return std::visit(Run{*this}, body);
}

CommandResult Store::put(const Put& command) {
  const bool own_lease = command.ttl != Duration();
  if (!valid_key(command.key) || command.value.size() > kValueBytes ||
      (own_lease && (!valid_ttl(command.ttl) || command.lease != LeaseId()))) {
    return InvalidCommand{};
  }
  const ItemRef* current = tree_.find(command.key);
  if (!kv::holds(command.condition, current)) {
    return ConditionFailed{revision_, mod_revision_of(current)};
  }
  if (command.lease != LeaseId() && !takes_keys(command.lease)) return LeaseUnknown{};
  if (own_lease && leases_.size() >= settings_.lease_count) return LeasesFull{};
  if (!has_room(growth_of(command))) return OverQuota{revision_};
  const LeaseId lease = own_lease ? leases_.grant(command.ttl, true) : command.lease;
  Writing writing(*this);
  ItemRef previous = writing.put(command.key, command.value.view(), lease);
  return PutDone{.revision = writing.finish(),
                 .previous = command.want_previous ? std::move(previous) : ItemRef(),
                 .lease = lease};
}

CommandResult Store::erase(const Delete& command) {
  if (!valid_key(command.key)) return InvalidCommand{};
  const ItemRef* current = tree_.find(command.key);
  if (!kv::holds(command.condition, current)) {
    return ConditionFailed{revision_, mod_revision_of(current)};
  }
  Writing writing(*this);
  ItemRef previous = writing.erase(command.key);
  const bool deleted = static_cast<bool>(previous);
  return DeleteDone{.revision = writing.finish(),
                    .deleted = deleted,
                    .previous = command.want_previous ? std::move(previous) : ItemRef()};
}

CommandResult Store::erase_range(const DeleteRange& command) {
  Writing writing(*this);
  const std::uint64_t deleted = writing.erase_range(command.range, [](ItemRef) {});
  return RangeDeleted{writing.finish(), deleted};
}

CommandResult Store::change_settings(const ChangeSettings& command) {
  if (!change(settings_, command.values)) return InvalidCommand{};
  history_.compact(settings_.history_revisions, settings_.history_bytes);
  return SettingsChanged{settings_};
}

// What does not grow is allowed above the quota too: else nothing could be put right.
bool Store::has_room(const Growth& growth) const {
  if (growth.after <= growth.before) return true;
  return size_bytes() + (growth.after - growth.before) <= settings_.quota_bytes;
}

// --- Leases -------------------------------------------------------------------------------------

CommandResult Store::grant_lease(const GrantLease& command) {
  if (!valid_ttl(command.ttl)) return InvalidCommand{};
  if (leases_.size() >= settings_.lease_count) return LeasesFull{};
  if (!has_room({.before = 0, .after = Leases::lease_bytes()})) return OverQuota{revision_};
  return LeaseGranted{leases_.grant(command.ttl, false), command.ttl};
}

bool Store::takes_keys(LeaseId id) const {
  const auto lease = leases_.find(id);
  return lease && !lease->of_key;
}

CommandResult Store::revoke_lease(const RevokeLease& command) {
  if (!leases_.find(command.id)) return LeaseUnknown{};
  Writing writing(*this);
  const std::uint64_t deleted = end_lease(writing, command.id);
  return LeaseRevoked{writing.finish(), deleted};
}

// In one revision, whatever their keys.
CommandResult Store::expire_leases(const ExpireLeases& command) {
  LeasesExpired expired;
  Writing writing(*this);
  for (const LeaseId id : command.leases) {
    if (!leases_.find(id)) continue;
    expired.deleted += end_lease(writing, id);
    ++expired.count;
  }
  expired.revision = writing.finish();
  return expired;
}

std::uint64_t Store::end_lease(Writing& writing, LeaseId id) {
  const std::vector<std::string> keys = leases_.keys(id);
  for (const std::string& key : keys) writing.erase(key);
  leases_.erase(id);  // one of a key has gone with that
  return keys.size();
}

// --- Sessions -----------------------------------------------------------------------------------

CommandResult Store::run_in_session(const SessionWrite& write, const CommandBody& body) {
  if (!changes_keys(body)) return InvalidCommand{};
  if (write.session == SessionId() || write.session >= sessions_.next_id()) {
    return SessionUnknown{};
  }
  const auto session = sessions_.find(write.session);
  if (!session) return SessionExpired{};
  if (write.sequence == session->last_sequence && write.sequence > 0) {
    // Encoded by this store, or verified with its snapshot.
    auto answer = decode_result(Bytes::copy_of(session->answer));
    return answer ? *std::move(answer) : CommandResult(InvalidCommand{});
  }
  if (write.sequence != session->last_sequence + 1) {
    return SessionOutOfOrder{session->last_sequence};
  }
  // Small answers are bounded by the number of sessions, and have room even above the quota.
  constexpr std::uint64_t kSmall = 4096;
  Growth growth = growth_in_session(body);
  growth.before += session->answer.size() + kSmall;
  if (!has_room(growth)) return OverQuota{revision_};
  CommandResult result = run(body);
  // What it was not allowed to do it may try again.
  const bool refused =
      std::holds_alternative<OverQuota>(result) || std::holds_alternative<ResultTooLarge>(result) ||
      std::holds_alternative<LeaseUnknown>(result) || std::holds_alternative<LeasesFull>(result) ||
      std::holds_alternative<InvalidCommand>(result);
  if (!refused) sessions_.record(write.session, write.sequence, encode_result(result).view());
  return result;
}

// Of a command that returns what may be large.
Store::Growth Store::growth_in_session(const CommandBody& body) const {
  if (const auto* transaction = std::get_if<Transaction>(&body)) {
    return growth_in_session(*transaction);
  }
  const auto returned = [&](const auto& command) {
    const ItemRef item = command.want_previous ? find(command.key) : ItemRef();
    return item ? item_bytes(*item) : 0;
  };
  if (const auto* erase = std::get_if<Delete>(&body)) {
    return {.before = returned(*erase), .after = returned(*erase)};
  }
  const auto* put = std::get_if<Put>(&body);
  if (put == nullptr || !kv::holds(put->condition, tree_.find(put->key))) return {};
  Growth growth = growth_of(*put);
  growth.after += returned(*put);
  return growth;
}

CommandResult Store::open_session() {
  if (sessions_.size() >= settings_.session_count) return SessionsFull{};
  if (size_bytes() >= settings_.quota_bytes) return OverQuota{revision_};
  const auto ttl =
      Duration(std::chrono::milliseconds(static_cast<Duration::rep>(settings_.session_ttl_ms)));
  return SessionOpened{sessions_.open(ttl), ttl};
}

CommandResult Store::close_session(const CloseSession& command) {
  if (command.id == SessionId() || command.id >= sessions_.next_id()) return SessionUnknown{};
  if (!sessions_.close(command.id)) return SessionExpired{};
  return SessionClosed{};
}

CommandResult Store::expire_sessions(const ExpireSessions& command) {
  SessionsExpired expired;
  for (const ExpireSessions::Idle& idle : command.sessions) {
    const auto session = sessions_.find(idle.id);
    if (!session || session->last_sequence != idle.last_sequence) continue;
    sessions_.close(idle.id);
    ++expired.count;
  }
  return expired;
}

// --- Reading ------------------------------------------------------------------------------------

ItemRef Store::find(std::string_view key) const {
  const ItemRef* item = tree_.find(key);
  return item == nullptr ? ItemRef() : *item;
}

std::expected<ItemRef, Compacted> Store::find(std::string_view key, Revision at) const {
  if (at < history_.compacted()) return std::unexpected(Compacted{history_.compacted()});
  // As it was before the first change since.
  const Change* first = nullptr;
  history_.visit(history_.first_after(at), KeyRange::of_key(key), [&](const Change& change) {
    first = &change;
    return false;
  });
  return first == nullptr ? find(key) : first->before;
}

std::expected<RangeView, Compacted> Store::view(KeyRange range, Revision at) const {
  if (at < history_.compacted()) return std::unexpected(Compacted{history_.compacted()});
  std::vector<const Change*> changes;
  history_.visit(history_.first_after(at), range, [&](const Change& change) {
    changes.push_back(&change);
    return true;
  });
  // Of each key the first says what it was. A revision changes none twice.
  std::ranges::sort(
      changes, {}, [](const Change* change) { return std::pair(change->key(), change->revision); });
  const auto rest = std::ranges::unique(changes, {}, &Change::key);
  changes.erase(rest.begin(), rest.end());
  std::vector<std::pair<std::string, ItemRef>> past;
  past.reserve(changes.size());
  for (const Change* change : changes) past.emplace_back(change->key(), change->before);
  return RangeView(tree_, std::move(range), at, std::move(past));
}

// --- The digest ---------------------------------------------------------------------------------

namespace {

struct Parts {
  Revision revision;
  Revision compacted;
  std::uint64_t items = 0;
  std::uint64_t history = 0;
  std::uint64_t leases = 0;
  std::uint64_t sessions = 0;
  std::uint64_t settings = 0;
  DigestCheck check;
};

std::uint64_t digest_of(const Parts& parts) {
  std::uint64_t digest = mix64(parts.revision.value());
  digest = mix64(digest ^ parts.compacted.value());
  digest = mix64(digest ^ parts.items);
  digest = mix64(digest ^ parts.history);
  digest = mix64(digest ^ parts.leases);
  digest = mix64(digest ^ parts.sessions);
  digest = mix64(digest ^ parts.settings);
  digest = mix64(digest ^ parts.check.number);
  return mix64(digest ^ parts.check.digest);
}

}  // namespace

CommandResult Store::check_digest(const CheckDigest& command) {
  digest_check_ = {command.number, digest()};
  return DigestNoted{digest_check_.number, digest_check_.digest};
}

CommandResult Store::judge_digest(const JudgeDigest& command) const {
  if (command.number != digest_check_.number) return DigestJudged{DigestVerdict::kObsolete};
  if (!command.digest) return DigestJudged{DigestVerdict::kNoMajority};
  const bool agrees = *command.digest == digest_check_.digest;
  return DigestJudged{agrees ? DigestVerdict::kAgrees : DigestVerdict::kDiffers};
}

std::uint64_t Store::digest() const {
  return digest_of({.revision = revision_,
                    .compacted = history_.compacted(),
                    .items = item_hashes_,
                    .history = history_.digest(),
                    .leases = leases_.table().digest(),
                    .sessions = sessions_.table().digest(),
                    .settings = hash_settings(settings_),
                    .check = digest_check_});
}

std::uint64_t Store::recomputed_digest() const {
  std::uint64_t item_hashes = 0;
  for (Tree::Cursor at = tree_.begin(); at.valid(); at.next()) {
    item_hashes += hash_item(*at.item());
  }
  return digest_of({.revision = revision_,
                    .compacted = history_.compacted(),
                    .items = item_hashes,
                    .history = history_.recomputed_digest(),
                    .leases = leases_.table().recomputed_digest(),
                    .sessions = sessions_.table().recomputed_digest(),
                    .settings = hash_settings(settings_),
                    .check = digest_check_});
}

}  // namespace anchor::kv
