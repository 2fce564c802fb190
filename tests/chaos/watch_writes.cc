#include "tests/chaos/watch_writes.h"

#include <algorithm>

namespace anchor::chaos {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

std::string describe(const Shown& shown) {
  return (shown.value == 0 ? "a delete" : "value " + std::to_string(shown.value)) + " of k" +
         std::to_string(shown.key) + " at revision " + std::to_string(shown.revision);
}

bool puts(const Operation* operation) {
  return operation->kind == Kind::kPut;
}

bool is_part(const Operation& part, const Shown& shown) {
  return part.key == shown.key && (puts(&part) ? part.value : 0) == shown.value;
}

// It is not known to have changed nothing.
bool may_delete(const Operation& part) {
  return part.kind == Kind::kDelete && (part.effective || part.outcome == Outcome::kUnknown);
}

}  // namespace

Writes::Writes(const std::vector<Operation>& history, std::vector<std::string>& found)
    : found_(found) {
  for (const Operation& operation : history) {
    const bool deletes = operation.kind == Kind::kDelete;
    if (!deletes && operation.kind != Kind::kPut) continue;
    if (!deletes) writers_[operation.value] = &operation;
    if (operation.group != 0) groups_[operation.group].push_back(&operation);
    if (operation.effective) effective_.push_back(&operation);
    if (operation.effective && deletes) deletes_[operation.revision].push_back(&operation);
  }
  // A transaction that also puts is known by what it puts.
  for (const Operation& operation : history) {
    if (operation.kind != Kind::kDelete || operation.outcome != Outcome::kUnknown) continue;
    if (operation.group != 0 && std::ranges::any_of(groups_[operation.group], puts)) continue;
    ++lost_[operation.key];
    if (operation.group != 0) lost_groups_.insert(operation.group);
  }
}

void Writes::report(const std::string& what, const Shown& shown) {
  found_.push_back(what + ": " + describe(shown));
}

const Operation* Writes::writer_of(const Shown& shown) {
  const auto writer = writers_.find(shown.value);
  if (writer == writers_.end() || writer->second->key != shown.key) {
    report("a watch shows a value that nobody wrote to this key", shown);
    return nullptr;
  }
  const Operation& write = *writer->second;
  if (write.outcome == Outcome::kRefused || write.outcome == Outcome::kConditionFailed) {
    report("a watch shows a value whose write was answered as not applied", shown);
  } else if (write.effective && write.revision != shown.revision) {
    report("a watch shows a value that was written at revision " + std::to_string(write.revision),
           shown);
  }
  const auto [seen, first] = seen_.try_emplace(shown.value, shown.revision);
  if (!first && seen->second != shown.revision) {
    report("a watch shows a write twice, also at " + std::to_string(seen->second), shown);
  }
  return &write;
}

void Writes::explain(Revision revision, Events events, bool whole) {
  const Operation* write = nullptr;
  for (const Shown& shown : events) {
    if (shown.value == 0) continue;
    const Operation* writer = writer_of(shown);
    if (writer == nullptr) return;
    if (write == nullptr) write = writer;
  }
  if (write != nullptr) return explain_by(*write, events, whole);
  explain_deletes(revision, events);
}

// By all of the transaction, or by the only one.
void Writes::explain_by(const Operation& write, Events events, bool whole) {
  const Parts alone{&write};
  const Parts& parts = write.group == 0 ? alone : groups_[write.group];
  for (const Shown& shown : events) {
    const bool explained = std::ranges::any_of(parts, [&](const Operation* part) {
      return is_part(*part, shown) && (puts(part) || may_delete(*part));
    });
    if (!explained) report("a watch shows two writes at one revision", shown);
  }
  if (!whole) return;
  for (const Operation* part : parts) {
    const bool there =
        std::ranges::any_of(events, [&](const Shown& shown) { return is_part(*part, shown); });
    if (puts(part) && !there) {
      report("a watch shows half a transaction, and not k" + std::to_string(part->key),
             events.front());
    }
  }
}

void Writes::explain_deletes(Revision revision, Events events) {
  const auto known = deletes_.find(revision);
  if (known != deletes_.end()) {
    for (const Shown& shown : events) {
      const bool explained = std::ranges::any_of(
          known->second, [&](const Operation* part) { return part->key == shown.key; });
      if (!explained) report("a watch shows a delete that nobody made", shown);
    }
    return;
  }
  if (events.size() > 1 && !lost_group_deletes(events)) {
    report("a watch shows deletes at one revision that nobody made", events.front());
  }
  for (const Shown& shown : events) ++unexplained_[shown.key];
}

bool Writes::lost_group_deletes(Events events) const {
  return std::ranges::any_of(lost_groups_, [&](std::uint64_t group) {
    return std::ranges::all_of(events, [&](const Shown& shown) {
      return std::ranges::any_of(groups_.at(group),
                                 [&](const Operation* part) { return part->key == shown.key; });
    });
  });
}

void Writes::check_deletes() {
  for (const auto& [key, count] : unexplained_) {
    const std::size_t lost = lost_[key];
    if (count <= lost) continue;
    found_.push_back("watches show more deletes than anybody made: " + std::to_string(count) +
                     " of k" + std::to_string(key) + " beside those that are known, but only " +
                     std::to_string(lost) + " were without an answer");
  }
}

}  // namespace anchor::chaos
