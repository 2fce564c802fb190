#pragma once

#include <algorithm>
#include <optional>

#include "core/base/time.h"
#include "core/raft/reads.h"

namespace anchor {

// How old a replica's data may be: it has everything that was committed anywhere as of some
// instant.
class DataAge {
 public:
  // The state is now that after the entry at `index`.
  void applied(raft::Index index) {
    applied_ = index;
    if (!awaited_ || awaited_->index > applied_) return;
    as_of_ = std::max(as_of_, awaited_->as_of);
    awaited_.reset();
  }
  // Of what is not applied yet the first is kept: were it replaced by newer ones, a replica that
  // lags might never get there.
  void learn(const raft::Freshness& fresh) {
    if (fresh.index <= applied_) {
      as_of_ = std::max(as_of_, fresh.as_of);
    } else if (!awaited_) {
      awaited_ = fresh;
    }
  }

  // None: nothing was ever known.
  std::optional<Duration> at(Instant now) const {
    if (as_of_ == Instant()) return std::nullopt;
    return now - as_of_;
  }

 private:
  raft::Index applied_;
  Instant as_of_{};
  std::optional<raft::Freshness> awaited_;
};

}  // namespace anchor
