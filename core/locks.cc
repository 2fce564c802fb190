#include "core/locks.h"

#include <algorithm>

#include "core/base/text.h"

namespace anchor {
namespace {

constexpr std::string_view kLines = "lock/";
constexpr std::size_t kSuffixBytes = 17;  // a slash, and 16 digits

// Whose turn has come is told so only if of the lease hardly anything is over; else it is kept
// alive first. And while it waits, long before its end.
Duration recent(const AcquireLock& request) {
  return request.ttl / 10;
}
Duration keep_alive_interval(const AcquireLock& request) {
  return request.ttl / 3;
}

// Calls `visit` with the keys that stand in line for the lock. One that somebody has written there
// without a lease would stand there for ever, and does not count. Requires: `view` is of its line.
template <typename Visit>
void visit_line(const kv::RangeView& view, Visit visit) {
  for (kv::RangeView::Reader reader(view); const kv::ItemRef item = reader.next();) {
    const bool named = item->key().size() == view.range().start.size() + kSuffixBytes - 1;
    if (named && item->lease() != kv::LeaseId()) visit(*item);
  }
}

// In order.
std::vector<kv::Revision> tokens_in(const kv::RangeView& view) {
  std::vector<kv::Revision> tokens;
  visit_line(view, [&](const kv::Item& item) { tokens.push_back(item.create_revision()); });
  std::ranges::sort(tokens);
  return tokens;
}

}  // namespace

std::string Locks::line_of(std::string_view name) {
  return std::string(kLines).append(name).append("/");
}

std::optional<std::string_view> Locks::name_of(std::string_view key) {
  if (!key.starts_with(kLines) || key.size() <= kLines.size() + kSuffixBytes) return std::nullopt;
  const std::size_t end = key.size() - kSuffixBytes;
  if (key[end] != '/') return std::nullopt;
  return key.substr(kLines.size(), end - kLines.size());
}

// --- From clients -------------------------------------------------------------------------------

void Locks::take(RequestId id, AcquireLock request, Instant deadline, Instant now) {
  const Instant gives_up = now + request.wait;
  const auto [waiter, added] = waiters_.emplace(
      id, Waiter{.request = std::move(request), .deadline = deadline, .gives_up = gives_up});
  enter(id, waiter->second, now);
}

void Locks::take(RequestId id, ReleaseLock request, Instant deadline) {
  Read read{.of = kv::KeyRange::of_prefix(line_of(request.name))};
  releases_.emplace(id, Release{.request = std::move(request), .deadline = deadline});
  ask(id, std::move(read), deadline);
}

void Locks::abandon(RequestId id, Instant now) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return;
  found->second.abandoned = true;
  consider(id, found->second, now);
}

// --- As a client of the replica -----------------------------------------------------------------

RequestId Locks::ask(RequestId client, RequestBody body, Instant deadline) {
  const RequestId own(kOwn | ++last_own_);
  asked_.emplace_hint(asked_.end(), own, client);
  requests_.push_back({.id = own, .deadline = deadline, .body = std::move(body)});
  return own;
}

// Nobody else has a key of this name, but by chance.
void Locks::enter(RequestId id, Waiter& waiter, Instant now) {
  waiter.key = line_of(waiter.request.name) + hex16(random_.next());
  waiter.kept = now;
  kv::Put put{.key = waiter.key, .value = {}, .condition = kv::IfAbsent{}};
  put.ttl = waiter.request.ttl;
  waiter.asked = ask(id, kv::Command(std::move(put)), waiter.deadline - waiter.request.wait);
}

void Locks::keep_alive(RequestId id, Waiter& waiter, Instant now) {
  waiter.asked_at = now;
  waiter.asked = ask(id, kv::LeaseQuery{.id = waiter.lease, .keep_alive = true},
                     std::min(waiter.deadline, now + keep_alive_interval(waiter.request)));
}

void Locks::leave(RequestId id, Waiter& waiter) {
  waiter.leaving = true;
  waiter.asked = ask(id, kv::Command(kv::Delete{waiter.key, kv::Always{}}), waiter.deadline);
}

void Locks::answered(RequestId own, const Outcome& outcome, Instant now) {
  const auto asked = asked_.extract(own);
  const RequestId id = asked.mapped();
  if (const auto release = releases_.find(id); release != releases_.end()) {
    return answered(id, release->second, outcome);
  }
  const auto found = waiters_.find(id);
  if (found == waiters_.end() || found->second.asked != own) return;
  Waiter& waiter = found->second;
  waiter.asked.reset();
  if (waiter.leaving) {
    left(id, waiter, outcome, now);
  } else if (waiter.token == kv::Revision()) {
    entered(id, waiter, outcome, now);
  } else {
    kept(id, waiter, outcome, now);
  }
}

void Locks::entered(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now) {
  const auto* applied = std::get_if<WriteApplied>(&outcome);
  if (applied == nullptr) return finish(id, outcome);
  if (std::holds_alternative<kv::ConditionFailed>(applied->result)) return enter(id, waiter, now);
  const auto* done = std::get_if<kv::PutDone>(&applied->result);
  if (done == nullptr) return finish(id, outcome);
  waiter.token = done->revision;
  waiter.lease = done->lease;
  waiter.next = waiter.kept + keep_alive_interval(waiter.request);
  lines_[waiter.request.name].emplace(waiter.token, id);
  moved_.insert(waiter.request.name);
  consider(id, waiter, now);
}

// Without its lease it stands in line no more.
void Locks::kept(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now) {
  const auto* told = std::get_if<LeaseTold>(&outcome);
  if (told != nullptr && !told->answer) return finish(id, LockAnswer(LockHeld{}));
  if (told != nullptr) {
    waiter.kept = waiter.asked_at;
    waiter.next = waiter.asked_at + keep_alive_interval(waiter.request);
  } else {
    waiter.next = now + recent(waiter.request);
  }
  consider(id, waiter, now);
}

void Locks::left(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now) {
  if (std::holds_alternative<WriteApplied>(outcome)) return finish(id, LockAnswer(LockHeld{}));
  waiter.next = now + recent(waiter.request);
  consider(id, waiter, now);
}

void Locks::answered(RequestId id, Release& release, const Outcome& outcome) {
  if (const auto* line = std::get_if<RangeRead>(&outcome)) {
    std::optional<std::string> key;
    visit_line(line->view, [&](const kv::Item& item) {
      if (item.create_revision() == release.request.token) key = item.key();
    });
    if (!key) return finish(id, LockAnswer(LockNotHeld{}));
    release.deleting = true;
    ask(id, kv::Command(kv::Delete{*std::move(key), kv::Always{}}), release.deadline);
  } else if (const auto* applied = std::get_if<WriteApplied>(&outcome)) {
    const auto* done = std::get_if<kv::DeleteDone>(&applied->result);
    const bool released = done != nullptr && done->deleted;
    finish(id, released ? LockAnswer(LockReleased{}) : LockAnswer(LockNotHeld{}));
  } else if (!release.deleting && std::holds_alternative<OutcomeUnknown>(outcome)) {
    finish(id, NotApplied{Refusal::kNoLeader});
  } else {
    finish(id, outcome);
  }
}

void Locks::distrust() {
  while (!waiters_.empty()) finish(waiters_.begin()->first, OutcomeUnknown{});
}

// --- Whose turn it is ---------------------------------------------------------------------------

void Locks::advance(const kv::Store& store, Instant now) {
  notice(store);
  for (const std::string& name : std::exchange(moved_, {})) {
    const auto line = lines_.find(name);
    if (line == lines_.end()) continue;
    const kv::RangeView view = store.view(kv::KeyRange::of_prefix(line_of(name)));
    judge(Line(line->second), tokens_in(view), store.revision(), now);
  }
  while (due() && *due() <= now) consider(timers_.first(), waiters_.at(timers_.first()), now);
}

void Locks::notice(const kv::Store& store) {
  if (seen_ == store.revision()) return;
  if (store.revision() < seen_) seen_ = {};  // a wrong state has been replaced
  const kv::History& history = store.history();
  if (seen_ < history.compacted()) {
    for (const auto& [name, line] : lines_) moved_.insert(name);
  } else if (!lines_.empty()) {
    for (std::size_t at = history.first_after(seen_); at < history.size(); ++at) {
      const auto name = name_of(history[at].key());
      if (name && lines_.contains(*name)) moved_.emplace(*name);
    }
  }
  seen_ = std::max(seen_, store.revision());
}

// Tokens only grow: whoever is not the first where its own key is there already has others before
// it, and once these are gone nobody comes before it again.
void Locks::judge(const Line& line, const std::vector<kv::Revision>& tokens, kv::Revision applied,
                  Instant now) {
  for (const auto& [token, id] : line) {
    if (token > applied) break;
    Waiter& waiter = waiters_.at(id);
    if (!std::ranges::binary_search(tokens, token)) {
      // Its lease has ended, or somebody has deleted its key.
      finish(id, LockAnswer(LockHeld{}));
      continue;
    }
    const bool turn = token == tokens.front() && !waiter.first;
    if (turn) {
      waiter.first = true;
      waiter.next = now;
    }
    if (!std::exchange(waiter.judged, true) || turn) consider(id, waiter, now);
  }
}

// Requires: it has a place in line, or will hear of it.
void Locks::consider(RequestId id, Waiter& waiter, Instant now) {
  if (now >= waiter.deadline) return finish(id, OutcomeUnknown{});
  if (waiter.token != kv::Revision() && !waiter.leaving) {
    const bool fresh = now - waiter.kept <= recent(waiter.request);
    if (waiter.first && fresh && !waiter.abandoned) {
      return finish(id, LockAnswer(LockAcquired{waiter.token, waiter.lease}));
    }
    const bool in_vain = waiter.judged && !waiter.first && now >= waiter.gives_up;
    if (waiter.abandoned || in_vain) {
      leave(id, waiter);
    } else if (!waiter.asked && now >= waiter.next) {
      keep_alive(id, waiter, now);
    }
  } else if (waiter.leaving && !waiter.asked && now >= waiter.next) {
    leave(id, waiter);
  }
  set_timer(id, waiter);
}

void Locks::set_timer(RequestId id, const Waiter& waiter) {
  Instant at = waiter.deadline;
  if (!waiter.asked) at = std::min(at, waiter.next);
  if (waiter.judged && !waiter.first && !waiter.leaving) at = std::min(at, waiter.gives_up);
  timers_.set(id, at);
}

void Locks::finish(RequestId id, Outcome outcome) {
  if (const auto waiter = waiters_.extract(id)) {
    const auto line = lines_.find(waiter.mapped().request.name);
    if (line != lines_.end()) {
      line->second.erase(waiter.mapped().token);
      if (line->second.empty()) lines_.erase(line);
    }
    timers_.erase(id);
  } else {
    releases_.erase(id);
  }
  replies_.push_back({id, std::move(outcome)});
}

}  // namespace anchor
