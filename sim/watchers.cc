#include "sim/watchers.h"

#include <algorithm>
#include <utility>

#include "sim/violation.h"

namespace anchor::sim {
namespace {

std::string name_of(std::size_t number, const WatchedKeys& keys) {
  return "watcher " + std::to_string(number) + " of " + keys.key + (keys.prefix ? "*" : "");
}

}  // namespace

Watchers::Watchers(const Mix& mix, Cluster& cluster, Choices& choices)
    : mix_(mix), cluster_(cluster), choices_(choices), watchers_(mix.watchers) {}

void Watchers::start() {
  for (std::size_t number = 0; number < watchers_.size(); ++number) {
    begin(watchers_[number], number);
    later(number);
  }
}

void Watchers::demand(const std::vector<bool>& nodes) {
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    if (nodes[node]) demanded_of_.push_back(node);
  }
  for (Watcher& watcher : watchers_) leave(watcher);
}

bool Watchers::all_shown() const {
  const kv::Revision newest =
      cluster_.checker().model().revision(cluster_.checker().commit_index());
  return std::ranges::all_of(watchers_,
                             [&](const Watcher& watcher) { return watcher.next > newest; });
}

void Watchers::later(std::size_t number) {
  const Duration wait = choices_.between(0us, mix_.think_most, Stream::kWatcher, number);
  cluster_.after(wait, [this, number] { turn(number); });
}

void Watchers::turn(std::size_t number) {
  Watcher& watcher = watchers_[number];
  if (watcher.node && !cluster_.watches(*watcher.node, watcher.life)) leave(watcher);
  const bool demanding = !demanded_of_.empty();
  if (watcher.node && !demanding && choices_.below(20, Stream::kWatcher, number) == 0) {
    leave(watcher);
  }
  if (!watcher.node) connect(watcher, number);
  if (watcher.node && read(watcher, number) && demanding) {
    while (watcher.node && read(watcher, number)) continue;
  }
  later(number);
}

// Something new, from what may be compacted, up to what is to come.
void Watchers::begin(Watcher& watcher, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kWatcher, number);
  };
  const std::uint64_t kind = draw(4);
  const std::string key = "k" + std::to_string(draw(mix_.keys));
  watcher.keys = {.key = kind == 0 ? "k" : key, .prefix = kind < 2};
  const kv::Revision newest =
      cluster_.checker().model().revision(cluster_.checker().commit_index());
  const std::uint64_t back = draw(50);
  const std::uint64_t ahead = draw(8) == 0 ? draw(20) : 0;
  const std::uint64_t from = newest.value() + ahead;
  watcher.next = kv::Revision(std::max<std::uint64_t>(2, from - std::min(from, back)));
  watcher.seen = 0;
}

void Watchers::connect(Watcher& watcher, std::size_t number) {
  const bool demanding = !demanded_of_.empty();
  const std::uint64_t choice =
      choices_.below(demanding ? demanded_of_.size() : cluster_.size(), Stream::kWatcher, number);
  const std::size_t node = demanding ? demanded_of_[choice] : choice;
  if (!cluster_.node(node).up() || !cluster_.node(node).replica->serves()) return;
  watcher.node = node;
  watcher.life = cluster_.node(node).life;
  watcher.seen = 0;
  watcher.id = cluster_.watch(node, watcher.keys, watcher.next);
}

void Watchers::leave(Watcher& watcher) {
  if (watcher.node) cluster_.end_watch(*watcher.node, watcher.life, watcher.id);
  watcher.node.reset();
}

bool Watchers::read(Watcher& watcher, std::size_t number) {
  // Some take little at a time, so that what they lack may be compacted.
  const std::size_t bytes = number % 2 == 0 ? 1 : 1 << 10;
  const auto read = cluster_.read_watch(*watcher.node, watcher.id, bytes);
  const std::string who = name_of(number, watcher.keys);
  if (const auto* resync = std::get_if<Watches::Resync>(&read)) {
    watcher.node.reset();
    check(watcher.next <= resync->compacted && resync->compacted <= resync->revision,
          "watch-ends-without-need", who);
    begin(watcher, number);
    watcher.next = std::max(watcher.next, resync->compacted.next());
    return false;
  }
  const auto& [events, revision, more] = std::get<Watches::Events>(read);
  for (const Watches::Event& event : events) check_event(watcher, event, who);
  if (!more) check_all_shown(watcher, revision, who);
  return more;
}

std::vector<std::string> Watchers::wanted(const Watcher& watcher, kv::Revision revision) const {
  std::vector<std::string> keys = cluster_.checker().model().changed_at(revision);
  std::erase_if(keys, [&](const std::string& key) { return !watcher.keys.contains(key); });
  return keys;
}

void Watchers::check_event(Watcher& watcher, const Watches::Event& event, const std::string& who) {
  const Model& model = cluster_.checker().model();
  const kv::Change& change = event.change;
  const std::string what = who + " at revision " + std::to_string(change.revision.value());
  check(change.revision <= model.revision(cluster_.checker().commit_index()),
        "watch-shows-what-was-committed", what);
  while (watcher.next < change.revision) {
    check(watcher.seen == wanted(watcher, watcher.next).size(), "watch-complete",
          what + ", without those of " + std::to_string(watcher.next.value()));
    ++watcher.next;
    watcher.seen = 0;
  }
  const std::vector<std::string> keys = wanted(watcher, change.revision);
  check(watcher.next == change.revision && watcher.seen < keys.size() &&
            change.key() == keys[watcher.seen],
        "watch-ordered", what + ": " + std::string(change.key()));
  const raft::Index index = model.index_of(change.revision);
  const std::string& key = keys[watcher.seen];
  check(same(change.after, model.find(key, index)), "watch-shows-what-was-written", what);
  check(same(change.before, model.find(key, index.previous())), "watch-shows-what-was-before",
        what);
  ++watcher.seen;
  check(event.last_of_revision == (watcher.seen == keys.size()), "watch-atomic", what);
}

void Watchers::check_all_shown(Watcher& watcher, kv::Revision revision,
                               const std::string& who) const {
  for (; watcher.next <= revision; ++watcher.next) {
    check(watcher.seen == wanted(watcher, watcher.next).size(), "watch-complete",
          who + ": some of revision " + std::to_string(watcher.next.value()));
    watcher.seen = 0;
  }
}

}  // namespace anchor::sim
