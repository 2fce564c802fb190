#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/administration.h"
#include "core/base/time.h"
#include "core/data_age.h"
#include "core/digest_agreement.h"
#include "core/forwards.h"
#include "core/kv/command.h"
#include "core/kv/store.h"
#include "core/lease_expiry.h"
#include "core/locks.h"
#include "core/pending_reads.h"
#include "core/raft/options.h"
#include "core/raft/raft.h"
#include "core/replica_io.h"
#include "core/session_expiry.h"

namespace anchor {

// One replica: consensus, the store that it drives, and the requests that wait for an answer. Pure:
// it reads no clock, draws from its own seed, does no I/O.
class Replica {
 public:
  struct Options {
    raft::Options raft{};
    std::uint64_t seed = 0;
    // How long a request waits for a leader to be known before it is refused, and how long one that
    // went to a leader which is gone waits for an answer all the same: unless the leader cannot be
    // reached and has a successor, since then none will come.
    Duration leader_wait = 1200ms;
    // Above so many requests without an answer, or bytes of commands in them, more are refused.
    std::size_t waiting_requests = 10'000;
    std::size_t waiting_bytes = 128 << 20;
    // A step applies entries of about so many bytes, what they return counted in, and goes on in
    // the next: heartbeats are not to wait for a long log.
    std::uint64_t apply_bytes = 1 << 20;
    // After so many bytes of entries a snapshot is taken.
    std::uint64_t snapshot_bytes = 64 << 20;
    // So often, if there is something to compare, replicas compare the digests of their states.
    Duration digest_interval = 10s;
    // What the replicated settings are to be at first, if this server is a founder and leads before
    // anything was written.
    std::vector<kv::SettingValue> first_settings{};
    // Assert after every step what must hold (core/raft/invariants.h).
    bool check_invariants = false;
  };

  // `store` is the state of the newest snapshot that was recovered.
  Replica(Options options, raft::Recovered recovered, kv::Store store = {});

  // The only way in. Requires: `now` is not before an earlier step's.
  Output step(Instant now, std::span<const Input> inputs);

  // When to step even if nothing arrives; none if there is nothing to wait for.
  std::optional<Instant> deadline() const;

  // For status and for checkers; valid until the next step.
  const raft::Raft& raft() const { return raft_; }
  const kv::Store& store() const { return store_; }
  raft::Index applied_index() const { return applied_index_; }
  // How old the data may have been at the last step: it has all that was committed before,
  // anywhere. None: nothing is known.
  std::optional<Duration> data_age() const { return age_.at(now_); }
  // Requests that were taken and not answered yet.
  std::size_t waiting_requests() const { return requests_.size() + locks_.size(); }
  // As far as is known its state is right. If not, clients' requests are refused until it is.
  bool serves() const { return raft_.state().trusts_state(); }
  // Its own is on its way to the disk.
  bool saves_snapshot() const { return saving_snapshot_; }

 private:
  // A client's request until it is answered.
  struct Request {
    // For the leader; or what to read.
    std::variant<raft::Proposal, Read> body{};
    Instant deadline{};
    // When it is answered without an outcome; never after `deadline`.
    Instant expires{};
    // It may be in a log: from now on only the log can say that it is not applied.
    bool handed_over = false;

    std::size_t command_bytes() const {
      const auto* proposal = std::get_if<raft::Proposal>(&body);
      return proposal == nullptr ? 0 : raft::command_bytes(*proposal);
    }
  };
  // A write that went to the leader of a term.
  struct Forwarded {
    RequestId id;
    raft::KnownLeader leader;
    raft::Term term;
  };

  void take(const PeerMessage& input);
  void take(const ClientRequest& input);
  void take(const ClientGone& input) { locks_.abandon(input.id, now_); }
  void take(const Persisted& input);
  void take(const PeerUnreachable& input);
  void take(const DiskRoom& input) { raft_.set_short_of_disk(input.short_of_disk); }
  void take(const SnapshotSaved& input);
  void take(const SnapshotWritten& input);
  void take(const SnapshotReceived& input);

  void check_bounds() const;
  void advance();
  void notice_leader_change();
  void expect_no_answers(Duration patience);
  void notice_leader_heard();
  bool leader_unreachable() const;
  void hand_over_requests();
  void hand_over(RequestId id, Request& request, const raft::KnownLeader& leader);
  void propose(Proposer proposer, const raft::Proposal& proposal);
  void await_leader(RequestId id, Request& request);
  // In the file replica_requests.cc, as is how they are taken and answered.
  bool has_room_for(const RequestBody& body) const;
  bool locks_have_room() const;
  void take_lock_requests();
  void apply_committed();
  void settle(const raft::Entry& entry, const kv::CommandResult* result);
  // In the file replica_sessions.cc.
  kv::CommandResult apply(const Bytes& payload, raft::Term term);
  bool asks_for_room(const Bytes& payload);
  std::optional<Instant> session_due() const;
  void expire_sessions();
  void propose_first_settings();
  // In the file replica_leases.cc.
  void note_leases(const kv::Command& command, const kv::CommandResult& result);
  void ask_of_lease(Proposer proposer, const raft::Query& query);
  void confirm_lead_for_leases();
  void tell_of_leases();
  void forget_lease_queries();
  kv::LeaseAnswer tell(const kv::LeaseQuery& query);
  std::optional<Instant> lease_due() const;
  void expire_leases();
  // In the file replica_digest.cc.
  void agree_on_digests();
  std::optional<Instant> digest_due() const;
  void take_report(const raft::Message& message, const raft::DigestReport& report);
  void report_digest();
  void heed(const kv::DigestJudged& judged);
  void refuse_what_waits();
  void settle(std::vector<Administration::Settled> settled);
  // In the file replica_snapshots.cc, as is what is taken of snapshots.
  std::optional<SnapshotSave> snapshot_to_save();
  bool snapshot_makes_room() const;
  // In the file replica_forwards.cc.
  void take_forward(const raft::Message& message, const raft::ForwardRequest& request);
  void turn_away(const ForwardedFrom& stranger, bool leads);
  void take_forward_reply(const raft::Message& message, const raft::ForwardReply& reply);
  Outcome outcome_of(const Request& request, const raft::ForwardReply& reply) const;
  bool waits(const raft::Proposal& proposal) const;
  void release_held_forwards();
  void refuse_held_forwards();
  void applied(const Proposer& proposer, const kv::CommandResult& result);
  void administered(const Proposer& proposer, raft::AdminAnswer answer);
  void not_applied(const Proposer& proposer);
  void unknown(const Proposer& proposer);
  void refuse(const Proposer& proposer, Refusal reason);
  void send_forward_reply(const ForwardedFrom& origin, raft::ForwardOutcome outcome,
                          std::variant<Bytes, raft::AdminAnswer> result);

  // In the file replica_reads.cc.
  Duration read_retry() const;
  void ask_for_read_index(PendingReads& reads, bool lease);
  void serve_reads();
  void serve_confirmed(RequestId id);
  void serve_stale(RequestId id);
  Outcome result_of(const Read& read) const;
  std::optional<Instant> read_retry_due() const;

  void expire_requests();
  void forget_answered();
  bool leader_takes_requests() const;

  void set_expiry(RequestId id, Request& request, Instant expires);
  void reply(RequestId id, Outcome outcome);

  Options options_;
  Instant now_;
  raft::Raft raft_;
  kv::Store store_;
  raft::Index applied_index_;
  // Of entries that were applied since the state that a snapshot was last asked for, or began with.
  std::uint64_t bytes_since_snapshot_ = 0;
  bool saving_snapshot_ = false;
  // About what the newest snapshot takes up.
  std::uint64_t newest_snapshot_bytes_ = 0;

  // Everything that waits, and when each gives up.
  std::map<RequestId, Request> requests_;
  // Invariant: the sum of the commands in them.
  std::size_t waiting_bytes_ = 0;
  std::set<std::pair<Instant, RequestId>> expiries_;

  // What waits for a leader: writes, also for its pace; and what need not wait for that.
  std::deque<RequestId> unsent_writes_;
  std::deque<RequestId> unsent_others_;
  // Writes that went to another leader, by sequence.
  std::map<std::uint64_t, Forwarded> forwarded_;
  std::uint64_t last_sequence_ = 0;
  // The leader to which the connection was lost, and when. Until it is heard again, or there is
  // another one, no write goes to it.
  struct LostLeader {
    raft::KnownLeader leader;
    Instant at;
  };
  std::optional<LostLeader> lost_leader_;
  bool leader_was_unreachable_ = false;
  // The latest term whose leader has said that it takes nothing from this server: it leads no more,
  // or this server is a member no more.
  raft::Term deposed_term_;
  // Entries of this leader, or of the leader that it was, until their index is applied.
  std::map<std::pair<raft::Index, raft::Term>, Proposer> proposals_;
  TakenForwards taken_forwards_;
  Administration administration_;
  // Requests that others forwarded to this leader while it hands over or slows down: proposed if it
  // leads on, and else refused.
  struct HeldForward {
    ForwardedFrom origin;
    raft::Proposal proposal;
    Instant expires;
  };
  std::deque<HeldForward> held_forwards_;
  // Invariant: the sum of the commands in them.
  std::size_t held_bytes_ = 0;
  bool forwards_first_ = false;

  PendingReads reads_;
  PendingReads leased_reads_;
  std::uint64_t last_context_ = 0;
  std::vector<RequestId> stale_reads_;  // of this step
  DataAge age_;
  SessionExpiry session_expiry_;
  LeaseExpiry lease_expiry_;
  Locks locks_;
  // Of the requests that wait, those that it asks itself.
  std::size_t lock_requests_ = 0;
  // Of leases, of this node's clients and of others', which this leader answers once it is sure
  // that it led after they came; by ids of its own.
  struct AskedOfLease {
    Proposer proposer;
    kv::LeaseQuery query;
  };
  PendingReads lease_reads_;
  std::map<RequestId, AskedOfLease> lease_queries_;
  std::uint64_t last_lease_query_ = 0;
  // Those of leases that are about to end.
  std::vector<RequestId> lease_ends_awaited_;
  DigestAgreement digest_agreement_;
  // What was noted last and is not reported yet.
  std::optional<kv::DigestNoted> noted_;

  // The leader as it was known after the last step.
  std::optional<raft::KnownLeader> leader_;
  raft::Term leader_term_;

  std::vector<Reply> replies_;
  std::vector<raft::Event> events_;
};

}  // namespace anchor
