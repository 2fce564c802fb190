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
                           .version = state.version});
}

template <typename T>
bool compares(const T& a, kv::CompareOperator how, const T& b) {
  if (how == kv::CompareOperator::kEqual) return a == b;
  if (how == kv::CompareOperator::kNotEqual) return a != b;
  return how == kv::CompareOperator::kLess ? a < b : a > b;
}

}  // namespace

// --- Commands -----------------------------------------------------------------------------------

kv::CommandResult Model::apply(const Bytes* command) {
  states_.push_back(states_.back());
  if (command == nullptr) return kv::InvalidCommand{};
  const auto decoded = kv::decode_command(*command);
  if (!decoded) return kv::InvalidCommand{};
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
  const auto before = find(put.key);
  if (!meets(put.condition, before)) {
    return kv::ConditionFailed{states_.back().revision,
                               before ? before->mod_revision : kv::Revision()};
  }
  const kv::ItemRef previous = item(put.key);
  if (!has_room(stored_bytes(previous), stored_bytes(put.key.size(), put.value.size()))) {
    return kv::OverQuota{states_.back().revision};
  }
  write(put.key, put.value);
  return kv::PutDone{finish(), put.want_previous ? previous : kv::ItemRef()};
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
  for (const kv::Operation& operation : operations) {
    const auto* put = std::get_if<kv::PutOperation>(&operation);
    if (put == nullptr) continue;
    before += stored_bytes(item(put->key));
    after += stored_bytes(put->key.size(), put->value.size());
  }
  const std::uint64_t previous = previous_bytes(operations);
  if (previous >= kv::kTransactionResultBytes) return kv::ResultTooLarge{};
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
    write(put->key, put->value);
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

void Model::write(const std::string& key, const std::optional<Bytes>& value) {
  const auto before = find(key);
  const kv::Revision revision = states_.back().revision.next();
  std::optional<KeyValue> after;
  if (value) {
    after = KeyValue{.value = *value,
                     .create_revision = before ? before->create_revision : revision,
                     .mod_revision = revision,
                     .version = before ? before->version + 1 : 1};
  }
  changed_bytes_ += kv::kChangeBytes;
  for (const auto& state : {before, after}) {
    if (state) changed_bytes_ += key.size() + state->value.size();
  }
  keys_[key].push_back({now(), after});
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
         item->create_revision() == expected->create_revision &&
         item->mod_revision() == expected->mod_revision && item->version() == expected->version;
}

}  // namespace anchor::sim
