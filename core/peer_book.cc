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

void PeerBook::introduced(const raft::ServerId& peer, std::string address) {
  constexpr std::size_t kMost = 64;
  if (introduced_.size() >= kMost && !introduced_.contains(peer)) introduced_.clear();
  introduced_[peer] = std::move(address);
}

bool PeerBook::needs(const raft::Raft& raft, const raft::Peer& peer, Instant now) {
  const bool listed = addresses_.contains(peer.id) && !leaving_.contains(peer.id);
  const auto known = introduced_.find(peer.id);
  if (listed || known == introduced_.end() || raft.state().left_out_at(peer)) return false;
  leaving_[peer.id] = now + farewell_;
  return addresses_.try_emplace(peer.id, known->second).second;
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
