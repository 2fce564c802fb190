#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/kv/command.h"
#include "core/replica.h"
#include "sim/cluster_checker.h"

namespace anchor::sim {

using OperationId = std::size_t;

// What clients asked and were answered, and whether that is linearizable (Herlihy and Wing, 1990).
// The commit order is a witness: every operation has its point in it, which must lie between its
// call and its return and explain its answer. That is checked as each answer leaves, in time
// logarithmic in the history.
class History {
 public:
  explicit History(ClusterChecker& cluster) : cluster_(cluster) {}

  // A replica is given the request.
  OperationId call(std::variant<kv::Command, ReadKey> request);
  // The replica answered.
  void returned(OperationId id, const Outcome& outcome);

  // As it was called.
  const std::variant<kv::Command, ReadKey>& request(OperationId id) const {
    return operations_[id].request;
  }
  std::size_t operation_count() const { return operations_.size(); }
  std::uint64_t write_count() const { return writes_; }
  std::uint64_t read_count() const { return reads_; }
  std::uint64_t refused_count() const { return refused_; }
  std::uint64_t unknown_count() const { return unknown_; }

 private:
  struct Operation {
    std::variant<kv::Command, ReadKey> request;
    std::uint64_t command = 0;  // its hash; zero for a read
    // The latest point of all operations that had returned before this one's call: its own is not
    // before it.
    raft::Index after;
  };

  void check_write(const Operation& operation, const kv::CommandResult& result);
  void check_read(const Operation& operation, const ReadDone& read);

  ClusterChecker& cluster_;
  std::vector<Operation> operations_;
  raft::Index latest_point_;
  std::uint64_t writes_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t unknown_ = 0;
};

}  // namespace anchor::sim
