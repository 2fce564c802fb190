#include "core/pending_reads.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace anchor {

bool PendingReads::ask(Instant now, raft::Term term, Duration patience, std::uint64_t context) {
  if (asked_) {
    if (asked_->term == term && now < asked_->asked + patience) return false;
    asked_->context = context;
    asked_->asked = now;
    asked_->term = term;
    return true;
  }
  if (unasked_.empty()) return false;
  asked_ = Question{.first_context = context,
                    .context = context,
                    .first_asked = now,
                    .asked = now,
                    .term = term,
                    .reads = std::exchange(unasked_, {})};
  return true;
}

std::optional<Instant> PendingReads::retry_due(Duration patience) const {
  if (!asked_) return std::nullopt;
  return asked_->asked + patience;
}

std::optional<raft::Freshness> PendingReads::confirm(std::uint64_t context,
                                                     raft::Index read_index) {
  if (!asked_ || context < asked_->first_context || context > asked_->context) return std::nullopt;
  const raft::Freshness fresh{read_index, asked_->first_asked};
  confirmed_.push_back({read_index, std::move(asked_->reads)});
  asked_.reset();
  return fresh;
}

std::vector<RequestId> PendingReads::take_confirmed(raft::Index applied) {
  std::vector<RequestId> taken;
  std::erase_if(confirmed_, [&](const Confirmed& batch) {
    if (batch.index > applied) return false;
    std::ranges::copy(batch.reads, std::back_inserter(taken));
    return true;
  });
  return taken;
}

void PendingReads::forget(const std::function<bool(RequestId)>& answered) {
  std::erase_if(unasked_, answered);
  if (asked_) std::erase_if(asked_->reads, answered);
  std::erase_if(confirmed_, [&](Confirmed& batch) {
    std::erase_if(batch.reads, answered);
    return batch.reads.empty();
  });
}

std::size_t PendingReads::size() const {
  std::size_t count = unasked_.size() + (asked_ ? asked_->reads.size() : 0);
  for (const Confirmed& batch : confirmed_) count += batch.reads.size();
  return count;
}

}  // namespace anchor
