#include <algorithm>
#include <utility>

#include "core/replica.h"

// How a replica answers reads; the rest of it is in replica.cc.
namespace anchor {
namespace {

kv::Revision newest_wanted(const Read& read) {
  return std::max(read.min_revision, read.at_revision.value_or(kv::Revision()));
}

}  // namespace

// A read request to the leader, or its answer, may get lost; reading is repeated without harm.
Duration Replica::read_retry() const {
  return 2 * options_.raft.heartbeat_interval;
}

void Replica::ask_for_read_index(PendingReads& reads, bool lease) {
  if (!leader_) return;
  if (!reads.ask(now_, raft_.term(), read_retry(), last_context_ + 1)) return;
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
    lease_reads_.confirm(confirmed.context, confirmed.read_index);
    const auto fresh = reads_.confirm(confirmed.context, confirmed.read_index);
    if (fresh) age_.learn(*fresh);
  }
  if (const auto fresh = raft_.freshness()) age_.learn(*fresh);
  for (PendingReads* reads : {&reads_, &leased_reads_}) {
    for (const RequestId id : reads->take_confirmed(applied_index_)) serve_confirmed(id);
  }
  tell_of_leases();
  for (const RequestId id : std::exchange(stale_reads_, {})) serve_stale(id);
}

void Replica::serve_confirmed(RequestId id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  const auto& read = std::get<Read>(found->second.body);
  if (store_.revision() < newest_wanted(read)) {
    return reply(id, RevisionInFuture{store_.revision(), applied_index_});
  }
  reply(id, result_of(read));
}

void Replica::serve_stale(RequestId id) {
  const auto& read = std::get<Read>(requests_.at(id).body);
  const std::optional<Duration> age = age_.at(now_);
  const bool fresh = !read.max_staleness || (age && *age <= *read.max_staleness);
  if (!fresh || store_.revision() < newest_wanted(read)) return reads_.add(id);
  reply(id, result_of(read));
}

Outcome Replica::result_of(const Read& read) const {
  const bool stale = read.consistency == Consistency::kStale;
  const std::optional<Duration> age = stale ? age_.at(now_) : std::nullopt;
  const kv::Revision revision = store_.revision();
  const kv::Revision at = read.at_revision.value_or(revision);
  const auto compacted = [&](const kv::Compacted& what) {
    return RevisionCompacted{what.oldest, revision, applied_index_, age};
  };
  if (std::holds_alternative<AllLeases>(read.of)) {
    return LeasesRead{store_.leases(), revision, applied_index_};
  }
  if (const auto* range = std::get_if<kv::KeyRange>(&read.of)) {
    auto view = store_.view(*range, at);
    if (!view) return compacted(view.error());
    return RangeRead{*std::move(view), revision, applied_index_, age};
  }
  auto item = store_.find(std::get<std::string>(read.of), at);
  if (!item) return compacted(item.error());
  return ReadDone{*std::move(item), revision, applied_index_, age};
}

std::optional<Instant> Replica::read_retry_due() const {
  std::optional<Instant> due;
  for (const PendingReads* reads : {&reads_, &leased_reads_, &lease_reads_}) {
    const auto retry = reads->retry_due(read_retry());
    if (retry && leader_) due = std::min(due.value_or(*retry), *retry);
  }
  return due;
}

}  // namespace anchor
