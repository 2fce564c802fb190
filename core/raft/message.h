#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "core/raft/admin.h"
#include "core/raft/types.h"

namespace anchor::raft {

// Messages go one way; an answer is a message of its own. They may be lost, delayed, duplicated and
// reordered.

// Asks for a vote in `campaign_term` (dissertation 3.4), or, as a pre-vote, whether one would be
// given (9.6): then the campaign's term is the one after the sender's own, and nobody's state
// changes.
struct RequestVote {
  Term campaign_term;
  bool pre_vote = false;
  // The leader asked the candidate to campaign: then nobody waits for the leader's silence
  // (dissertation 3.10).
  bool transfer = false;
  LogPosition last;

  friend bool operator==(const RequestVote&, const RequestVote&) = default;
};

struct VoteReply {
  Term campaign_term;
  bool pre_vote = false;
  bool granted = false;

  friend bool operator==(const VoteReply&, const VoteReply&) = default;
};

// How old the leader's commit index may be, for the follower that is told it: `age` before the
// leader sent this it certainly still led, and it sent this after the follower had sent something
// itself at `echo`, by its own clock in this boot.
struct Dating {
  Boot boot;
  Instant echo;
  Duration age{};

  friend bool operator==(const Dating&, const Dating&) = default;
};

// Entries that follow `previous` (dissertation 3.5). Without entries it is a heartbeat. A round
// that the follower has not seen yet is answered at once, without waiting for the disk.
struct AppendEntries {
  LogPosition previous;
  Index commit_index;
  Round round;
  std::vector<Entry> entries;
  // None: the leader cannot tell.
  std::optional<Dating> dating{};

  friend bool operator==(const AppendEntries&, const AppendEntries&) = default;
};

// The follower's log is durable and the same as the leader's up to `match_index`. It sends this at
// `sent`, by its own clock, and from the moment when it heard `round` it votes for nobody else for
// as long as it promises (lease.h).
struct AppendAccepted {
  Index match_index;
  Round round;
  Duration promise{};
  Instant sent{};
  // Not zero: whatever its log has, it needs a snapshot, of this entry or a later one.
  Index snapshot_wanted{};
  // Its disk has little room left.
  bool short_of_disk = false;

  friend bool operator==(const AppendAccepted&, const AppendAccepted&) = default;
};

// The follower has no entry at `previous_index` with the term asked for. The hint is the last
// position at which its log could still agree with the leader's: the leader need not try a later
// one (dissertation 3.5, "the fast back-up").
struct AppendRejected {
  Index previous_index;
  LogPosition hint;
  // As in AppendAccepted.
  Round round;
  Duration promise{};
  Instant sent{};

  friend bool operator==(const AppendRejected&, const AppendRejected&) = default;
};

// From a follower with reads to serve: what is the commit index? (dissertation 6.4)
// `context` is never used twice in a boot.
struct ReadIndexRequest {
  std::uint64_t context = 0;
  // The leader may answer by its lease, instead of asking a quorum.
  bool lease = false;

  friend bool operator==(const ReadIndexRequest&, const ReadIndexRequest&) = default;
};

// The leader was the leader after the request arrived, and this was its commit index then; by its
// lease only as far as clocks are right.
struct ReadIndexReply {
  std::uint64_t context = 0;
  Boot requester_boot;
  Index read_index;
  bool by_lease = false;

  friend bool operator==(const ReadIndexReply&, const ReadIndexReply&) = default;
};

// A part of a snapshot, for a follower that lacks entries which the leader has no more
// (dissertation 5.3). The shell fills in the chunk.
struct InstallSnapshot {
  SnapshotFile file;
  std::uint64_t offset = 0;
  Bytes chunk{};

  friend bool operator==(const InstallSnapshot&, const InstallSnapshot&) = default;
};

// The follower has so much of the file; none of it may be durable yet. Once it is installed an
// AppendAccepted says so.
struct SnapshotAccepted {
  LogPosition position;
  std::uint64_t received_bytes = 0;

  friend bool operator==(const SnapshotAccepted&, const SnapshotAccepted&) = default;
};

// From the leader, to a voter that has its whole log: campaign at once (dissertation 3.10).
struct TimeoutNow {
  friend bool operator==(const TimeoutNow&, const TimeoutNow&) = default;
};

// From a server that votes not and hears no leader: is it still a member?
struct MembershipQuery {
  friend bool operator==(const MembershipQuery&, const MembershipQuery&) = default;
};

// The answer to anything that comes from a server that a committed configuration, the one at this
// index, has left out. Whoever was admitted before it is no member any more, for good.
struct NotMember {
  Index configuration_index;

  friend bool operator==(const NotMember&, const NotMember&) = default;
};

// What the leader answers of itself, without its log, once it is sure that it leads: opaque here,
// as a command is.
struct Query {
  Bytes payload;

  friend bool operator==(const Query&, const Query&) = default;
};
inline constexpr std::size_t kQueryBytesMost = 256;

// What only the leader can carry out: a client's command or query, or an administrator's request.
using Proposal = std::variant<Command, Query, AdminRequest>;
// Zero: it is no command.
std::size_t command_bytes(const Proposal& proposal);

// A proposal on its way to the leader.
// `sequence` is never used twice in a boot of the sender. Meant for one boot and one term of the
// leader: any other drops it without an answer, or refuses it if it is sure never to have taken it.
struct ForwardRequest {
  std::uint64_t sequence = 0;
  Boot leader_boot;
  Term leader_term;
  Proposal proposal{};

  friend bool operator==(const ForwardRequest&, const ForwardRequest&) = default;
};

// From a follower to its leader: the digest of its state at a point that the leader has published
// in the log (core/digest_agreement.h).
struct DigestReport {
  Index index;
  std::uint64_t digest = 0;

  friend bool operator==(const DigestReport&, const DigestReport&) = default;
};

enum class ForwardOutcome : std::uint8_t {
  kApplied,      // committed and applied, or decided; `result` is the answer
  kNotApplied,   // certainly never applied
  kOverloaded,   // the same, because the leader has too much to do
  kShortOfDisk,  // the same, because too many disks have little room left
  kUnknown,      // it may or may not be applied
};

struct ForwardReply {
  Boot requester_boot;
  std::uint64_t sequence = 0;
  ForwardOutcome outcome = ForwardOutcome::kUnknown;
  // Of the state machine, encoded, or of the leader.
  std::variant<Bytes, AdminAnswer> result{};

  friend bool operator==(const ForwardReply&, const ForwardReply&) = default;
};

using MessageBody =
    std::variant<RequestVote, VoteReply, AppendEntries, AppendAccepted, AppendRejected,
                 InstallSnapshot, SnapshotAccepted, ReadIndexRequest, ReadIndexReply, TimeoutNow,
                 MembershipQuery, NotMember, ForwardRequest, ForwardReply, DigestReport>;

struct Message {
  Peer from;
  Boot from_boot;
  // Another life of the receiver does not hear it: what was meant for the one before it, which may
  // have used the same numbers, means nothing to it.
  Peer to;
  // The sender's current term.
  Term term;
  MessageBody body;

  friend bool operator==(const Message&, const Message&) = default;
};

// What every correct sender's message is; whatever is not is dropped unread. `own` is the
// receiver's term.
bool well_formed(const Message& message, Term own);

// No state machine's commands here are larger, nor need they be: a message holds one with room.
inline constexpr std::size_t kCommandBytesMost = 4 << 20;

}  // namespace anchor::raft
