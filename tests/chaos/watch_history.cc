#include "tests/chaos/watch_history.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "tests/chaos/watch_order.h"
#include "tests/chaos/watch_writes.h"

namespace anchor::chaos {
namespace {

using Events = std::span<const Shown>;

// What a revision did, as a connection showed it.
struct Agreed {
  const WatchConnection* connection = nullptr;
  Events events{};
  // False: the connection ended before the revision did.
  bool whole = false;
};

bool is_event(const Shown& shown) {
  return shown.kind == Shown::Kind::kEvent;
}

class Check {
 public:
  Check(const std::vector<Operation>& history, const std::vector<WatchConnection>& connections)
      : connections_(connections), writes_(history, found_) {}

  std::vector<std::string> run() {
    for (const WatchConnection& connection : connections_) {
      const Revision through = check_order(connection, found_);
      through_.push_back(through);
      if (through >= connection.from) covered_.add(connection.from, through);
    }
    covered_.finish();
    for (const bool whole : {true, false}) {
      for (const WatchConnection& connection : connections_) agree(connection, whole);
    }
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      check_nothing_missed(connections_[i], through_[i]);
    }
    for (const auto& [revision, agreed] : agreed_) {
      writes_.explain(revision, agreed.events, agreed.whole);
      check_previous(revision, agreed);
    }
    writes_.check_deletes();
    for (const Operation* write : writes_.effective()) check_seen(*write);
    return std::move(found_);
  }

 private:
  // Calls `visit` with the events of each revision, and whether they are all of them.
  template <typename Visit>
  static void visit_revisions(const WatchConnection& connection, Visit visit) {
    const auto& shown = connection.shown;
    for (std::size_t at = 0; at < shown.size();) {
      std::size_t end = at + 1;
      const auto goes_on = [&] {
        return end < shown.size() && is_event(shown[end]) &&
               shown[end].revision == shown[at].revision;
      };
      while (is_event(shown[at]) && goes_on()) ++end;
      if (is_event(shown[at])) {
        visit(Events(&shown[at], end - at), shown[end - 1].last_of_revision);
      }
      at = end;
    }
  }

  void agree(const WatchConnection& connection, bool which) {
    visit_revisions(connection, [&](Events events, bool whole) {
      if (whole != which) return;
      const Agreed mine{&connection, events, whole};
      const auto [at, added] = agreed_.try_emplace(events.front().revision, mine);
      if (added) return;
      Agreed& agreed = at->second;
      const std::size_t common = std::min(events.size(), agreed.events.size());
      const bool too_many = agreed.whole && events.size() > common;
      const bool too_few = whole && agreed.events.size() > common;
      if (too_many || too_few ||
          !std::ranges::equal(events.first(common), agreed.events.first(common), same_change)) {
        found_.push_back("watches disagree on what a revision did: " +
                         describe(*agreed.connection, agreed.events.back()) + ", but " +
                         describe(connection, events.back()));
      } else if (events.size() > agreed.events.size()) {
        agreed = mine;
      }
    });
  }

  static bool same_change(const Shown& one, const Shown& other) {
    return one.key == other.key && one.value == other.value &&
           one.previous_revision == other.previous_revision &&
           one.previous_value == other.previous_value;
  }

  // Of each connection the first is told: others follow from it.
  void check_nothing_missed(const WatchConnection& connection, Revision through) {
    auto expected = agreed_.lower_bound(connection.from);
    for (const Shown& shown : connection.shown) {
      if (!is_event(shown)) continue;
      if (expected != agreed_.end() && expected->first < shown.revision) {
        return report_missed(connection, expected->second);
      }
      if (expected != agreed_.end() && expected->first == shown.revision) ++expected;
    }
    if (expected != agreed_.end() && expected->first <= through) {
      report_missed(connection, expected->second);
    }
  }

  void report_missed(const WatchConnection& connection, const Agreed& missed) {
    found_.push_back("a watch missed a revision: " + describe(connection) + " does not show what " +
                     describe(*missed.connection, missed.events.front()));
  }

  void check_seen(const Operation& write) {
    if (!covered_.has(write.revision, write.revision)) return;
    const auto agreed = agreed_.find(write.revision);
    const bool seen = agreed != agreed_.end() &&
                      std::ranges::any_of(agreed->second.events, [&](const Shown& shown) {
                        return shown.key == write.key && shown.value == write.value;
                      });
    if (!seen) found_.push_back("watches do not show a write: " + describe(write));
  }

  // What the key's event before this one left there. Where revisions between have been shown to
  // nobody there may have been others.
  void check_previous(Revision revision, const Agreed& agreed) {
    for (const Shown& shown : agreed.events) {
      Shown& last = last_[shown.key];
      const Revision expected = last.value == 0 ? 0 : last.revision;
      const Revision known_from = std::max<Revision>(last.revision + 1, kFirstChange);
      const bool certain = covered_.has(known_from, revision - 1);
      const bool is_last = shown.previous_revision == expected &&
                           shown.previous_value == (expected == 0 ? 0 : last.value);
      const bool in_between =
          !certain && (shown.previous_revision == 0 || (shown.previous_revision > last.revision &&
                                                        shown.previous_revision < revision));
      if (!is_last && !in_between) {
        found_.push_back("what was there before is not what the key's last event left: " +
                         describe(*agreed.connection, shown) + ", expected " +
                         std::to_string(expected == 0 ? 0 : last.value) + " of revision " +
                         std::to_string(expected));
      }
      if (shown.value == 0 && shown.previous_revision == 0) {
        found_.push_back("a delete of what was not there: " + describe(*agreed.connection, shown));
      }
      last = shown;
    }
  }

  // The first revision is the empty store's.
  static constexpr Revision kFirstChange = 2;

  const std::vector<WatchConnection>& connections_;
  std::vector<std::string> found_;
  Writes writes_;
  std::vector<Revision> through_;  // by connection
  Covered covered_;
  std::map<Revision, Agreed> agreed_;
  std::map<std::uint32_t, Shown> last_;  // by key
};

}  // namespace

std::vector<std::string> find_watch_violations(const std::vector<Operation>& history,
                                               const std::vector<WatchConnection>& connections) {
  return Check(history, connections).run();
}

}  // namespace anchor::chaos
