#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"
#include "core/raft/configuration.h"
#include "core/raft/lease.h"
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
  // When each batch was handed to the disk that is not durable yet, in the order of their ids.
  std::deque<std::pair<WriteId, Instant>> writes_under_way;
  // The batch that holds `hard_state`; zero if that was durable at the start.
  WriteId hard_state_write;
  bool hard_state_changed = false;

  // Those on disk, the newest last. Invariant: there is one that is not before the log's base, if
  // that is not zero.
  std::vector<SnapshotFile> snapshots;
  // One of these is new, or is not sent any more, or the log is kept for somebody no more: it may
  // be cut, and old ones go.
  bool compaction_due = false;
  // The newest one will not do: it is damaged on this server's disk, it seems, or too old for
  // somebody.
  bool snapshot_wanted = false;
  // No majority's state machines have the same state, so that nobody knows whose is right.
  bool no_majority = false;
  // This server's disk has little room left.
  bool short_of_disk = false;
  // What the leader is sending to this server.
  std::optional<SnapshotFile> receiving;

  // The newest one; whoever restarts renews what it ever promised.
  Promise promise{};

  // A committed configuration has left this server out, for good: it does not campaign any more.
  bool removed = false;

  Output output;
  std::vector<ConfirmedRead> confirmed_reads;

  Term term() const { return hard_state.term; }
  const Configuration& configuration() const { return *log.configuration(); }
  // The state machine's state is known to be wrong, until another server's snapshot has come. This
  // server votes and replicates all the same: its log is right.
  bool needs_snapshot() const;
  // As far as is known the state machine's state is right: snapshots of it may be sent.
  bool trusts_state() const { return !no_majority && !needs_snapshot(); }
  // Where that begins to be so: the newest snapshot of its own is from before.
  void distrust_state(Index index);

  // By the newest configuration in the log, committed or not.
  bool is_member() const { return configuration().has(self); }
  bool is_voter() const { return is_member() && configuration().is_voter(self.id); }

  // A server that its newest configuration leaves out campaigns all the same, as long as that may
  // not be committed: it may be the only one that can lead until it is. Its own vote does not count
  // then (dissertation 4.2.2).
  bool may_campaign() const;
  // The index of the committed configuration that has left the peer out, after it had been
  // admitted, and so for good; none if it is a member, or may yet become one.
  std::optional<Index> left_out_at(const Peer& peer) const;

  // A new term starts without a vote. Requires: `term` is above the current one.
  void enter_term(Term term);
  // Requires: no vote for another in this term.
  void vote_for(const Peer& candidate);
  // It was changed.
  void hard_state_to_write();
  bool hard_state_durable() const { return hard_state_write <= durable_write; }

  // Sends once the batch `after` and the current term are durable; at once if they are.
  void send(const Peer& to, MessageBody body, WriteId after = {});
  // Commits up to `index`. An older index changes nothing.
  void commit(Index index);

  // From [T, 2T) (dissertation 3.4).
  Duration random_election_timeout();
  // When to campaign after so long: a promise to vote for nobody else binds this server, too.
  Instant election_deadline(Duration patience) const;
  Instant random_election_deadline() { return election_deadline(random_election_timeout()); }
};

// Follows a leader, or waits for one.
struct Follower {
  std::optional<Peer> leader{};
  Boot leader_boot{};
  // When the leader was last heard, or since when there is none.
  Instant heard{};
  // When it sent the newest of its messages that the leader is known to have; or since when it
  // follows it.
  Instant reached{};
  // Set when the first step tells the time, and ever after.
  std::optional<Instant> election_deadline{};
  // How long it waits for the leader's next message; drawn anew for each leader.
  Duration patience{};
  // The log agrees with this leader's up to here. Nothing up to here is ever cut in this term.
  Index verified{};
  // The newest round of this leader that was answered.
  Round round{};
  // What this leader told last that can be dated.
  std::optional<Freshness> fresh{};
};

// Wants to lead: asks first whether it would be elected (dissertation 9.6), then for votes.
struct Candidate {
  bool pre_vote = true;
  // The leader asked it to campaign.
  bool transfer = false;
  std::set<ServerId> granted{};
  // None while its own vote is on its way to the disk: its requests have not left then.
  std::optional<Instant> election_deadline{};
};

// Leadership on its way to another (dissertation 3.10). Until it has arrived, or the deadline has
// passed, the leader takes no proposals.
struct Transfer {
  ServerId target;
  Instant deadline;
  // TimeoutNow has left.
  bool asked = false;
};

struct Leader {
  // Null: there is none of that id.
  const Progress* follower(const ServerId& id) const {
    const auto found = followers.find(id);
    return found == followers.end() ? nullptr : &found->second;
  }
  Progress* follower(const ServerId& id) {
    const auto found = followers.find(id);
    return found == followers.end() ? nullptr : &found->second;
  }

  // Everybody in the configuration but this server.
  std::map<ServerId, Progress> followers{};
  Instant heartbeat_due{};
  // When to tell followers of a commit index that no other message has told them.
  std::optional<Instant> commit_notice_due{};
  // The no-op of this term. Until it is committed nothing is read.
  Index first_index{};
  // The newest round asked, and when it and those before it began, the newest last.
  Round round{};
  std::deque<Instant> rounds_began{};
  // It has asked another to campaign: others need not wait for its silence any more.
  bool lease_given_up = false;
  // Those with room on their disks are no quorum.
  bool short_of_disk = false;
  // Invariant: the sum over the entries above the commit index.
  std::uint64_t uncommitted_bytes = 0;
  Reads reads{};
  std::optional<Transfer> transfer{};
  // What there was when a write last came; and, where it is scarce, when the next one may come.
  LogRoom log_room{};
  Instant write_due{};
  // The next chunk of a snapshot is not sent before it.
  Instant chunk_due{};
  // Before it, no other attempt to hand over because this server is unfit.
  Instant flight_due{};
};

using Role = std::variant<Follower, Candidate, Leader>;

}  // namespace anchor::raft
