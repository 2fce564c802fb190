#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/strong.h"
#include "core/base/time.h"
#include "core/raft/reads.h"
#include "core/raft/types.h"

namespace anchor {

struct RequestIdTag;
// The shell's name for a client's request: never used twice in a process.
using RequestId = Strong<RequestIdTag>;

// Reads that need the leader, on their way (dissertation 6.4): first they wait to be asked about,
// then, as one batch under one context, for the leader's answer, then for the index that it named
// to be applied.
class PendingReads {
 public:
  void add(RequestId read) { unasked_.push_back(read); }

  // True if there is something to ask the leader now: then it is asked under `context`. One
  // question is out at a time, so that batches grow under load instead of multiplying; after
  // `patience`, or in another term, it is asked once more. Any answer will do, also one to an
  // earlier asking: all who wait for it came before that. Requires: `context` grows.
  bool ask(Instant now, raft::Term term, Duration patience, std::uint64_t context);
  // When the question that is out is given up; none if none is.
  std::optional<Instant> retry_due(Duration patience) const;
  // Those that the last question is for.
  const std::vector<RequestId>& asked() const { return asked_->reads; }
  // There is something that the next answer makes room for.
  bool ready_to_ask() const { return !asked_ && !unasked_.empty(); }

  // The leader's answer, and what it says of the state at that index; nothing if it is to a
  // question that is answered already.
  std::optional<raft::Freshness> confirm(std::uint64_t context, raft::Index read_index);
  // Those that may be served from a state that has `applied`.
  std::vector<RequestId> take_confirmed(raft::Index applied);

  // Forgets those for which it is true.
  void forget(const std::function<bool(RequestId)>& answered);
  std::size_t size() const;

 private:
  struct Question {
    // Under which it was asked first, and last.
    std::uint64_t first_context = 0;
    std::uint64_t context = 0;
    Instant first_asked;
    Instant asked;
    raft::Term term;
    std::vector<RequestId> reads;
  };
  struct Confirmed {
    raft::Index index;
    std::vector<RequestId> reads;
  };

  std::vector<RequestId> unasked_;
  std::optional<Question> asked_;
  std::vector<Confirmed> confirmed_;
};

}  // namespace anchor
