#include "sim/history.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "sim/clock_checks.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

void check_linearizable(bool holds, const std::string& detail) {
  if (!holds) violated(ExitCode::kNotLinearizable, "linearizability", detail);
}

}  // namespace

OperationId History::call(std::variant<kv::Command, ReadKey> request) {
  Operation operation{.request = std::move(request), .after = cluster_.commit_index()};
  if (const auto* command = std::get_if<kv::Command>(&operation.request)) {
    operation.command = command_hash(kv::encode_command(*command));
    cluster_.issued(operation.command);
  }
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::returned(OperationId id, const Outcome& outcome, Instant now) {
  const Operation& operation = operations_[id];
  const bool write = operation.command != 0;
  if (const auto* applied = std::get_if<WriteApplied>(&outcome)) {
    ANCHOR_ASSERT(write);
    ++writes_;
    check_write(operation, applied->result);
  } else if (const auto* read = std::get_if<ReadDone>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_read(operation, *read, now);
  } else if (const auto* future = std::get_if<RevisionInFuture>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    const auto& request = std::get<ReadKey>(operation.request);
    const std::string what = "a revision that is not there yet";
    if (request.consistency != Consistency::kLease) {
      check_recent(operation, future->applied_index, what);
    }
    check_linearizable(future->revision == cluster_.model().revision(future->applied_index) &&
                           future->revision < request.min_revision,
                       what + " but is");
  } else if (std::holds_alternative<NotApplied>(outcome)) {
    ++refused_;
    if (write) cluster_.refused(operation.command);
  } else {
    check(std::holds_alternative<OutcomeUnknown>(outcome), "answers-the-request",
          "a request for a key was answered as if it were another");
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
  check_linearizable(std::ranges::any_of(positions, explains),
                     "no committed entry explains a write's answer");
  cluster_.answered(operation.command);
}

void History::check_read(const Operation& operation, const ReadDone& read, Instant now) {
  const auto& request = std::get<ReadKey>(operation.request);
  const raft::Index point = read.applied_index;
  const std::string what =
      "a read of " + request.key + " at index " + std::to_string(point.value());
  check_linearizable(point <= cluster_.commit_index(), what + " of what is not committed");
  check_linearizable(read.revision == cluster_.model().revision(point), what + ": its revision");
  check_linearizable(same(read.item, cluster_.model().find(request.key, point)),
                     what + ": its value");
  check_linearizable(read.revision >= request.min_revision, what + ": older than asked for");
  if (request.consistency == Consistency::kLease) {
    return check(point >= operation.after, "lease-read", what + " by a lease that was none");
  }
  if (request.consistency == Consistency::kLinearizable) {
    return check_recent(operation, point, what);
  }

  ++stale_reads_;
  if (read.age) check_age(cluster_, point, *read.age, drift_ppm_, now, what);
  const auto longest = request.max_staleness;
  if (longest && (!read.age || *read.age > *longest)) check_recent(operation, point, what);
}

// The point lies between the call and the return.
void History::check_recent(const Operation& operation, raft::Index point, const std::string& what) {
  check_linearizable(point <= cluster_.commit_index(), what + " of what is not committed");
  check_linearizable(point >= operation.after,
                     what + " that was called when the log was committed up to " +
                         std::to_string(operation.after.value()));
}

}  // namespace anchor::sim
