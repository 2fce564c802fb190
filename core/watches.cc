#include "core/watches.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace anchor {

// Until a read has found that it has nothing to read it may have.
WatchId Watches::open(WatchedKeys keys, kv::Revision from) {
  const WatchId id = ++last_id_;
  (keys.prefix ? of_prefix_ : of_key_)[keys.key].insert(id);
  if (keys.prefix) ++prefix_lengths_[keys.key.size()];
  // The first revision is the empty store's.
  const kv::Revision next = std::max(from, kv::Revision(2));
  watches_.emplace(id, Watch{.keys = std::move(keys), .next = next, .due = true});
  return id;
}

void Watches::close(WatchId id) {
  const auto closed = watches_.extract(id);
  if (closed.empty()) return;
  const WatchedKeys& keys = closed.mapped().keys;
  auto& others = keys.prefix ? of_prefix_ : of_key_;
  const auto found = others.find(keys.key);
  found->second.erase(id);
  if (found->second.empty()) others.erase(found);
  if (!keys.prefix) return;
  const auto length = prefix_lengths_.find(keys.key.size());
  if (--length->second == 0) prefix_lengths_.erase(length);
}

std::vector<WatchId> Watches::notice(const kv::Store& store) {
  std::vector<WatchId> due;
  if (seen_ == store.revision()) return due;
  // A state that was wrong has been replaced by one that has not come so far.
  if (store.revision() < seen_) seen_ = {};
  const kv::History& history = store.history();
  if (seen_ < history.compacted()) {
    // What was changed between cannot be told any more: it may have been what anybody watches.
    for (auto& [id, watch] : watches_) {
      if (watch.due || watch.next > history.newest()) continue;
      watch.due = true;
      due.push_back(id);
    }
  } else {
    for (std::size_t at = history.first_after(seen_); at < history.size(); ++at) {
      note(history[at].key(), history[at].revision, due);
    }
    std::ranges::sort(due);
  }
  seen_ = std::max(seen_, store.revision());
  return due;
}

void Watches::note(std::string_view key, kv::Revision revision, std::vector<WatchId>& due) {
  if (const auto found = of_key_.find(key); found != of_key_.end()) {
    note(found->second, revision, due);
  }
  for (const auto& [length, count] : prefix_lengths_) {
    if (length > key.size()) break;
    const auto found = of_prefix_.find(key.substr(0, length));
    if (found != of_prefix_.end()) note(found->second, revision, due);
  }
}

void Watches::note(const Ids& ids, kv::Revision revision, std::vector<WatchId>& due) {
  for (const WatchId id : ids) {
    Watch& watch = watches_.at(id);
    // It may have asked for what comes later; or it has that before it already.
    if (watch.due || watch.next > revision) continue;
    watch.next = revision;
    watch.skipped = 0;
    watch.due = true;
    due.push_back(id);
  }
}

std::variant<Watches::Events, Watches::Resync> Watches::read(WatchId id, const kv::Store& store,
                                                             std::size_t bytes_most) {
  Watch& watch = watches_.at(id);
  const kv::History& history = store.history();
  ANCHOR_ASSERT(seen_ == store.revision());
  if (watch.due && watch.next <= history.compacted()) {
    close(id);
    return Resync{history.compacted(), store.revision()};
  }
  Events read{.revision = store.revision()};
  if (watch.due && watch.next <= store.revision()) read_on(watch, history, bytes_most, read);
  if (read.more) return read;
  watch.next = std::max(watch.next, store.revision().next());
  watch.skipped = 0;
  watch.due = false;
  return read;
}

// Before it stops within a revision it must know whether that has another change that is watched.
void Watches::read_on(Watch& watch, const kv::History& history, std::size_t bytes_most,
                      Events& read) {
  constexpr std::size_t kLookedAtAtOnce = 1000;
  std::size_t bytes = 0;
  const std::size_t first = history.first_after(watch.next.previous()) + watch.skipped;
  for (std::size_t at = first; at < history.size(); ++at) {
    const kv::Change& change = history[at];
    if (change.revision != watch.next) {
      if (!read.events.empty()) read.events.back().last_of_revision = true;
      watch.next = change.revision;
      watch.skipped = 0;
    }
    const bool pending = !read.events.empty() && !read.events.back().last_of_revision;
    const bool enough = bytes >= bytes_most || at - first >= kLookedAtAtOnce;
    const bool watched = watch.keys.contains(change.key());
    read.more = enough && (watched || !pending);
    if (read.more) return;
    ++watch.skipped;
    if (!watched) continue;
    bytes += change.size_bytes();
    read.events.push_back({.change = change});
  }
  if (!read.events.empty()) read.events.back().last_of_revision = true;
}

}  // namespace anchor
