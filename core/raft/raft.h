#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
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
  std::set<ServerId> refused{};
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

enum class ProposalRefused : std::uint8_t { kNotLeader, kOverloaded };

// A leader as a server knows it.
struct KnownLeader {
  ServerId id;
  Boot boot;
};

// The consensus state machine: inputs go in by the methods below, what is to be done comes out of
// `finish_step`. Nothing happens by itself.
class Raft {
 public:
  // Requires: the options are valid and `recovered` holds a configuration.
  Raft(Options options, std::uint64_t seed, Recovered recovered);

  // Every step begins here. Requires: `now` does not go back.
  void begin_step(Instant now);

  // Ignores a message that no correct sender could have sent.
  void receive(const Message& message);
  // True if `message` is for this server and from a server in its newest known life.
  bool heeds(const Message& message) const;
  // A message of the layer above, which leaves once this server's term is durable.
  void send(const ServerId& to, MessageBody body) { state_.send(to, std::move(body)); }

  // Requires: `id` was handed out, and this is not an earlier one than before.
  void persisted(WriteId id);
  // What was on its way to the peer may be lost.
  void peer_unreachable(const ServerId& peer);

  // Appends a command at the leader. It is committed when the entry at this index is, with this
  // term.
  std::expected<LogPosition, ProposalRefused> propose(Bytes command);
  // Asks for a read index, from the leader if this server is not the one; requests get lost with a
  // leader, and whoever asked asks again. `context` grows with each call in a boot. Requires:
  // leader().
  void request_read_index(std::uint64_t context);

  // After the step's inputs: commits what they allow, and does what is due by now.
  void advance();
  // Answers to request_read_index since the last call.
  std::vector<ConfirmedRead> take_confirmed_reads();
  // Sends what followers lack, and says what the step has led to.
  Output finish_step();

  std::optional<Instant> deadline() const;

  const State& state() const { return state_; }
  const Role& role() const { return role_; }
  Term term() const { return state_.term(); }
  Index commit_index() const { return state_.commit_index; }
  const Log& log() const { return state_.log; }
  const Configuration& configuration() const { return state_.configuration(); }
  bool is_leader() const { return std::holds_alternative<Leader>(role_); }
  // Of this term, if known; this server itself if it leads.
  std::optional<KnownLeader> leader() const;

 private:
  void on_request_vote(const Message& message, const RequestVote& request);
  void on_vote_reply(const Message& message, const VoteReply& reply);
  void on_append_entries(const Message& message, const AppendEntries& request);
  void on_read_index_reply(const Message& message, const ReadIndexReply& reply);
  void on_stale(const Message& message);
  void on_follower_message(const Message& message, Leader& leader);

  void become_follower(Term term, std::optional<Peer> leader, const std::string& reason);
  void start_pre_vote(const std::string& reason);
  void start_election();
  void become_leader(std::vector<ServerId> votes);
  void count_votes();
  void expire_deadlines();

  State state_;
  Role role_;
};

}  // namespace anchor::raft
