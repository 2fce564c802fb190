#include <algorithm>
#include <utility>

#include "core/replica.h"

// How a replica answers reads; the rest of it is in replica.cc.
namespace anchor {
namespace {

// A read request to the leader, or its answer, may get lost; reading is repeated without harm.
Duration read_retry(const raft::Options& options) {
  return 2 * options.heartbeat_interval;
}

}  // namespace

void Replica::ask_for_read_index(PendingReads& reads, bool lease) {
  if (!leader_) return;
  if (!reads.ask(now_, raft_.term(), read_retry(options_.raft), last_context_ + 1)) return;
  for (const RequestId id : reads.asked()) {
    const auto found = requests_.find(id);
    if (found != requests_.end()) set_expiry(id, found->second, found->second.deadline);
  }
  raft_.request_read_index(++last_context_, lease);
}

void Replica::serve_reads() {
  age_.applied(applied_index_);
  for (const raft::ConfirmedRead& confirmed : raft_.take_confirmed_reads()) {
    // What a lease says is only as good as clocks are; ages are to rest on less.
    leased_reads_.confirm(confirmed.context, confirmed.read_index);
    if (confirmed.by_lease) continue;
    const auto fresh = reads_.confirm(confirmed.context, confirmed.read_index);
    if (fresh) age_.learn(*fresh);
  }
  if (const auto fresh = raft_.freshness()) age_.learn(*fresh);
  for (PendingReads* reads : {&reads_, &leased_reads_}) {
    for (const RequestId id : reads->take_confirmed(applied_index_)) serve_confirmed(id);
  }
  for (const RequestId id : std::exchange(stale_reads_, {})) serve_stale(id);
}

void Replica::serve_confirmed(RequestId id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  const auto& read = std::get<ReadKey>(found->second.body);
  if (store_.revision() < read.min_revision) {
    return reply(id, RevisionInFuture{store_.revision(), applied_index_});
  }
  reply(id, result_of(read));
}

void Replica::serve_stale(RequestId id) {
  const auto& read = std::get<ReadKey>(requests_.at(id).body);
  const std::optional<Duration> age = age_.at(now_);
  const bool fresh = !read.max_staleness || (age && *age <= *read.max_staleness);
  if (!fresh || store_.revision() < read.min_revision) return reads_.add(id);
  reply(id, result_of(read));
}

ReadDone Replica::result_of(const ReadKey& read) const {
  const bool stale = read.consistency == Consistency::kStale;
  return {.item = store_.find(read.key),
          .revision = store_.revision(),
          .applied_index = applied_index_,
          .age = stale ? age_.at(now_) : std::nullopt};
}

std::optional<Instant> Replica::read_retry_due() const {
  std::optional<Instant> due;
  for (const PendingReads* reads : {&reads_, &leased_reads_}) {
    const auto retry = reads->retry_due(read_retry(options_.raft));
    if (retry && leader_) due = std::min(due.value_or(*retry), *retry);
  }
  return due;
}

}  // namespace anchor
