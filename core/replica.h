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
#include "core/pending_reads.h"
#include "core/raft/options.h"
#include "core/raft/raft.h"
#include "core/raft/step.h"
#include "core/session_expiry.h"

namespace anchor {

// --- Inputs -----------------------------------------------------------------------------------

struct PeerMessage {
  raft::Message message;
};

// What a read may return. A linearizable one returns the state of some instant between its arrival
// and its answer, whatever happens. So does one by lease, as long as clocks keep to the bound on
// their drift (raft::Options), and the leader need not ask the others first. A stale one returns
// what this replica has at once, and how old that may be.
enum class Consistency : std::uint8_t { kLinearizable, kLease, kStale };

struct Read {
  // One key, or all of a range.
  std::variant<std::string, kv::KeyRange> of;
  Consistency consistency = Consistency::kLinearizable;
  // Of a stale read: if the data may be older than this, the read is as a linearizable one.
  std::optional<Duration> max_staleness{};
  // No older revision will do: the client has seen this one.
  kv::Revision min_revision{};
  // What was there at this revision; none: what is there.
  std::optional<kv::Revision> at_revision{};
};

using RequestBody = std::variant<kv::Command, Read, raft::AdminRequest>;

// A request of a client of this node. It is answered exactly once, at the latest when `deadline`
// has passed.
struct ClientRequest {
  RequestId id;
  Instant deadline;
  RequestBody body;
};

// The batch `id`, and every one before it, is durable.
struct Persisted {
  raft::WriteId id;
};

// The transport lost its connection to the peer: what was on its way to it may be lost.
struct PeerUnreachable {
  raft::ServerId peer;
};

// The disk has little room left: for what makes room, and not for much that grows. Or it has room
// again. At the start it has.
struct DiskRoom {
  bool short_of_disk = false;
};

// The snapshot that was asked for is durable.
struct SnapshotSaved {
  raft::SnapshotFile file;
};
// So much of the snapshot that the leader sends is written, one part after another from the first.
struct SnapshotWritten {
  raft::SnapshotFile file;
  std::uint64_t received_bytes = 0;
};
// A snapshot from the leader is whole and durable, and this is what it holds.
struct SnapshotReceived {
  raft::SnapshotFile file;
  raft::Log::Configured configuration;
  kv::Store store;
};

using Input = std::variant<PeerMessage, ClientRequest, Persisted, PeerUnreachable, DiskRoom,
                           SnapshotSaved, SnapshotWritten, SnapshotReceived>;

// --- Output -----------------------------------------------------------------------------------

// The write was committed and applied, and this is the store's answer.
struct WriteApplied {
  kv::CommandResult result;
};
// What the key held in the state that a read returns; null: nothing.
struct ReadDone {
  kv::ItemRef item;
  kv::Revision revision;
  raft::Index applied_index;
  // Only of a stale read: the state has everything that was committed so long ago. None: unknown.
  std::optional<Duration> age{};
};
// The same of a range.
struct RangeRead {
  kv::RangeView view;
  kv::Revision revision;
  raft::Index applied_index;
  std::optional<Duration> age{};
};
// The store does not tell any more what was there at the revision.
struct RevisionCompacted {
  kv::Revision oldest;  // that it tells
  kv::Revision revision;
  raft::Index applied_index;
  std::optional<Duration> age{};
};
// The store has not come to the revision that a read asks for, at an instant as for a linearizable
// one.
struct RevisionInFuture {
  kv::Revision revision;
  raft::Index applied_index;
};
enum class Refusal : std::uint8_t {
  kNoLeader,
  kOverloaded,
  kShortOfDisk,      // a quorum has little room left on its disks, and the write may grow
  kStateDistrusted,  // this replica's state is not the majority's, or there is no majority
};
// Certainly never applied.
struct NotApplied {
  Refusal reason;
};
// The write may or may not be applied, now or later.
struct OutcomeUnknown {};
// To an administrator's request.
struct AdminDone {
  raft::AdminAnswer answer;
};
using Outcome = std::variant<WriteApplied, ReadDone, RangeRead, RevisionCompacted, RevisionInFuture,
                             NotApplied, OutcomeUnknown, AdminDone>;

struct Reply {
  RequestId id;
  Outcome outcome;
};

// The state as it is now, which a copy of costs nothing.
struct SnapshotSave {
  raft::LogPosition position;
  raft::Log::Configured configuration;
  kv::Store store;
};

// What is to be done after a step; the order of the fields is a law:
//  - `persist`: one atomic batch; batches are written in order; the shell may join several.
//  - `messages` may leave at once: a leader's AppendEntries leave before its own disk has the
//  entries.
//  - `messages_after_persist` leave when the batch that each names is durable.
//  - `replies`: to clients; a write's only after it is committed and applied.
//  - `snapshot_save`: to be written; SnapshotSaved is to follow.
//  - `snapshot_chunks`: to be read, and sent.
//  - `snapshot_parts`: to be written, each after what precedes it; SnapshotWritten is to follow,
//  and
//    SnapshotReceived once all is there and verified. If it is not what it should be, it is to be
//    forgotten, and SnapshotWritten says that nothing of it is there. A part of another file than
//    the one before it begins a new one.
//  - `snapshots_kept`: all others are to be removed.
//  - `events`: for the operator.
struct Output : raft::Output {
  std::vector<Reply> replies;
  std::optional<SnapshotSave> snapshot_save{};
};

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
  std::size_t waiting_requests() const { return requests_.size(); }
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
  bool has_room_for(const RequestBody& body) const;
  void apply_committed();
  void settle(const raft::Entry& entry, const kv::CommandResult* result);
  // In the file replica_sessions.cc.
  kv::CommandResult apply(const Bytes& payload);
  bool asks_for_room(const Bytes& payload);
  std::optional<Instant> session_due() const;
  void expire_sessions();
  void propose_first_settings();
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

  // Writes and administrators' requests that wait for a leader, or for its pace.
  std::deque<RequestId> unsent_writes_;
  std::deque<RequestId> unsent_admin_;
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
