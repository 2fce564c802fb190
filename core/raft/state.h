#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"
#include "core/raft/configuration.h"
#include "core/raft/log.h"
#include "core/raft/message.h"
#include "core/raft/options.h"
#include "core/raft/progress.h"
#include "core/raft/reads.h"
#include "core/raft/step.h"
#include "core/raft/types.h"

namespace anchor::raft {

// What a server has in every role (dissertation figure 3.1), and what it means to do at the end of
// the step.
struct State {
  State(Options options, std::uint64_t seed, Recovered recovered);

  Options options;
  ClusterId cluster_id;
  Peer self;
  Boot boot;
  Random random;
  // The time of this step.
  Instant now;

  HardState hard_state;
  Log log;
  // Invariant: never falls; never above log.last().index.
  Index commit_index;

  // The batch that this step will hand to the disk, if any.
  WriteId next_write{1};
  WriteId durable_write;
  // The batch that holds `hard_state`; zero if that was durable at the start.
  WriteId hard_state_write;
  bool hard_state_changed = false;

  Output output;
  std::vector<ConfirmedRead> confirmed_reads;

  Term term() const { return hard_state.term; }
  const Configuration& configuration() const { return *log.configuration(); }
  bool is_voter() const { return configuration().is_voter(self.id); }

  // A new term starts without a vote. Requires: `term` is above the current one.
  void enter_term(Term term);
  // Requires: no vote for another in this term.
  void vote_for(const Peer& candidate);
  bool hard_state_durable() const { return hard_state_write <= durable_write; }

  // Sends once the batch `after` and the current term are durable; at once if they are.
  void send(const ServerId& to, MessageBody body, WriteId after = {});
  // Commits up to `index`. An older index changes nothing.
  void commit(Index index);

  Instant random_election_deadline();
};

// Follows a leader, or waits for one.
struct Follower {
  std::optional<Peer> leader{};
  Boot leader_boot{};
  // When the leader was last heard, or since when there is none.
  Instant heard{};
  // Set when the first step tells the time, and ever after.
  std::optional<Instant> election_deadline{};
  // How long it waits for the leader's next message; drawn anew for each leader.
  Duration patience{};
  // The log agrees with this leader's up to here. Nothing up to here is ever cut in this term.
  Index verified{};
  // The newest round of this leader that was answered.
  Round round{};
};

// Wants to lead: asks first whether it would be elected (dissertation 9.6), then for votes.
struct Candidate {
  bool pre_vote = true;
  std::set<ServerId> granted{};
  // None while its own vote is on its way to the disk: its requests have not left then.
  std::optional<Instant> election_deadline{};
};

struct Leader {
  // Everybody in the configuration but this server.
  std::map<ServerId, Progress> followers{};
  Instant heartbeat_due{};
  // When to tell followers of a commit index that no other message has told them.
  std::optional<Instant> commit_notice_due{};
  // The no-op of this term. Until it is committed nothing is read.
  Index first_index{};
  // The newest round asked.
  Round round{};
  // Invariant: the sum over the entries above the commit index.
  std::uint64_t uncommitted_bytes = 0;
  Reads reads{};
};

using Role = std::variant<Follower, Candidate, Leader>;

}  // namespace anchor::raft
