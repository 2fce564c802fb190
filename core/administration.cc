#include "core/administration.h"

#include <algorithm>

namespace anchor {
namespace {

// Who asks again and again need not be remembered each time.
constexpr std::size_t kMostWaiting = 256;

raft::AdminRefused too_many() {
  return {raft::AdminRefusal::kNotReady, "too many requests of this kind are waiting already"};
}

}  // namespace

std::optional<raft::AdminAnswer> Administration::begin(raft::Raft& raft, Proposer proposer,
                                                       const raft::AdminRequest& request) {
  if (changes_.size() + transfers_.size() >= kMostWaiting) return too_many();
  if (const auto* transfer = std::get_if<raft::TransferLeadership>(&request)) {
    const auto target = raft.transfer_leadership(transfer->target, "asked to");
    if (!target) return target.error();
    if (*target == raft.state().self.id) return raft::LeadershipTransferred{*target};
    transfers_.push_back({std::move(proposer), *target});
    return std::nullopt;
  }
  const auto position = raft.change_members(request);
  if (!position) return position.error();
  if (!*position) {
    return raft::ConfigurationChanged{raft.log().configuration_index(), raft.log().configuration()};
  }
  changes_.push_back({std::move(proposer), **position});
  return std::nullopt;
}

std::vector<Administration::Settled> Administration::applied(const raft::Entry& entry) {
  std::vector<Settled> settled;
  const auto* configuration = std::get_if<raft::SharedConfiguration>(&entry.payload);
  std::erase_if(changes_, [&](Change& change) {
    if (entry.index < change.position.index) return false;
    const bool replaced =
        entry.index == change.position.index && entry.term != change.position.term;
    if (replaced) {
      settled.push_back({std::move(change.proposer), std::nullopt});
      return true;
    }
    if (configuration == nullptr || (*configuration)->joint()) return false;
    settled.push_back(
        {std::move(change.proposer), raft::ConfigurationChanged{entry.index, *configuration}});
    return true;
  });
  return settled;
}

std::vector<Proposer> Administration::skipped(raft::Index index) {
  std::vector<Proposer> unknown;
  std::erase_if(changes_, [&](Change& change) {
    if (change.position.index > index) return false;
    unknown.push_back(std::move(change.proposer));
    return true;
  });
  return unknown;
}

std::vector<Administration::Settled> Administration::step_ended(const raft::Raft& raft) {
  std::vector<Settled> settled;
  const auto leader = raft.leader();
  if (transfers_.empty() || !leader || raft.transferring()) return settled;
  for (Transfer& transfer : transfers_) {
    raft::AdminAnswer answer = raft::LeadershipTransferred{leader->peer.id};
    if (leader->peer.id != transfer.target) {
      answer =
          raft::AdminRefused{raft::AdminRefusal::kNotReady,
                             transfer.target.name() + " did not take leadership over in time; " +
                                 leader->peer.id.name() + " leads"};
    }
    settled.push_back({std::move(transfer.proposer), std::move(answer)});
  }
  transfers_.clear();
  return settled;
}

}  // namespace anchor
