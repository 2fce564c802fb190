#include "tests/chaos/watch_order.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace anchor::chaos {
namespace {

using Kind = Shown::Kind;

class Order {
 public:
  Order(const WatchConnection& connection, std::vector<std::string>& found)
      : connection_(connection), found_(found), through_(connection.from - 1) {}

  Revision run() {
    for (const Shown& shown : connection_.shown) {
      if (ended_) report("a watch went on after it had ended", shown);
      switch (shown.kind) {
        case Kind::kEvent:
          take_event(shown);
          break;
        case Kind::kProgress:
          take_progress(shown);
          break;
        case Kind::kResync:
          take_resync(shown);
          break;
      }
    }
    return through_;
  }

 private:
  void report(const std::string& what, const Shown& shown) {
    found_.push_back(what + ": " + describe(connection_, shown));
  }

  void take_event(const Shown& shown) {
    if (shown.revision < connection_.from) report("an event of what was not asked for", shown);
    const bool same = shown.revision == open_;
    if (shown.revision <= through_) {
      report(shown.revision == through_ ? "an event after the last of its revision"
                                        : "revisions went back",
             shown);
    } else if (open_ != 0 && !same) {
      report(shown.revision < open_ ? "revisions went back" : "a revision ended without an id",
             shown);
    }
    if (!same) keys_.clear();
    if (!keys_.insert(shown.key).second) report("a key changed twice in a revision", shown);
    open_ = shown.last_of_revision ? 0 : shown.revision;
    if (shown.last_of_revision) pass(shown.revision);
  }

  void take_progress(const Shown& shown) {
    if (open_ != 0) report("progress within a revision", shown);
    if (shown.revision < std::max(heard_, shown_)) report("progress went back", shown);
    open_ = 0;
    heard_ = std::max(heard_, shown.revision);
    through_ = std::max(through_, shown.revision);
  }

  // The oldest revision that can be read is the newest whose changes are not there any more.
  void take_resync(const Shown& shown) {
    const Revision next = std::max(connection_.from, through_ + 1);
    if (shown.previous_revision < next) report("a resync of what is not compacted", shown);
    if (shown.revision < shown.previous_revision) report("a resync to the past", shown);
    ended_ = true;
  }

  void pass(Revision revision) {
    shown_ = revision;
    through_ = std::max(through_, revision);
  }

  const WatchConnection& connection_;
  std::vector<std::string>& found_;
  Revision through_;
  // The last revision that was shown whole, and the last that progress told.
  Revision shown_ = 0;
  Revision heard_ = 0;
  // Of this one the last event has not come yet; zero: there is none. The keys of the last one.
  Revision open_ = 0;
  std::set<std::uint32_t> keys_;
  bool ended_ = false;
};

}  // namespace

Revision check_order(const WatchConnection& connection, std::vector<std::string>& found) {
  return Order(connection, found).run();
}

void Covered::finish() {
  std::ranges::sort(spans_, {}, &Span::from);
  std::vector<Span> merged;
  for (const Span& span : spans_) {
    if (!merged.empty() && span.from <= merged.back().through + 1) {
      merged.back().through = std::max(merged.back().through, span.through);
    } else {
      merged.push_back(span);
    }
  }
  spans_ = std::move(merged);
}

bool Covered::has(Revision from, Revision through) const {
  if (from > through) return true;
  const auto after = std::ranges::upper_bound(spans_, from, {}, &Span::from);
  return after != spans_.begin() && std::prev(after)->through >= through;
}

std::string describe(const WatchConnection& connection) {
  return "watcher " + std::to_string(connection.watcher) + " on n" +
         std::to_string(connection.server + 1) + " from " + std::to_string(connection.from);
}

std::string describe(const WatchConnection& connection, const Shown& shown) {
  const std::string at = std::to_string(shown.revision);
  std::string text = describe(connection) + " shows ";
  if (shown.kind == Kind::kProgress) return text + "progress up to " + at;
  if (shown.kind == Kind::kResync) {
    return text + "a resync to " + at + ", compacted up to " +
           std::to_string(shown.previous_revision);
  }
  text += (shown.value == 0 ? "a delete" : "value " + std::to_string(shown.value)) + " of k" +
          std::to_string(shown.key) + " at " + at + (shown.last_of_revision ? ", its last" : "");
  return text + ", before it " + std::to_string(shown.previous_value) + " of revision " +
         std::to_string(shown.previous_revision);
}

}  // namespace anchor::chaos
