#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/strong.h"
#include "core/base/time.h"

namespace anchor::raft {

struct TermTag;
struct IndexTag;
struct WriteIdTag;
struct RoundTag;
struct BootTag;
struct IncarnationTag;
struct ClusterIdTag;

// A leader's reign, from 1; zero is before the first (dissertation 3.3).
using Term = Strong<TermTag>;
// A place in the log, from 1; zero is before the first entry.
using Index = Strong<IndexTag>;
// One batch handed to the disk, numbered from 1 within a boot. Writes complete in this order. It,
// and never an index, says what is durable: an index may be truncated and appended again meanwhile.
using WriteId = Strong<WriteIdTag>;
// One question "am I still the leader?" to all followers, numbered from 1 within a leader's term.
using Round = Strong<RoundTag>;
// How often a data directory was started, from 1, counted durably before the node says a word.
using Boot = Strong<BootTag>;
// Which of the data directories that ever bore a server's id: the index of the entry that admitted
// it, zero for a founder.
using Incarnation = Strong<IncarnationTag>;
// Drawn when a cluster is founded; no two clusters share one.
using ClusterId = Strong<ClusterIdTag>;

// The name of a server, as the operator gives it. It never changes; its address may.
class ServerId {
 public:
  ServerId() = default;
  explicit ServerId(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  bool empty() const { return name_.empty(); }

  auto operator<=>(const ServerId&) const = default;

 private:
  std::string name_;
};

// "n1, n2", for people.
std::string names_of(const std::vector<ServerId>& ids);

// Who it is that votes or acknowledges: a server's id with the life it leads under it. A server
// that lost its disk and was admitted again is another peer, whose promises the first one did not
// make.
struct Peer {
  ServerId id;
  Incarnation incarnation;

  auto operator<=>(const Peer&) const = default;
};

struct Configuration;

// What a new leader appends, to commit an entry of its own term (dissertation 6.4).
struct NoOp {
  friend bool operator==(const NoOp&, const NoOp&) = default;
};

// A command of the state machine, opaque to Raft.
struct Command {
  Bytes payload;
  friend bool operator==(const Command&, const Command&) = default;
};

// A configuration, in force from the moment it is appended (dissertation 4.1). Shared and
// immutable, since entries are copied freely between log, messages and disk.
using SharedConfiguration = std::shared_ptr<const Configuration>;

struct Entry {
  Index index;
  Term term;
  std::variant<NoOp, Command, SharedConfiguration> payload;
};

// Same index, term and contents.
bool operator==(const Entry& a, const Entry& b);

// What an entry counts for in windows and bounds: its payload and a fixed part for the rest.
std::uint64_t entry_bytes(const Entry& entry);

// The index and term of an entry: whoever has both the same has the same log up to there
// (dissertation 3.5, Log Matching).
struct LogPosition {
  Index index;
  Term term;

  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

// True if a log that ends at `a` is at least as up to date as one that ends at `b`
// (dissertation 3.6.1).
inline bool at_least_as_up_to_date(LogPosition a, LogPosition b) {
  return a.term != b.term ? a.term > b.term : a.index >= b.index;
}

// Identifies a snapshot's file within its cluster: whoever has the same has the same bytes.
struct SnapshotFile {
  LogPosition position;  // the last entry whose effect is in it
  std::uint64_t size_bytes = 0;
  std::uint64_t checksum = 0;

  friend bool operator==(const SnapshotFile&, const SnapshotFile&) = default;
};

// What a server must not forget: stored before a message that depends on it leaves.
// Invariants: in one term the vote is set at most once; the longest promise and `distrusted` never
// fall.
struct HardState {
  Term term;
  std::optional<Peer> vote;
  // The longest time for which it ever promised a leader not to vote for another (lease.h).
  Duration longest_promise{};
  // Up to this entry the state machine's own state is known to be wrong: it goes on only from
  // another server's snapshot, of this entry or a later one. Zero: it is not.
  Index distrusted{};

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace anchor::raft
