#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/replica.h"
#include "sim/disk.h"
#include "sim/lease_checks.h"
#include "sim/lock_checks.h"
#include "sim/model.h"
#include "sim/session_checks.h"

namespace anchor::sim {

// The order in which entries were committed: what linearizability is checked against.
struct CommittedEntry {
  raft::Term term;
  // Of the leader that committed it first.
  raft::Term commit_term;
  // The hash of all entries up to here.
  std::uint64_t chain = 0;
  // Of the command's bytes; zero if it is none.
  std::uint64_t command = 0;
  kv::CommandResult expected{};
  // When a leader knew that it is committed.
  Instant at{};
};

// Safety over the whole cluster, checked after every event on the node that it happened to. It is
// told what the nodes do and looks into them and their disks; they know nothing of it.
class ClusterChecker {
 public:
  // `disks` outlives it and has an element for each node; null: it has none.
  // Clocks drift so much at most; none: they keep to no bound.
  explicit ClusterChecker(const std::vector<const DiskImage*>& disks,
                          std::optional<std::uint32_t> max_drift_ppm = 0);

  // What follows happens now. Requires: time does not go back.
  void set_time(Instant now) { now_ = now; }
  Instant now() const { return now_; }

  // The node is another from now on: what it was is a member no more.
  void wiped(std::size_t node) { nodes_[node] = {}; }
  void booted(std::size_t node, const Replica& replica);
  // Before what the step put out is carried out. Of a replica that was damaged on purpose the state
  // is not compared.
  void stepped(std::size_t node, const Replica& replica, const raft::Output& output,
               bool damaged = false);
  // A message is about to leave, whose node's disk would leave its image if power failed now.
  void sending(std::size_t node, const raft::Message& message);
  // The disk is about to carry out the batch.
  void writing(std::size_t node, const raft::PersistBatch& batch) const;

  const std::vector<CommittedEntry>& committed() const { return committed_; }
  raft::Index commit_index() const { return raft::Index(committed_.size()); }
  const CommittedEntry& committed_at(raft::Index index) const {
    return committed_[index.value() - 1];
  }
  // The last of what was committed by then.
  raft::Index committed_by(Instant then) const;
  const Model& model() const { return model_; }
  // The newest that is committed, and all that any server may hold which follow it.
  std::vector<const raft::Configuration*> configurations() const;

  // Whether this is the digest of the state that the log makes at the index, as far as is known.
  bool is_state(raft::Index index, std::uint64_t digest) const;

  // A client was told of a lease (sim/lease_checks.h).
  void lease_told(const kv::LeaseQuery& query, const kv::LeaseAnswer& answer, bool exists,
                  Instant asked, Instant now) {
    leases_.told(query, answer, exists, asked, now);
  }

  LockChecks& locks() { return locks_; }

  // A command was given to a replica, under the hash of its bytes.
  void issued(std::uint64_t command) { ++commands_[command].issued; }
  // It was answered "not applied".
  void refused(std::uint64_t command);
  // It was answered with its result.
  void answered(std::uint64_t command);
  // Where commands with this hash were committed.
  const std::vector<raft::Index>& positions(std::uint64_t command) { return commands_[command].at; }

 private:
  struct NodeView {
    // By index - 1, as in its log.
    std::vector<std::uint64_t> chain{};
    raft::Index base{};
    raft::Index commit_index{};
    raft::Index applied_index{};
    raft::Term term;
    // The highest that others may know of, in all its lives.
    raft::Term said_term;
    // It led in this term when it was last seen; zero if it did not lead.
    raft::Term leads{};
  };
  struct TermChain {
    raft::Term term;
    std::uint64_t chain;
  };
  struct Leadership {
    std::size_t node = 0;
    // Its log while it leads; it only grows.
    std::vector<std::uint64_t> chain;
  };
  struct Command {
    std::uint64_t issued = 0;
    std::uint64_t refused = 0;
    std::uint64_t answered = 0;
    std::vector<raft::Index> at;
    // How often each node has sent it to the leader of each term.
    std::map<std::pair<std::size_t, raft::Term>, std::uint64_t> forwards;
  };

  void follow_base(std::size_t node, const raft::Log& log);
  void follow_log(std::size_t node, const raft::Raft& raft);
  void check_durable(std::size_t node, const raft::Log& log) const;
  void check_acknowledged(std::size_t node, const raft::Raft& raft) const;
  void check_leadership(std::size_t node, const raft::Raft& raft);
  void check_right_to_lead(std::size_t node, const raft::Raft& raft) const;
  void check_commits(std::size_t node, const raft::Raft& raft);
  void add_commit(std::size_t node, const raft::Raft& raft, raft::Index index);
  const DiskImage* disk_of(const raft::Peer& peer) const;
  bool durable_on_quorum(const raft::Configuration& configuration, const raft::Entry& entry) const;
  void check_change(std::size_t node, const raft::Raft& raft, const raft::Entry& entry) const;
  void check_promotions(const raft::Configuration& from, const raft::Configuration& to,
                        const std::string& who) const;
  void check_digest(std::size_t node, const Replica& replica, bool damaged);
  void check_once(std::uint64_t command) const;
  void check_forward(std::size_t node, const raft::ForwardRequest& request);

  const std::vector<const DiskImage*>& disks_;
  Instant now_{};
  std::vector<NodeView> nodes_;
  // By index - 1: the hash of all up to there, for each term that an entry there ever had.
  std::vector<std::vector<TermChain>> known_;
  std::map<raft::Term, Leadership> leaderships_;
  std::vector<CommittedEntry> committed_;
  // By applied index; zero: nobody stopped there.
  std::vector<std::uint64_t> digests_;
  std::map<std::uint64_t, Command> commands_;
  // All that ever were in a log, by index and term.
  std::map<std::pair<raft::Index, raft::Term>, raft::SharedConfiguration> configurations_;
  Model model_;
  SessionChecks sessions_;
  LeaseChecks leases_;
  LockChecks locks_;
};

// The name that commands go by in checkers.
std::uint64_t command_hash(const Bytes& command);

}  // namespace anchor::sim
