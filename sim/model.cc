#include "sim/model.h"

#include <algorithm>
#include <utility>

#include "core/kv/history.h"

namespace anchor::sim {
namespace {

kv::ItemRef as_item(const std::string& key, const Model::KeyValue& state) {
  return kv::Item::create(key, state.value.view(),
                          {.create_revision = state.create_revision,
                           .mod_revision = state.mod_revision,
                           .version = state.version,
                           .lease = state.lease});
}

template <typename T>
bool compares(const T& a, kv::CompareOperator how, const T& b) {
  if (how == kv::CompareOperator::kEqual) return a == b;
  if (how == kv::CompareOperator::kNotEqual) return a != b;
  return how == kv::CompareOperator::kLess ? a < b : a > b;
}

}  // namespace

// --- Commands -----------------------------------------------------------------------------------

kv::CommandResult Model::apply(const Bytes* command, raft::Term term) {
  states_.push_back(states_.back());
  if (command == nullptr) return kv::InvalidCommand{};
  const auto decoded = kv::decode_command(*command);
  if (!decoded) return kv::InvalidCommand{};
  const auto* expire = std::get_if<kv::ExpireLeases>(&decoded->body);
  if (expire != nullptr && expire->term != term.value()) return kv::InvalidCommand{};
  if (decoded->session) return run_in_session(*decoded->session, decoded->body);
  return run(decoded->body);
}

kv::CommandResult Model::run(const kv::CommandBody& body) {
  if (const auto* command = std::get_if<kv::Put>(&body)) return put(*command);
  if (const auto* command = std::get_if<kv::Delete>(&body)) return erase(*command);
  if (const auto* command = std::get_if<kv::Transaction>(&body)) return transact(*command);
  if (const auto* command = std::get_if<kv::DeleteRange>(&body)) {
    const std::uint64_t deleted = erase_range(command->range);
    return kv::RangeDeleted{finish(), deleted};
  }
  if (const auto* command = std::get_if<kv::ChangeSettings>(&body)) {
    if (!kv::change(settings_, command->values)) return kv::InvalidCommand{};
    compact();
    return kv::SettingsChanged{settings_};
  }
  if (const auto* command = std::get_if<kv::GrantLease>(&body)) return grant(*command);
  if (const auto* command = std::get_if<kv::RevokeLease>(&body)) return revoke(*command);
  if (const auto* command = std::get_if<kv::ExpireLeases>(&body)) return expire(*command);
  if (const auto* command = std::get_if<kv::ExpireSessions>(&body)) return expire(*command);
  if (const auto* command = std::get_if<kv::CloseSession>(&body)) {
    if (command->id == kv::SessionId() || command->id >= next_session_) return kv::SessionUnknown{};
    if (sessions_.erase(command->id) == 0) return kv::SessionExpired{};
    return kv::SessionClosed{};
  }
  if (const auto* check = std::get_if<kv::CheckDigest>(&body)) {
    digest_check_ = check->number;
    return kv::DigestNoted{check->number, 0};
  }
  // Which of the digests that were noted it is, is for the replicas to find out.
  if (const auto* judged = std::get_if<kv::JudgeDigest>(&body)) {
    const bool current = judged->number == digest_check_;
    if (!current) return kv::DigestJudged{kv::DigestVerdict::kObsolete};
    return kv::DigestJudged{judged->digest ? kv::DigestVerdict::kAgrees
                                           : kv::DigestVerdict::kNoMajority};
  }
  if (sessions_.size() >= settings_.session_count) return kv::SessionsFull{};
  if (size_bytes() >= settings_.quota_bytes) return kv::OverQuota{states_.back().revision};
  sessions_[next_session_] = {};
  const kv::SessionId id = next_session_;
  ++next_session_;
  return kv::SessionOpened{id, std::chrono::milliseconds(settings_.session_ttl_ms)};
}

kv::CommandResult Model::run_in_session(const kv::SessionWrite& write,
                                        const kv::CommandBody& body) {
  // Whatever else there is changes no keys.
  constexpr std::size_t kLastThatWrites = 3;
  if (body.index() > kLastThatWrites) return kv::InvalidCommand{};
  if (write.session == kv::SessionId() || write.session >= next_session_) {
    return kv::SessionUnknown{};
  }
  const auto session = sessions_.find(write.session);
  if (session == sessions_.end()) return kv::SessionExpired{};
  auto& [last, answer, answer_bytes] = session->second;
  if (write.sequence == last && answer) return *answer;
  if (write.sequence != last + 1) return kv::SessionOutOfOrder{last};
  const auto [before, after] = growth_in_session(body);
  constexpr std::uint64_t kSmall = 4096;
  if (!has_room(before + answer_bytes + kSmall, after)) {
    return kv::OverQuota{states_.back().revision};
  }
  kv::CommandResult result = run(body);
  if (std::holds_alternative<kv::OverQuota>(result) ||
      std::holds_alternative<kv::ResultTooLarge>(result) ||
      std::holds_alternative<kv::LeaseUnknown>(result) ||
      std::holds_alternative<kv::LeasesFull>(result) ||
      std::holds_alternative<kv::InvalidCommand>(result)) {
    return result;
  }
  last = write.sequence;
  answer = result;
  answer_bytes = kv::encode_result(result).size();
  return result;
}

bool Model::meets(const kv::Condition& condition, const std::optional<KeyValue>& state) {
  if (std::holds_alternative<kv::IfAbsent>(condition)) return !state;
  if (std::holds_alternative<kv::IfPresent>(condition)) return state.has_value();
  if (const auto* wanted = std::get_if<kv::IfModRevision>(&condition)) {
    return state && state->mod_revision == wanted->revision;
  }
  return true;
}

kv::CommandResult Model::put(const kv::Put& put) {
  const bool own = put.ttl != Duration();
  if (own && (!kv::valid_ttl(put.ttl) || put.lease != kv::LeaseId())) return kv::InvalidCommand{};
  const auto before = find(put.key);
  if (!meets(put.condition, before)) {
    return kv::ConditionFailed{states_.back().revision,
                               before ? before->mod_revision : kv::Revision()};
  }
  if (put.lease != kv::LeaseId() && !takes_keys(put.lease)) return kv::LeaseUnknown{};
  if (own && leases_.size() >= settings_.lease_count) return kv::LeasesFull{};
  const kv::ItemRef previous = item(put.key);
  const bool leased = own || put.lease != kv::LeaseId();
  if (!has_room(stored_bytes(previous), stored_bytes(put.key.size(), put.value.size(), leased) +
                                            (own ? lease_bytes() : 0))) {
    return kv::OverQuota{states_.back().revision};
  }
  kv::LeaseId lease = put.lease;
  if (own) {
    lease = next_lease_;
    leases_[lease] = {.ttl = put.ttl, .of_key = true};
    ++next_lease_;
  }
  write(put.key, put.value, lease);
  return kv::PutDone{finish(), put.want_previous ? previous : kv::ItemRef(), lease};
}

kv::CommandResult Model::erase(const kv::Delete& erase) {
  const auto before = find(erase.key);
  if (!meets(erase.condition, before)) {
    return kv::ConditionFailed{states_.back().revision,
                               before ? before->mod_revision : kv::Revision()};
  }
  const kv::ItemRef previous = item(erase.key);
  if (before) write(erase.key, std::nullopt);
  return kv::DeleteDone{.revision = finish(),
                        .deleted = before.has_value(),
                        .previous = erase.want_previous ? previous : kv::ItemRef()};
}

kv::CommandResult Model::expire(const kv::ExpireSessions& expire) {
  kv::SessionsExpired expired;
  for (const auto& [id, last] : expire.sessions) {
    const auto session = sessions_.find(id);
    if (session == sessions_.end() || session->second.last_sequence != last) continue;
    sessions_.erase(session);
    ++expired.count;
  }
  return expired;
}

// --- Leases -------------------------------------------------------------------------------------

std::vector<kv::LeaseId> Model::leases() const {
  std::vector<kv::LeaseId> ids;
  for (const auto& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

bool Model::takes_keys(kv::LeaseId id) const {
  const auto lease = leases_.find(id);
  return lease != leases_.end() && !lease->second.of_key;
}

kv::CommandResult Model::grant(const kv::GrantLease& grant) {
  if (!kv::valid_ttl(grant.ttl)) return kv::InvalidCommand{};
  if (leases_.size() >= settings_.lease_count) return kv::LeasesFull{};
  if (!has_room(0, lease_bytes())) return kv::OverQuota{states_.back().revision};
  leases_[next_lease_] = {.ttl = grant.ttl};
  const kv::LeaseId id = next_lease_;
  ++next_lease_;
  return kv::LeaseGranted{id, grant.ttl};
}

kv::CommandResult Model::revoke(const kv::RevokeLease& revoke) {
  if (!leases_.contains(revoke.id)) return kv::LeaseUnknown{};
  const std::uint64_t deleted = end_lease(revoke.id);
  return kv::LeaseRevoked{finish(), deleted};
}

kv::CommandResult Model::expire(const kv::ExpireLeases& expire) {
  kv::LeasesExpired expired;
  for (const kv::LeaseId id : expire.leases) {
    if (!leases_.contains(id)) continue;
    expired.deleted += end_lease(id);
    ++expired.count;
  }
  expired.revision = finish();
  return expired;
}

std::uint64_t Model::end_lease(kv::LeaseId id) {
  std::uint64_t deleted = 0;
  for (const auto& [key, state] : range({}, now())) {
    if (state.lease != id) continue;
    write(key, std::nullopt);
    ++deleted;
  }
  leases_.erase(id);
  return deleted;
}

// --- Transactions -------------------------------------------------------------------------------

bool Model::holds(const kv::Compare& compare) const {
  const auto state = find(compare.key);
  if (const auto* bytes = std::get_if<Bytes>(&compare.with)) {
    return state && compares(state->value.text(), compare.compare, bytes->text());
  }
  std::uint64_t number = 0;
  if (state) {
    if (compare.target == kv::CompareTarget::kVersion) number = state->version;
    if (compare.target == kv::CompareTarget::kCreateRevision) {
      number = state->create_revision.value();
    }
    if (compare.target == kv::CompareTarget::kModRevision) number = state->mod_revision.value();
    if (compare.target == kv::CompareTarget::kLease) number = state->lease.value();
    if (compare.target == kv::CompareTarget::kExists) number = 1;
  }
  return compares(number, compare.compare, std::get<std::uint64_t>(compare.with));
}

kv::CommandResult Model::transact(const kv::Transaction& transaction) {
  if (!kv::fault_in(transaction).empty()) return kv::InvalidCommand{};
  kv::TransactionDone done{.revision = {}, .succeeded = true};
  for (const kv::Compare& compare : transaction.compare) done.succeeded &= holds(compare);
  const auto& operations = done.succeeded ? transaction.success : transaction.failure;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  bool leases_known = true;
  for (const kv::Operation& operation : operations) {
    const auto* put = std::get_if<kv::PutOperation>(&operation);
    if (put == nullptr) continue;
    const bool leased = put->lease != kv::LeaseId();
    leases_known &= !leased || takes_keys(put->lease);
    before += stored_bytes(item(put->key));
    after += stored_bytes(put->key.size(), put->value.size(), leased);
  }
  const std::uint64_t previous = previous_bytes(operations);
  if (previous >= kv::kTransactionResultBytes) return kv::ResultTooLarge{};
  if (!leases_known) return kv::LeaseUnknown{};
  if (!has_room(before, after)) return kv::OverQuota{states_.back().revision};
  std::uint64_t room = kv::kTransactionResultBytes - previous;
  for (const kv::Operation& operation : operations) {
    done.results.push_back(operate(operation, room));
  }
  done.revision = finish();
  return done;
}

kv::OperationResult Model::operate(const kv::Operation& operation, std::uint64_t& room) {
  if (const auto* put = std::get_if<kv::PutOperation>(&operation)) {
    const kv::ItemRef previous = item(put->key);
    write(put->key, put->value, put->lease);
    return kv::PutResult{put->want_previous ? previous : kv::ItemRef()};
  }
  if (const auto* erase = std::get_if<kv::DeleteOperation>(&operation)) {
    kv::DeleteResult result;
    for (const auto& [key, state] : range(erase->range, now())) {
      if (erase->want_previous) result.previous.push_back(as_item(key, state));
    }
    result.deleted = erase_range(erase->range);
    return result;
  }
  const auto& get = std::get<kv::GetOperation>(operation);
  KeyValues found = range(get.range, now());
  kv::GetResult result{.count = found.size(), .keys_only = get.keys_only};
  if (get.reverse) std::ranges::reverse(found);
  for (const auto& [key, state] : found) {
    result.more = get.limit > 0 && result.items.size() == get.limit;
    if (result.more) break;
    KeyValue shown = state;
    if (get.keys_only) shown.value = Bytes();
    const std::uint64_t bytes = written_bytes(key.size(), shown.value.size());
    room -= std::min(room, bytes);
    result.more = room == 0;
    if (result.more) break;
    result.items.push_back(as_item(key, shown));
  }
  return result;
}

// --- Writing ------------------------------------------------------------------------------------

void Model::write(const std::string& key, const std::optional<Bytes>& value, kv::LeaseId lease) {
  const auto before = find(key);
  const kv::Revision revision = states_.back().revision.next();
  std::optional<KeyValue> after;
  if (value) {
    after = KeyValue{.value = *value,
                     .create_revision = before ? before->create_revision : revision,
                     .mod_revision = revision,
                     .version = before ? before->version + 1 : 1,
                     .lease = lease};
  }
  // A lease of one key goes when that has it no more.
  const auto left = leases_.find(before ? before->lease : kv::LeaseId());
  if (left != leases_.end() && left->second.of_key && lease != left->first) leases_.erase(left);
  changed_bytes_ += kv::kChangeBytes;
  for (const auto& state : {before, after}) {
    if (state) changed_bytes_ += key.size() + state->value.size();
  }
  keys_[key].push_back({now(), after});
  changing_keys_.push_back(key);
}

std::uint64_t Model::erase_range(const kv::KeyRange& range) {
  const KeyValues found = this->range(range, now());
  for (const auto& [key, state] : found) write(key, std::nullopt);
  return found.size();
}

kv::Revision Model::finish() {
  if (changed_bytes_ == 0) return states_.back().revision;
  ++states_.back().revision;
  history_.push_back({states_.back().revision, std::exchange(changed_bytes_, 0)});
  changed_keys_.push_back(std::exchange(changing_keys_, {}));
  compact();
  return states_.back().revision;
}

void Model::compact() {
  const auto too_much = [&] {
    std::uint64_t bytes = 0;
    for (const Changed& changed : history_) bytes += changed.bytes;
    return history_.size() > settings_.history_revisions || bytes > settings_.history_bytes;
  };
  while (!history_.empty() && too_much()) {
    states_.back().compacted = history_.front().revision;
    history_.erase(history_.begin());
  }
}

// --- Reading ------------------------------------------------------------------------------------

std::optional<Model::KeyValue> Model::find(const std::string& key, raft::Index index) const {
  const auto versions = keys_.find(key);
  if (versions == keys_.end()) return std::nullopt;
  const auto after = std::ranges::upper_bound(versions->second, index, {}, &Version::index);
  if (after == versions->second.begin()) return std::nullopt;
  return std::prev(after)->state;
}

kv::ItemRef Model::item(const std::string& key) const {
  const auto state = find(key);
  return state ? as_item(key, *state) : kv::ItemRef();
}

Model::KeyValues Model::range(const kv::KeyRange& range, raft::Index index) const {
  KeyValues found;
  for (auto at = keys_.lower_bound(range.start); at != keys_.end(); ++at) {
    if (!range.contains(at->first)) break;
    if (auto state = find(at->first, index)) found.emplace_back(at->first, *std::move(state));
  }
  return found;
}

raft::Index Model::index_of(kv::Revision revision) const {
  const auto at = std::ranges::lower_bound(states_, revision, {}, &State::revision);
  return raft::Index(static_cast<std::uint64_t>(at - states_.begin()));
}

bool same(const kv::ItemRef& item, const std::optional<Model::KeyValue>& expected) {
  if (!item || !expected) return !item && !expected;
  return std::ranges::equal(item->value(), expected->value.view()) &&
         item->create_revision() == expected->create_revision && item->lease() == expected->lease &&
         item->mod_revision() == expected->mod_revision && item->version() == expected->version;
}

}  // namespace anchor::sim
