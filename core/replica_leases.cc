#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "core/replica.h"

// How the leader keeps leases alive and ends them; the rest of it is in replica.cc.
namespace anchor {
namespace {

// In one answer: more keys go with few leases.
constexpr std::size_t kKeysTold = 1000;
constexpr std::size_t kKeyBytesTold = 64 << 10;

}  // namespace

// Of a session's write that is repeated the result is that of the first, whatever the command is
// now.
void Replica::note_leases(const kv::Command& command, const kv::CommandResult& result) {
  const auto* done = std::get_if<kv::PutDone>(&result);
  const auto* granted = std::get_if<kv::LeaseGranted>(&result);
  if (done != nullptr || granted != nullptr) {
    const auto lease = store_.leases().find(done != nullptr ? done->lease : granted->id);
    // One that the key was given keeps the time that it has.
    if (!lease || (done != nullptr && !lease->of_key)) return;
    lease_expiry_.kept(lease->id, lease->ttl, now_);
    lease_expiry_.forget_ended(store_.leases());
  } else if (const auto* revoke = std::get_if<kv::RevokeLease>(&command.body)) {
    if (std::holds_alternative<kv::LeaseRevoked>(result)) lease_expiry_.ended(revoke->id);
  } else if (const auto* expire = std::get_if<kv::ExpireLeases>(&command.body)) {
    for (const kv::LeaseId id : expire->leases) lease_expiry_.ended(id);
  }
}

// Requires: this server leads.
void Replica::ask_of_lease(Proposer proposer, const raft::Query& query) {
  const auto asked = kv::decode_lease_query(query.payload);
  if (!asked) return unknown(proposer);
  if (lease_queries_.size() >= 2 * options_.waiting_requests) {
    return refuse(proposer, Refusal::kOverloaded);
  }
  const RequestId id(++last_lease_query_);
  lease_queries_.emplace_hint(lease_queries_.end(), id, AskedOfLease{std::move(proposer), *asked});
  lease_reads_.add(id);
}

void Replica::confirm_lead_for_leases() {
  if (!raft_.is_leader()) return;
  if (!lease_reads_.ask(now_, raft_.term(), read_retry(), last_context_ + 1)) return;
  raft_.request_read_index(++last_context_, false);
}

// Of a state that has all that was committed when they were asked. One whose end is proposed is
// kept alive no more, and is not said to be gone before it is: with this leader its end may be
// lost.
void Replica::tell_of_leases() {
  std::vector<RequestId> ready = std::exchange(lease_ends_awaited_, {});
  std::ranges::move(lease_reads_.take_confirmed(applied_index_), std::back_inserter(ready));
  for (const RequestId id : ready) {
    if (lease_expiry_.ending(lease_queries_.at(id).query.id)) {
      lease_ends_awaited_.push_back(id);
      continue;
    }
    const auto asked = lease_queries_.extract(id);
    if (!serves()) {
      unknown(asked.mapped().proposer);
      continue;
    }
    kv::LeaseAnswer answer = tell(asked.mapped().query);
    const Proposer& proposer = asked.mapped().proposer;
    if (const auto* origin = std::get_if<ForwardedFrom>(&proposer)) {
      send_forward_reply(*origin, raft::ForwardOutcome::kApplied, kv::encode_lease_answer(answer));
    } else if (requests_.contains(std::get<RequestId>(proposer))) {
      reply(std::get<RequestId>(proposer), LeaseTold{std::move(answer)});
    }
  }
}

// It leads no more, and has kept none of them alive.
void Replica::forget_lease_queries() {
  lease_reads_ = {};
  lease_ends_awaited_.clear();
  for (const auto& [id, asked] : std::exchange(lease_queries_, {})) not_applied(asked.proposer);
}

kv::LeaseAnswer Replica::tell(const kv::LeaseQuery& query) {
  const auto lease = store_.leases().find(query.id);
  if (!lease) return std::nullopt;
  if (query.keep_alive) lease_expiry_.kept(query.id, lease->ttl, now_);
  kv::LeaseStatus status{.ttl = lease->ttl, .remaining = lease_expiry_.remaining(query.id, now_)};
  if (query.keep_alive) return status;
  status.keys = store_.leases().keys(query.id, {}, kKeysTold);
  std::size_t bytes = 0;
  const auto first_too_many = std::ranges::find_if(
      status.keys, [&](const std::string& key) { return (bytes += key.size()) > kKeyBytesTold; });
  status.keys.erase(first_too_many, status.keys.end());
  status.more_keys = store_.leases().key_count(query.id) > status.keys.size();
  return status;
}

std::optional<Instant> Replica::lease_due() const {
  if (raft_.transferring() || !serves() || lease_expiry_.any_ending()) return std::nullopt;
  return lease_expiry_.due();
}

// An entry at a time: others come in between.
void Replica::expire_leases() {
  while (lease_due() && *lease_due() <= now_) {
    const kv::ExpireLeases expire =
        lease_expiry_.take_due(store_.leases(), now_, raft_.term().value());
    if (expire.leases.empty()) continue;
    if (!raft_.propose(kv::encode_command(kv::Command(expire)))) {
      lease_expiry_.put_off(expire, now_ + options_.raft.election_timeout);
    }
  }
}

}  // namespace anchor
