#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/kv/command.h"
#include "core/replica.h"
#include "sim/cluster_checker.h"

namespace anchor::sim {

using OperationId = std::size_t;
using ClientRequestBody = std::variant<kv::Command, Read, kv::LeaseQuery, AcquireLock, ReleaseLock>;

// What clients asked and were answered, and whether that is linearizable (Herlihy and Wing, 1990).
// The commit order is a witness: every operation has its point in it, which must lie between its
// call and its return and explain its answer. More is asked than clients could notice: a point is
// not before what any leader knew to be committed at the call, whether or not it was answered.
// That is checked as each answer leaves, in time logarithmic in the history. Stale reads are held
// against the age that they tell.
class History {
 public:
  // No clock runs faster or slower than by `drift_ppm`.
  History(ClusterChecker& cluster, std::uint32_t drift_ppm)
      : cluster_(cluster), drift_ppm_(drift_ppm) {}

  // A replica is given the request.
  OperationId call(ClientRequestBody request);
  // The replica answers now.
  void returned(OperationId id, const Outcome& outcome, Instant now);

  // As it was called.
  const ClientRequestBody& request(OperationId id) const { return operations_[id].request; }
  std::size_t operation_count() const { return operations_.size(); }
  std::uint64_t write_count() const { return writes_; }
  std::uint64_t read_count() const { return reads_; }
  // Of these, those that were as good as their age, and no better.
  std::uint64_t stale_read_count() const { return stale_reads_; }
  std::uint64_t refused_count() const { return refused_; }
  std::uint64_t unknown_count() const { return unknown_; }

 private:
  struct Operation {
    ClientRequestBody request;
    std::uint64_t command = 0;  // its hash; zero for a read
    // The commit index at the call: its point is not before it.
    raft::Index after;
    Instant called{};
  };

  void check_write(const Operation& operation, const kv::CommandResult& result);
  void check_lease(const Operation& operation, const LeaseTold& told, Instant now);
  void check_lock(const Operation& operation, const LockAnswer& answer, Instant now);
  void check_session(const kv::SessionWrite& write, const kv::CommandResult& result);
  // What is told of each answer to a read, whatever it has found.
  struct Told {
    kv::Revision revision;
    raft::Index applied_index;
    std::optional<Duration> age{};
  };
  void check_read(const Operation& operation, const ReadDone& read, Instant now);
  void check_range(const Operation& operation, const RangeRead& read, Instant now);
  void check_leases(const Operation& operation, const LeasesRead& read, Instant now);
  void check_compacted(const Operation& operation, const RevisionCompacted& read, Instant now);
  void check_future(const Operation& operation, const RevisionInFuture& read);
  void check_point(const Operation& operation, const Told& told, Instant now,
                   const std::string& what);
  // Where the state was as the read wants it. Requires: it was told at `point`.
  raft::Index state_of(const Read& request, raft::Index point) const;
  void check_recent(const Operation& operation, raft::Index point, const std::string& what);

  ClusterChecker& cluster_;
  std::uint32_t drift_ppm_;
  std::vector<Operation> operations_;
  // By session and number: the first answer that said that the write took effect, or had none.
  std::map<std::pair<kv::SessionId, std::uint64_t>, kv::CommandResult> first_answers_;
  std::uint64_t writes_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t stale_reads_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unknown_ = 0;
};

}  // namespace anchor::sim
