#include "core/peer_book.h"

#include <utility>

namespace anchor {
namespace {

std::map<raft::ServerId, std::string> listed(const raft::Raft& raft) {
  std::map<raft::ServerId, std::string> addresses;
  // In the order of the log, so that the newest address counts.
  for (const auto& possible : raft.log().configurations_from(raft.commit_index())) {
    if (!possible.configuration) continue;
    for (const raft::Member& member : possible.configuration->members) {
      addresses[member.id] = member.address;
    }
  }
  addresses.erase(raft.state().self.id);
  return addresses;
}

}  // namespace

bool PeerBook::reach(const raft::Raft& raft, const raft::Peer& peer, const std::string* said,
                     Instant now) {
  if (said == nullptr || raft.state().left_out_at(peer)) {
    if (elsewhere_.erase(peer.id) > 0) newest_ = nullptr;  // what is listed counts again
    return false;
  }
  const auto at = addresses_.find(peer.id);
  if (at != addresses_.end() && !leaving_.contains(peer.id)) {
    if (at->second == *said) return false;
    elsewhere_[peer.id] = *said;
    at->second = *said;
    return true;
  }
  // Nobody vouches for those.
  constexpr std::size_t kMost = 16;
  if (at == addresses_.end() && leaving_.size() >= kMost) return false;
  leaving_[peer.id] = now + farewell_;
  if (at != addresses_.end() && at->second == *said) return false;
  addresses_[peer.id] = *said;
  return true;
}

bool PeerBook::up_to_date(const raft::Raft& raft) const {
  const bool nothing_is_left = !raft.state().removed || told_by_.empty();
  return newest_ == raft.log().configuration() &&
         committed_ == raft.log().configuration_at(raft.commit_index()).index && leaving_.empty() &&
         nothing_is_left;
}

bool PeerBook::follow(const raft::Raft& raft, Instant now) {
  if (up_to_date(raft)) return false;
  newest_ = raft.log().configuration();
  committed_ = raft.log().configuration_at(raft.commit_index()).index;

  std::map<raft::ServerId, std::string> wanted =
      raft.state().removed ? not_told_removed() : with_leaving(listed(raft), now);
  if (wanted == addresses_) return false;
  addresses_ = std::move(wanted);
  return true;
}

std::map<raft::ServerId, std::string> PeerBook::with_leaving(
    std::map<raft::ServerId, std::string> wanted, Instant now) {
  std::erase_if(elsewhere_, [&](const auto& each) {
    const auto listed = wanted.find(each.first);
    return listed == wanted.end() || listed->second == each.second;
  });
  for (const auto& [id, address] : elsewhere_) wanted[id] = address;
  for (const auto& [id, address] : addresses_) {
    if (wanted.contains(id)) {
      leaving_.erase(id);
      continue;
    }
    const auto leaves = leaving_.try_emplace(id, now + farewell_).first;
    if (now < leaves->second) {
      wanted.emplace(id, address);
    } else {
      leaving_.erase(leaves);
    }
  }
  return wanted;
}

std::map<raft::ServerId, std::string> PeerBook::not_told_removed() {
  leaving_.clear();
  std::map<raft::ServerId, std::string> left = addresses_;
  for (const raft::ServerId& id : std::exchange(told_by_, {})) left.erase(id);
  return left;
}

}  // namespace anchor
