#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/raft/configuration.h"
#include "core/raft/step.h"
#include "core/raft/types.h"

namespace anchor::raft {

// The log since the last snapshot, all of it in memory, with what of it is durable and the
// configurations that it holds.
// Invariants: entries are contiguous from base().index + 1; their terms do not fall;
// base().index <= durable_index() <= last().index.
class Log {
 public:
  struct Configured {
    Index index;
    SharedConfiguration configuration;
  };

  // Everything given is durable. Requires what `Recovered` does.
  Log(LogPosition base, Configured base_configuration, std::vector<Entry> entries);

  LogPosition base() const { return base_; }
  LogPosition last() const;
  // Entries up to here are on disk as they are here.
  Index durable_index() const { return durable_index_; }

  // None: before the base or after the end.
  std::optional<Term> term_at(Index index) const;
  bool contains(LogPosition position) const { return term_at(position.index) == position.term; }
  // Requires: base().index < index <= last().index.
  const Entry& at(Index index) const;
  // Entries from `from` on, as many as fit into `max_bytes`, but at least one.
  // Requires: base().index < from <= last().index.
  std::vector<Entry> from(Index from, std::uint64_t max_bytes) const;

  // The last position in this log that is no later than `position` in index and in term: the latest
  // at which another log, which ends at or disagrees after `position`, could agree with this one.
  // Skips whole terms at a time (dissertation 3.5). What is before the base is not known: then it
  // is a position before it.
  LogPosition possible_agreement(LogPosition position) const;

  // The newest configuration in the log, committed or not (dissertation 4.1), or the base's. Null
  // only in a server that was never told any.
  const SharedConfiguration& configuration() const { return configurations_.back().configuration; }
  Index configuration_index() const { return configurations_.back().index; }
  // In a founder, whom nothing else tells who the members are, the entry that each of them stored
  // before it said a word. Zero in others, and once it is compacted.
  Index founding_index() const {
    return configurations_.front().configuration == nullptr ? base_.index.next() : Index();
  }
  // The newest of those up to `index`, under the same condition.
  const Configured& configuration_at(Index index) const;
  // That one and all that follow it in the log, ascending. Requires: `index` is not before the
  // base, nor before the snapshot that the log was recovered with.
  std::span<const Configured> configurations_from(Index index) const;

  // Requires: the entry follows last().
  void append(Entry entry);
  // Cuts the log from `from` on. Requires: base().index < from <= last().index.
  void truncate_from(Index from);

  // Forgets the entries up to `index`, whose effect is in a durable snapshot.
  // Requires: base().index <= index <= last().index.
  void compact(Index index);
  // Begins anew after a durable snapshot at `position` that is from another log than this one, or
  // from beyond its end. Requires: position.index > base().index.
  void restart_after(LogPosition position, Configured configuration);

  // Of all entries.
  std::uint64_t bytes() const { return bytes_; }

  // Moves what the disk has not been told yet into `batch`, whose id is set; true if there was
  // anything.
  bool take_unwritten(PersistBatch& batch);
  // The batch `id` and all before it are durable.
  void persisted(WriteId id);
  // The batch after which `index` is durable: the first that holds it, or `next`, in which it will
  // be, or zero if it is durable already. Requires: index <= last().index.
  WriteId write_of(Index index, WriteId next) const;

 private:
  // A batch on its way to the disk: when it is durable, entries up to `last` are, as they are here.
  struct Write {
    WriteId id;
    Index last;
  };

  LogPosition base_;
  std::deque<Entry> entries_;
  // Invariant: the sum over the entries.
  std::uint64_t bytes_ = 0;
  // Ascending by index; the first is the base's.
  std::vector<Configured> configurations_;

  Index durable_index_;
  // In the order of their ids. A truncation lowers `last` of those it overtakes, so that their
  // completion speaks for no entry that came later at the same index.
  std::deque<Write> writes_;
  // Entries from here on are in no batch yet.
  Index unwritten_from_;
  // Where the disk's log must be cut before they are appended.
  std::optional<Index> unwritten_truncation_;
  // Up to where it is of no use there, and whether it begins anew after that.
  std::optional<Index> unwritten_compaction_;
  bool unwritten_beginning_ = false;
};

}  // namespace anchor::raft
