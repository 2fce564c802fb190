#include "sim/history.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "sim/clock_checks.h"
#include "sim/session_checks.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

void check_linearizable(bool holds, const std::string& detail) {
  if (!holds) violated(ExitCode::kNotLinearizable, "linearizability", detail);
}

}  // namespace

OperationId History::call(ClientRequestBody request) {
  Operation operation{
      .request = std::move(request), .after = cluster_.commit_index(), .called = cluster_.now()};
  if (const auto* command = std::get_if<kv::Command>(&operation.request)) {
    operation.command = command_hash(kv::encode_command(*command));
    cluster_.issued(operation.command);
  } else if (const auto* release = std::get_if<ReleaseLock>(&operation.request)) {
    cluster_.locks().released(*release);
  }
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::returned(OperationId id, const Outcome& outcome, Instant now) {
  const Operation& operation = operations_[id];
  const bool write = operation.command != 0;
  const auto* applied = std::get_if<WriteApplied>(&outcome);
  if (applied != nullptr && std::holds_alternative<AcquireLock>(operation.request)) {
    // No place in line was to be had.
    check(std::holds_alternative<kv::OverQuota>(applied->result) ||
              std::holds_alternative<kv::LeasesFull>(applied->result),
          "answers-the-request", "a lock was answered as if it were a write");
    ++refused_;
  } else if (applied != nullptr) {
    ANCHOR_ASSERT(write);
    ++writes_;
    check_write(operation, applied->result);
  } else if (const auto* read = std::get_if<ReadDone>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_read(operation, *read, now);
  } else if (const auto* range = std::get_if<RangeRead>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_range(operation, *range, now);
  } else if (const auto* leases = std::get_if<LeasesRead>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_leases(operation, *leases, now);
  } else if (const auto* compacted = std::get_if<RevisionCompacted>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_compacted(operation, *compacted, now);
  } else if (const auto* future = std::get_if<RevisionInFuture>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_future(operation, *future);
  } else if (const auto* told = std::get_if<LeaseTold>(&outcome)) {
    ANCHOR_ASSERT(!write);
    ++reads_;
    check_lease(operation, *told, now);
  } else if (const auto* lock = std::get_if<LockAnswer>(&outcome)) {
    ++writes_;
    check_lock(operation, *lock, now);
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
  const auto& session = std::get<kv::Command>(operation.request).session;
  if (session) check_session(*session, result);
  const std::vector<raft::Index>& positions = cluster_.positions(operation.command);
  check_linearizable(!positions.empty(), "a write was answered and is not committed");
  const auto explains = [&](raft::Index index) {
    return index > operation.after && cluster_.committed_at(index).expected == result;
  };
  check_linearizable(std::ranges::any_of(positions, explains),
                     "no committed entry explains a write's answer");
  cluster_.answered(operation.command);
}

// Nobody asks of a lease that was not granted before.
void History::check_lease(const Operation& operation, const LeaseTold& told, Instant now) {
  const auto& query = std::get<kv::LeaseQuery>(operation.request);
  const bool exists = cluster_.model().has_lease(query.id);
  cluster_.lease_told(query, told.answer, exists, operation.called, now);
  if (told.answer && query.keep_alive) cluster_.locks().kept(query.id, operation.called);
}

void History::check_lock(const Operation& operation, const LockAnswer& answer, Instant now) {
  const auto* acquire = std::get_if<AcquireLock>(&operation.request);
  const bool acquires =
      std::holds_alternative<LockAcquired>(answer) || std::holds_alternative<LockHeld>(answer);
  ANCHOR_ASSERT(acquires == (acquire != nullptr));
  const auto* lock = std::get_if<LockAcquired>(&answer);
  if (lock == nullptr) return;
  cluster_.locks().acquired(*acquire, *lock, cluster_.model(), cluster_.commit_index(), now);
}

// Whatever a write of a session is answered, each retry is (dissertation 6.3).
void History::check_session(const kv::SessionWrite& write, const kv::CommandResult& result) {
  if (!uses_sequence(result)) return;
  const auto [first, added] = first_answers_.try_emplace({write.session, write.sequence}, result);
  check(added || first->second == result, "session-answers-once",
        "session " + std::to_string(write.session.value()) + ", number " +
            std::to_string(write.sequence) + " was answered otherwise before");
}

void History::check_future(const Operation& operation, const RevisionInFuture& read) {
  const auto& request = std::get<Read>(operation.request);
  const std::string what = "a revision that is not there yet";
  if (request.consistency != Consistency::kLease) {
    check_recent(operation, read.applied_index, what);
  }
  const kv::Revision wanted =
      std::max(request.min_revision, request.at_revision.value_or(kv::Revision()));
  check_linearizable(
      read.revision == cluster_.model().revision(read.applied_index) && read.revision < wanted,
      what + " but is");
}

void History::check_compacted(const Operation& operation, const RevisionCompacted& read,
                              Instant now) {
  const auto& request = std::get<Read>(operation.request);
  const std::string what = "a revision that is compacted";
  check_point(operation, {read.revision, read.applied_index, read.age}, now, what);
  check_linearizable(request.at_revision && *request.at_revision < read.oldest &&
                         read.oldest == cluster_.model().compacted(read.applied_index),
                     what + " but is not");
}

void History::check_read(const Operation& operation, const ReadDone& read, Instant now) {
  const auto& request = std::get<Read>(operation.request);
  const auto& key = std::get<std::string>(request.of);
  const std::string what =
      "a read of " + key + " at index " + std::to_string(read.applied_index.value());
  check_point(operation, {read.revision, read.applied_index, read.age}, now, what);
  const raft::Index state = state_of(request, read.applied_index);
  check_linearizable(same(read.item, cluster_.model().find(key, state)), what + ": its value");
}

void History::check_range(const Operation& operation, const RangeRead& read, Instant now) {
  const auto& request = std::get<Read>(operation.request);
  const std::string what =
      "a read of a range at index " + std::to_string(read.applied_index.value());
  check_point(operation, {read.revision, read.applied_index, read.age}, now, what);
  auto expected = cluster_.model().range(std::get<kv::KeyRange>(request.of),
                                         state_of(request, read.applied_index));
  check_linearizable(read.view.count() == expected.size(), what + ": how many keys there are");
  for (const bool reverse : {false, true}) {
    kv::RangeView::Reader reader(read.view, reverse);
    for (const auto& [key, state] : expected) {
      const kv::ItemRef item = reader.next();
      check_linearizable(item && item->key() == key && same(item, state), what + ": " + key);
    }
    check_linearizable(!reader.peek(), what + ": it goes on after its end");
    std::ranges::reverse(expected);
  }
}

// The model knows them as of its last entry only.
void History::check_leases(const Operation& operation, const LeasesRead& read, Instant now) {
  check_point(operation, {read.revision, read.applied_index}, now, "a list of leases");
  if (read.applied_index != cluster_.commit_index()) return;
  std::vector<kv::LeaseId> listed;
  for (auto at = read.leases.table().tree().begin(); at.valid(); at.next()) {
    listed.push_back(kv::Leases::lease_of(*at.item())->id);
  }
  check_linearizable(listed == cluster_.model().leases(), "which leases there are");
}

raft::Index History::state_of(const Read& request, raft::Index point) const {
  return request.at_revision ? cluster_.model().index_of(*request.at_revision) : point;
}

void History::check_point(const Operation& operation, const Told& told, Instant now,
                          const std::string& what) {
  const auto& request = std::get<Read>(operation.request);
  const raft::Index point = told.applied_index;
  check_linearizable(point <= cluster_.commit_index(), what + " of what is not committed");
  check_linearizable(told.revision == cluster_.model().revision(point), what + ": its revision");
  check_linearizable(told.revision >= request.min_revision, what + ": older than asked for");
  if (request.at_revision) {
    check_linearizable(told.revision >= *request.at_revision, what + ": of a revision to come");
  }
  if (request.consistency == Consistency::kLease) {
    return check(point >= operation.after, "lease-read", what + " by a lease that was none");
  }
  if (request.consistency == Consistency::kLinearizable) {
    return check_recent(operation, point, what);
  }

  ++stale_reads_;
  if (told.age) check_age(cluster_, point, *told.age, drift_ppm_, now, what);
  const auto longest = request.max_staleness;
  if (longest && (!told.age || *told.age > *longest)) check_recent(operation, point, what);
}

// The point lies between the call and the return.
void History::check_recent(const Operation& operation, raft::Index point, const std::string& what) {
  check_linearizable(point <= cluster_.commit_index(), what + " of what is not committed");
  check_linearizable(point >= operation.after,
                     what + " that was called when the log was committed up to " +
                         std::to_string(operation.after.value()));
}

}  // namespace anchor::sim
