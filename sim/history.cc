#include "sim/history.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

void check_linearizable(bool holds, const std::string& detail) {
  if (!holds) violated(ExitCode::kNotLinearizable, "linearizability", detail);
}

}  // namespace

OperationId History::call(std::variant<kv::Command, ReadKey> request) {
  Operation operation{.request = std::move(request), .after = latest_point_};
  if (const auto* command = std::get_if<kv::Command>(&operation.request)) {
    operation.command = command_hash(kv::encode_command(*command));
    cluster_.issued(operation.command);
  }
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::returned(OperationId id, const Outcome& outcome) {
  const Operation& operation = operations_[id];
  const bool write = operation.command != 0;
  if (const auto* applied = std::get_if<WriteApplied>(&outcome)) {
    ANCHOR_ASSERT(write);
    ++writes_;
    check_write(operation, applied->result);
  } else if (const auto* read = std::get_if<ReadDone>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_read(operation, *read);
  } else if (std::holds_alternative<NotApplied>(outcome)) {
    ++refused_;
    if (write) cluster_.refused(operation.command);
  } else {
    ++unknown_;
  }
}

// What changed something names its revision, and so its entry. Of commands without effect that look
// the same, any with the same answer will do.
void History::check_write(const Operation& operation, const kv::CommandResult& result) {
  const std::vector<raft::Index>& positions = cluster_.positions(operation.command);
  check_linearizable(!positions.empty(), "a write was answered and is not committed");
  const auto explains = [&](raft::Index index) {
    return index > operation.after && cluster_.committed_at(index).expected == result;
  };
  const auto point = std::ranges::find_if(positions, explains);
  check_linearizable(point != positions.end(), "no committed entry explains a write's answer");
  latest_point_ = std::max(latest_point_, *point);
}

void History::check_read(const Operation& operation, const ReadDone& read) {
  const std::string& key = std::get<ReadKey>(operation.request).key;
  const raft::Index point = read.applied_index;
  const std::string detail = "a read of " + key + " at index " + std::to_string(point.value());
  check_linearizable(point <= cluster_.commit_index(), detail + " of what is not committed");
  check_linearizable(point >= operation.after, detail + " after an answer from index " +
                                                   std::to_string(operation.after.value()) +
                                                   " was seen");
  check_linearizable(read.revision == cluster_.model().revision(point), detail + ": its revision");
  check_linearizable(same(read.item, cluster_.model().find(key, point)), detail + ": its value");
  latest_point_ = std::max(latest_point_, point);
}

}  // namespace anchor::sim
