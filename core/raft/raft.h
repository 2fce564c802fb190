#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/raft/admin.h"
#include "core/raft/snapshot.h"
#include "core/raft/state.h"

namespace anchor::raft {

enum class ProposalRefused : std::uint8_t {
  kNotLeader,
  kOverloaded,
  kTransferring,  // it may be proposed again when the transfer has ended
};

// A leader as a server knows it.
struct KnownLeader {
  Peer peer;
  Boot boot;

  friend bool operator==(const KnownLeader&, const KnownLeader&) = default;
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
  // True if `message` is one that a correct sender could have sent, for this server and from a
  // server in its newest known life.
  bool heeds(const Message& message) const;
  // A message of the layer above, which leaves once this server's term is durable.
  void send(const Peer& to, MessageBody body) { state_.send(to, std::move(body)); }

  // Requires: `id` was handed out, and this is not an earlier one than before.
  void persisted(WriteId id);
  // What was on its way to the peer may be lost.
  void peer_unreachable(const ServerId& peer);

  // Appends a command at the leader. It is committed when the entry at this index is, with this
  // term.
  std::expected<LogPosition, ProposalRefused> propose(Bytes command);
  // Changes the members, at the leader; the answer is the position of the configuration after whose
  // commitment, as soon as none is joint, the change is done; none if it is so already.
  std::expected<std::optional<LogPosition>, AdminRefused> change_members(
      const AdminRequest& request);
  // Begins to hand leadership over. The answer is to whom.
  std::expected<ServerId, AdminRefused> transfer_leadership(const std::optional<ServerId>& target,
                                                            const std::string& reason);
  // Asks for a read index, from the leader if this server is not the one; requests get lost with a
  // leader, and whoever asked asks again. With `lease` the leader may answer by its lease, without
  // asking a quorum. `context` grows with each call in a boot. Requires: leader().
  void request_read_index(std::uint64_t context, bool lease);

  // A snapshot of this server's own is durable.
  void snapshot_saved(const SnapshotFile& file) { raft::snapshot_saved(state_, role_, file); }
  // The state machine's state at `index` is not the majority's: it goes on only from a snapshot of
  // another server's.
  void distrust_state(Index index) { state_.distrust_state(index); }
  // Whether no majority has the same state: while that is so nobody is sent a snapshot.
  void set_no_majority(bool none) { state_.no_majority = none; }
  // This server's disk has little room left, or has room again.
  void set_short_of_disk(bool now) { state_.short_of_disk = now; }
  // This server leads, and those with room on their disks are no quorum: what grows has to wait.
  bool quorum_short_of_disk() const {
    const auto* leader = std::get_if<Leader>(&role_);
    return leader != nullptr && leader->short_of_disk;
  }
  // Another is needed than those that there are. Asking forgets it.
  bool take_snapshot_wanted() { return std::exchange(state_.snapshot_wanted, false); }
  // So much of the snapshot that the leader sends is written.
  void snapshot_written(const SnapshotFile& file, std::uint64_t received_bytes) {
    raft::snapshot_written(state_, role_, file, received_bytes);
  }
  // A snapshot from a leader is durable. True if the state machine is to go on from it.
  bool install_snapshot(const SnapshotFile& file, Log::Configured configuration) {
    return raft::install_snapshot(state_, role_, file, std::move(configuration));
  }

  // After the step's inputs: commits what they allow, and does what is due by now.
  void advance();
  // Answers to request_read_index since the last call.
  std::vector<ConfirmedRead> take_confirmed_reads() {
    return std::exchange(state_.confirmed_reads, {});
  }
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
  // A leader that hands over takes no proposals meanwhile.
  bool transferring() const {
    const auto* leader = std::get_if<Leader>(&role_);
    return leader != nullptr && leader->transfer.has_value();
  }
  // The newest that is known here; it is of a commit index that may yet be ahead of this server's.
  std::optional<Freshness> freshness() const;
  // Of this term, if known; this server itself if it leads.
  std::optional<KnownLeader> leader() const;

 private:
  void on_request_vote(const Message& message, const RequestVote& request);
  void on_vote_reply(const Message& message, const VoteReply& reply);
  Follower* follower_of(const Message& message);
  void on_read_index_reply(const Message& message, const ReadIndexReply& reply);
  void on_timeout_now(const Message& message);
  void on_stale(const Message& message);
  void on_follower_message(const Message& message, Leader& leader);

  void become_follower(Term term, std::optional<Peer> leader, const std::string& reason);
  void start_pre_vote(const std::string& reason);
  void start_election(bool transfer, const std::string& reason);
  void become_leader(std::vector<ServerId> votes);
  void count_votes();
  void expire_deadlines();
  void expire_leader(Leader& leader);
  void advance_leader(Leader& leader);
  bool answer_outsider(const Message& message);
  void be_removed(Index configuration_index);

  State state_;
  Role role_;
};

}  // namespace anchor::raft
