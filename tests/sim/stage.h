#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/raft/configuration.h"
#include "core/replica.h"
#include "sim/cluster_checker.h"
#include "sim/violation.h"

// Nodes in whatever states a test wants, also such as no correct code comes to, to see that the
// checkers find it out.
namespace anchor::sim {

inline raft::ServerId id_of(std::size_t node) {
  return raft::ServerId("n" + std::to_string(node + 1));
}

inline raft::Configuration configuration_of(std::size_t nodes) {
  std::vector<raft::Member> members;
  for (std::size_t node = 0; node < nodes; ++node) {
    members.push_back({id_of(node), raft::Incarnation(0), "", ""});
  }
  return raft::founding_configuration(std::move(members));
}

using Log = std::vector<raft::Entry>;

// What every log begins with.
inline Log founded(std::size_t nodes = 3) {
  raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
  entry.payload = std::make_shared<const raft::Configuration>(configuration_of(nodes));
  return {std::move(entry)};
}

inline Log with(Log log, std::uint64_t term, decltype(raft::Entry::payload) payload = {}) {
  log.push_back({raft::Index(log.size() + 1), raft::Term(term), std::move(payload)});
  return log;
}
inline Log with(Log log, std::uint64_t term, const kv::Command& command) {
  return with(std::move(log), term, raft::Command{kv::encode_command(command)});
}

inline raft::Recovered recovered(std::uint64_t term, Log log) {
  return {.cluster_id = raft::ClusterId(1),
          .self = {id_of(0), raft::Incarnation(0)},
          .boot = raft::Boot(1),
          .hard_state = {.term = raft::Term(term), .vote = {}},
          .base = {},
          .base_configuration = {},
          .entries = std::move(log)};
}

// A follower in `term` that has committed, and so applied, the log up to `commit_index`.
inline Replica follower(std::uint64_t term, const Log& log, std::uint64_t commit_index = 0) {
  Replica replica({}, recovered(term, log));
  const raft::LogPosition last{log.back().index, log.back().term};
  const Input heartbeat =
      PeerMessage{{.from = {id_of(1), raft::Incarnation(0)},
                   .from_boot = raft::Boot(1),
                   .to = {id_of(0), raft::Incarnation(0)},
                   .term = raft::Term(term),
                   .body = raft::AppendEntries{.previous = last,
                                               .commit_index = raft::Index(commit_index),
                                               .round = raft::Round(1),
                                               .entries = {}}}};
  replica.step(Instant(), {&heartbeat, 1});
  return replica;
}

// A leader in `term`, whose log is this one and a no-op. (It elected itself: in its own view it is
// alone, but that is nothing that a checker looks at.)
inline Replica leader(std::uint64_t term, Log log) {
  log.front() = founded(1).front();
  Replica replica({}, recovered(term - 1, std::move(log)));
  const Output vote = replica.step(Instant(), {});
  const Input voted = Persisted{vote.persist->id};
  replica.step(Instant(), {&voted, 1});
  ANCHOR_ASSERT(replica.raft().is_leader());
  return replica;
}

// The leader of two in term 3, whose no-op at index 2 the other has, and which it promises to vote
// for nobody else for so long.
inline Replica leader_of_two(Duration promise) {
  Replica replica({}, recovered(2, founded(2)));
  const auto hear = [&](Instant now, std::uint64_t term, raft::MessageBody body) {
    const Input input = PeerMessage{{.from = {id_of(1), raft::Incarnation(0)},
                                     .from_boot = raft::Boot(1),
                                     .to = {id_of(0), raft::Incarnation(0)},
                                     .term = raft::Term(term),
                                     .body = std::move(body)}};
    return replica.step(now, {&input, 1});
  };
  replica.step(Instant(), {});
  replica.step(*replica.deadline(), {});  // asks for pre-votes
  const Instant now = *replica.deadline();
  const raft::Term campaign(3);
  Output output = hear(now, 2, raft::VoteReply{campaign, true, true});
  const auto persisted = [&] {
    const Input done = Persisted{output.persist->id};
    output = replica.step(now, {&done, 1});
  };
  persisted();
  output = hear(now, 3, raft::VoteReply{campaign, false, true});
  persisted();
  ANCHOR_ASSERT(replica.raft().is_leader());
  hear(now, 3,
       raft::AppendAccepted{.match_index = raft::Index(2),
                            .round = std::get<raft::Leader>(replica.raft().role()).round,
                            .promise = promise,
                            .sent = Instant(1s)});
  return replica;
}

// A checker of three nodes, and their disks.
class Stage {
 public:
  Stage() : checker_(images_) {
    for (std::size_t node = 0; node < disks_.size(); ++node) {
      disks_[node].stable.self = {id_of(node), raft::Incarnation(0)};
    }
  }

  ClusterChecker& checker() { return checker_; }
  DiskImage& disk(std::size_t node) { return disks_.at(node); }

  // The log is durable there.
  void store(std::size_t node, const Log& log) {
    disk(node).records.clear();
    for (const raft::Entry& entry : log) disk(node).records.push_back({entry.term, {}});
  }
  // The node comes to this state, with what it takes for durable on its disk.
  void step(std::size_t node, const Replica& replica, const raft::Output& output = {}) {
    const raft::Log& log = replica.raft().log();
    Log durable;
    for (raft::Index index(1); index <= log.durable_index(); ++index) {
      durable.push_back(log.at(index));
    }
    store(node, durable);
    checker_.stepped(node, replica, output);
  }
  // All of the log is on a quorum's disks, and the first node commits it.
  void commit(const Log& log) {
    store(1, log);
    step(0, follower(log.back().term.value(), log, log.size()));
  }

 private:
  std::array<DiskImage, 3> disks_;
  const std::vector<const DiskImage*> images_{&disks_[0], &disks_[1], &disks_[2]};
  ClusterChecker checker_;
};

// The id of the invariant that does not hold any more.
template <typename Act>
std::string violated_by(const Act& act) {
  try {
    act();
  } catch (const Violation& violation) {
    return violation.invariant;
  }
  return "none";
}

}  // namespace anchor::sim
