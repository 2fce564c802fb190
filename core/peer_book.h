#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/base/time.h"
#include "core/raft/raft.h"

namespace anchor {

// Whom to dial, and where: all whom a configuration lists that is in force or may come to be, at
// the newest address of each. Who is listed no more stays for a while: its last answers are to
// reach it, and a leader that is removed needs what it hears to hand over. And whoever is not
// listed yet, or is listed elsewhere, is dialled where it says that it is, if it is to be answered:
// a server may lead, or campaign, whose admission or move is in the very entries that this one
// lacks (dissertation 4.1).
class PeerBook {
 public:
  explicit PeerBook(Duration farewell) : farewell_(farewell) {}

  // Brings it up to date; true if the addresses have changed. Requires: `now` does not go back.
  bool follow(const raft::Raft& raft, Instant now);
  const std::map<raft::ServerId, std::string>& addresses() const { return addresses_; }

  // Something is to be sent to the peer, which says that it is at `said`; null: it says nothing
  // now. What it says counts, as long as it does: configurations that this server has yet to get
  // may say the same. True if the addresses have changed.
  bool reach(const raft::Raft& raft, const raft::Peer& peer, const std::string* said, Instant now);

  // The peer said that this server is a member no more. Once that is so, there is no reason to dial
  // it again.
  void told_removed(const raft::ServerId& peer) { told_by_.insert(peer); }

 private:
  using Addresses = std::map<raft::ServerId, std::string>;

  bool up_to_date(const raft::Raft& raft) const;
  Addresses with_leaving(Addresses wanted, Instant now);
  Addresses not_told_removed();

  Duration farewell_;
  std::map<raft::ServerId, std::string> addresses_;
  // Those that are listed, but say that they are here.
  Addresses elsewhere_;
  // Until when those stay who are listed no more, or not yet.
  std::map<raft::ServerId, Instant> leaving_;
  std::set<raft::ServerId> told_by_;

  // What it was brought up to date with.
  raft::SharedConfiguration newest_;
  raft::Index committed_;
};

}  // namespace anchor
