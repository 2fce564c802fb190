#include "tests/chaos/history.h"

#include <algorithm>
#include <map>
#include <utility>

namespace anchor::chaos {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

// Clocks are read before and after what they are to measure, and ages are told in milliseconds.
constexpr auto kAgeSlack = std::chrono::milliseconds(2);

// Of one key.
struct Deletes {
  // When those began that had no answer.
  std::vector<TimePoint> unknown;
  // By a write's revision: who was the first to see it gone, though no delete is known.
  std::map<Revision, const Operation*> needed;
};

// Tells what a key was at a revision: whatever does not change it.
bool observes(const Operation& operation) {
  return answered(operation) && !operation.effective;
}

class Check {
 public:
  explicit Check(const std::vector<Operation>& history) : history_(history) {}

  std::vector<std::string> run() {
    collect_writes();
    collect_seen();
    for (const Operation& operation : history_) {
      if (observes(operation)) check_seen(operation, operation.revision, operation.key_revision);
      if (operation.effective && operation.condition) {
        check_seen(operation, operation.revision - 1, *operation.condition);
      }
    }
    check_deletes();
    check_real_time();
    return std::move(found_);
  }

 private:
  void report(const std::string& what, const Operation& operation) {
    found_.push_back(what + ": " + describe(operation));
  }

  void add_version(Revision revision, const Operation& writer) {
    const auto [owner, added] = owners_.try_emplace(revision, &writer);
    if (!added && (writer.group == 0 || owner->second->group != writer.group)) {
      report("another write has the same revision", writer);
    }
    deletions_[writer.key].try_emplace(revision, writer.kind == Kind::kDelete);
    revision_of_[&writer] = revision;
  }

  void collect_writes() {
    for (const Operation& operation : history_) {
      if (operation.kind == Kind::kPut) writers_[operation.value] = &operation;
      if (operation.group != 0) groups_[operation.group].push_back(&operation);
      if (operation.effective) add_version(operation.revision, operation);
      const bool lost = operation.outcome == Outcome::kUnknown && operation.kind == Kind::kDelete;
      if (lost) deletes_[operation.key].unknown.push_back(operation.begin);
    }
  }

  // Writes without an answer, as far as anybody saw them.
  void collect_seen() {
    for (const Operation& read : history_) {
      const bool saw = observes(read) && read.key_revision != 0 && read.kind != Kind::kPut;
      if (saw) collect_seen(read);
    }
  }

  void collect_seen(const Operation& read) {
    const auto writer = writers_.find(read.value);
    if (writer == writers_.end() || writer->second->key != read.key) {
      return report("a value that nobody wrote to this key", read);
    }
    const Operation& write = *writer->second;
    if (write.outcome == Outcome::kRefused || write.outcome == Outcome::kConditionFailed) {
      return report("a value whose write was answered as not applied", read);
    }
    if (write.begin > read.end) return report("a value from the future", read);
    const auto known = revision_of_.find(&write);
    if (known == revision_of_.end()) return add_seen(read.key_revision, write);
    if (known->second != read.key_revision) {
      report("a value that was written at revision " + std::to_string(known->second), read);
    }
  }

  // With it all of its transaction took effect.
  void add_seen(Revision revision, const Operation& write) {
    if (write.group == 0) return add_version(revision, write);
    for (const Operation* part : groups_[write.group]) add_version(revision, *part);
  }

  // The key's revision must have been `seen` at `revision`.
  void check_seen(const Operation& operation, Revision revision, Revision seen) {
    if (seen > revision) return report("the key's revision is above the store's", operation);
    const auto& versions = deletions_[operation.key];
    const auto after = versions.upper_bound(revision);
    const bool none = after == versions.begin();
    const Revision last = none ? 0 : std::prev(after)->first;
    const bool deleted = none || std::prev(after)->second;
    if (seen != 0) {
      if (last > seen) {
        report("missed the write at revision " + std::to_string(last) + " of the key", operation);
      }
      return;
    }
    if (deleted) return;
    // A delete without an answer may have come after the write.
    const Operation*& first = deletes_[operation.key].needed.try_emplace(last).first->second;
    if (first == nullptr || operation.end < first->end) first = &operation;
  }

  // Each delete without an answer explains the end of one write at most.
  void check_deletes() {
    for (auto& [key, deletes] : deletes_) {
      std::ranges::sort(deletes.unknown);
      std::vector<const Operation*> needed;
      for (const auto& [last, operation] : deletes.needed) needed.push_back(operation);
      std::ranges::sort(needed, {}, &Operation::end);
      for (std::size_t i = 0; i < needed.size(); ++i) {
        const auto begun = std::ranges::lower_bound(deletes.unknown, needed[i]->end);
        if (begun - deletes.unknown.begin() > static_cast<std::ptrdiff_t>(i)) continue;
        report("saw nothing, but the key was written and not deleted", *needed[i]);
      }
    }
  }

  // What began after another had ended has no earlier point.
  void check_real_time() {
    std::vector<std::pair<TimePoint, Revision>> ended;
    for (const Operation& operation : history_) {
      if (answered(operation)) ended.emplace_back(operation.end, operation.revision);
    }
    std::ranges::sort(ended);
    for (std::size_t i = 1; i < ended.size(); ++i) {
      ended[i].second = std::max(ended[i].second, ended[i - 1].second);
    }
    const auto latest_before = [&](TimePoint begin) -> Revision {
      const auto at =
          std::ranges::lower_bound(ended, begin, {}, [](const auto& e) { return e.first; });
      return at == ended.begin() ? 0 : std::prev(at)->second;
    };
    for (const Operation& operation : history_) check_real_time(operation, latest_before);
  }

  template <typename LatestBefore>
  void check_real_time(const Operation& operation, const LatestBefore& latest_before) {
    TimePoint begin = operation.begin;
    if (operation.kind == Kind::kStaleRead) {
      if (!operation.age) return;
      begin -= *operation.age + kAgeSlack;
    }
    Revision point = operation.revision;
    bool moves_on = operation.effective;
    if (!answered(operation)) {
      const auto seen = revision_of_.find(&operation);
      if (seen == revision_of_.end()) return;
      point = seen->second;
      moves_on = true;
    }
    const Revision latest = latest_before(begin);
    if (point > latest || (point == latest && !moves_on)) return;
    report("began after revision " + std::to_string(latest) + " had been told, but is at " +
               std::to_string(point),
           operation);
  }

  const std::vector<Operation>& history_;
  std::map<std::uint64_t, const Operation*> writers_;  // by value
  // By key: of each revision that changed it, whether it deleted it.
  std::map<std::uint32_t, std::map<Revision, bool>> deletions_;
  std::map<std::uint64_t, std::vector<const Operation*>> groups_;
  std::map<Revision, const Operation*> owners_;       // of all keys
  std::map<const Operation*, Revision> revision_of_;  // of all known writes
  std::map<std::uint32_t, Deletes> deletes_;          // by key
  std::vector<std::string> found_;
};

}  // namespace

bool answered(const Operation& operation) {
  return operation.outcome == Outcome::kDone || operation.outcome == Outcome::kConditionFailed;
}

std::string describe(const Operation& operation) {
  constexpr const char* kKinds[] = {"put", "delete", "read", "stale read"};
  constexpr const char* kOutcomes[] = {"done", "condition failed", "refused", "unknown"};
  const auto since = [](TimePoint at) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
  };
  std::string text =
      std::string(kKinds[static_cast<int>(operation.kind)]) + " of k" +
      std::to_string(operation.key) + " by client " + std::to_string(operation.client) + " on n" +
      std::to_string(operation.server + 1) + " in [" + since(operation.begin) + ", " +
      since(operation.end) + "]: " + kOutcomes[static_cast<int>(operation.outcome)];
  if (operation.condition) text += ", if at " + std::to_string(*operation.condition);
  if (operation.value != 0) text += ", value " + std::to_string(operation.value);
  if (answered(operation)) {
    text += ", revision " + std::to_string(operation.revision) + ", the key's " +
            std::to_string(operation.key_revision);
  }
  if (operation.age) text += ", age " + std::to_string(operation.age->count()) + " us";
  return text;
}

std::vector<std::string> find_violations(const std::vector<Operation>& history) {
  return Check(history).run();
}

}  // namespace anchor::chaos
