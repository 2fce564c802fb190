#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/base/time.h"
#include "core/kv/command.h"
#include "core/raft/configuration.h"
#include "core/raft/types.h"

namespace anchor {

// The leader's part in finding out whether all replicas have the same state. It publishes a point
// in the log (kv::CheckDigest), at which each replica notes the digest of its state; each reports
// it; and what the majority has the leader publishes too (kv::JudgeDigest). So everybody holds its
// own against it at the same place of the log, whenever it comes there: the leader itself, and
// whoever was away meanwhile.
class DigestAgreement {
 public:
  // So long from one point to the next; and so long the leader waits for the others once voters'
  // reports differ, its own among them, before it says that there is no majority.
  DigestAgreement(Duration interval, Duration patience)
      : interval_(interval), patience_(patience) {}

  // This server leads.
  void begin(Instant now);
  // It does not, or no more.
  void end() { leading_.reset(); }
  // There is something to compare.
  void state_changed();

  // When to look again; none: it does not lead.
  std::optional<Instant> due() const;
  // Whether to publish a point now. If there is nothing new to compare, later; and not while others
  // may still report the last one.
  bool take_check_due(Instant now);
  void published(raft::Index index, Instant now);
  // Of another point than the one that was published last it means nothing.
  void report(const raft::ServerId& from, raft::Index index, std::uint64_t digest);
  // What to publish of that point, once, as soon as it is known. `self` leads.
  std::optional<kv::JudgeDigest> take_verdict(const raft::Configuration& configuration,
                                              const raft::ServerId& self, Instant now);

 private:
  struct Leading {
    Instant next_check;
    bool compare = true;  // something changed, or the last point led to no agreement
    // The point that was published last and is not judged yet.
    std::optional<raft::Index> open{};
    Instant published{};
    std::map<raft::ServerId, std::uint64_t> reports{};
    // Only while reports of voters differ.
    std::optional<Instant> patience_ends{};
  };

  Instant check_due() const;
  bool voters_differ(const raft::Configuration& configuration) const;

  Duration interval_;
  Duration patience_;
  std::optional<Leading> leading_;
};

}  // namespace anchor
