#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/time.h"
#include "core/kv/command.h"
#include "core/kv/lease_query.h"
#include "core/kv/store.h"
#include "core/lock_request.h"
#include "core/pending_reads.h"
#include "core/raft/raft.h"
#include "core/raft/step.h"

// What goes into a replica's step, and what comes out.
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

struct AllLeases {};

struct Read {
  // One key, or all of a range; or the leases that there are.
  std::variant<std::string, kv::KeyRange, AllLeases> of;
  Consistency consistency = Consistency::kLinearizable;
  // Of a stale read: if the data may be older than this, the read is as a linearizable one.
  std::optional<Duration> max_staleness{};
  // No older revision will do: the client has seen this one.
  kv::Revision min_revision{};
  // What was there at this revision; none: what is there.
  std::optional<kv::Revision> at_revision{};
};

using RequestBody =
    std::variant<kv::Command, Read, kv::LeaseQuery, AcquireLock, ReleaseLock, raft::AdminRequest>;

// A request of a client of this node. It is answered exactly once, at the latest when `deadline`
// has passed.
struct ClientRequest {
  RequestId id;
  Instant deadline;
  RequestBody body;
};

// Its client is gone. It is answered all the same, but no lock is taken for it any more.
struct ClientGone {
  RequestId id;
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

using Input = std::variant<PeerMessage, ClientRequest, ClientGone, Persisted, PeerUnreachable,
                           DiskRoom, SnapshotSaved, SnapshotWritten, SnapshotReceived>;

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
struct LeasesRead {
  kv::Leases leases;
  kv::Revision revision;
  raft::Index applied_index;
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
// What the leader says of a lease, sure to lead after it was asked. If it was to be kept alive, all
// of its time has begun anew since then.
struct LeaseTold {
  kv::LeaseAnswer answer;
};
// To an administrator's request.
struct AdminDone {
  raft::AdminAnswer answer;
};
using Outcome =
    std::variant<WriteApplied, ReadDone, RangeRead, LeasesRead, RevisionCompacted, RevisionInFuture,
                 LeaseTold, LockAnswer, NotApplied, OutcomeUnknown, AdminDone>;

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

}  // namespace anchor
