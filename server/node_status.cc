#include <algorithm>
#include <utility>

#include "server/node.h"
#include "server/system.h"
#include "server/version.h"

// What a node tells of itself and of its cluster.
namespace anchor::server {
namespace {

std::vector<raft::ServerId> without(const std::vector<raft::ServerId>& ids,
                                    const std::vector<raft::ServerId>& others) {
  std::vector<raft::ServerId> left;
  std::ranges::set_difference(ids, others, std::back_inserter(left));
  return left;
}

// What leads from one configuration to the other, in a word.
std::string change_between(const raft::Configuration& from, const raft::Configuration& to) {
  if (to.joint()) {
    const bool more = !without(to.voters, to.outgoing_voters).empty();
    const bool fewer = !without(to.outgoing_voters, to.voters).empty();
    if (more && fewer) return "replace";
    return more ? "promote" : "remove";
  }
  if (from.joint()) return change_between(from, from);
  if (to.members.size() != from.members.size()) {
    return to.members.size() > from.members.size() ? "join" : "remove";
  }
  return "move";
}

}  // namespace

NodeStatus::Role Node::role() const {
  if (raft().is_leader()) return NodeStatus::Role::kLeader;
  if (removed() || !raft().state().is_voter()) return NodeStatus::Role::kLearner;
  const bool candidate = std::holds_alternative<raft::Candidate>(raft().role());
  return candidate ? NodeStatus::Role::kCandidate : NodeStatus::Role::kFollower;
}

NodeStatus::PeerStatus Node::peer_status(const raft::Member& member, Instant now) const {
  const bool self = member.id == raft().state().self.id;
  NodeStatus::PeerStatus peer{.id = member.id.name(),
                              .address = member.address,
                              .http_address = member.http_address,
                              .connected = self || transport_.connected(member.id)};
  const auto known = raft().leader();
  if (self) {
    peer.role = role();
  } else if (known && known->peer.id == member.id) {
    peer.role = NodeStatus::Role::kLeader;
  } else if (!raft().configuration().is_voter(member.id)) {
    peer.role = NodeStatus::Role::kLearner;
  }
  const auto* leading = std::get_if<raft::Leader>(&raft().role());
  if (leading == nullptr) return peer;
  if (self) {
    peer.match_index = raft().log().durable_index().value();
    peer.last_contact_ms = 0;
    return peer;
  }
  const raft::Progress& progress = leading->followers.at(member.id);
  peer.match_index = progress.match.value();
  peer.last_contact_ms = ceil_ms(now - progress.last_heard);
  return peer;
}

NodeStatus Node::status() const {
  const raft::State& state = raft().state();
  NodeStatus status{.node_id = state.self.id.name(),
                    .role = role(),
                    .term = raft().term().value(),
                    .commit_index = raft().commit_index().value(),
                    .applied_index = replica_.applied_index().value(),
                    .revision = replica_.store().revision().value(),
                    .digest = replica_.store().digest(),
                    .state_trusted = replica_.serves(),
                    .short_of_disk = disk_watch_->short_of_disk(),
                    .fsync_p99_us = static_cast<std::uint64_t>(disk_.commit_p99().count()),
                    .version = version(),
                    .cluster_id = state.cluster_id.value(),
                    .boot = state.boot.value()};
  if (const auto known = leader()) {
    status.leader_id = known->id;
    status.leader_http_address = known->http_address;
  }
  const Instant now = boottime_now();
  for (const raft::Member& member : raft().configuration().members) {
    status.peers.push_back(peer_status(member, now));
  }
  if (const auto* leading = std::get_if<raft::Leader>(&raft().role())) {
    for (const auto& [id, progress] : leading->followers) {
      status.replication_lag[id.name()] = raft().log().last().index - progress.match;
    }
  }
  return status;
}

// The learner that is on its way to be a voter.
std::optional<ClusterMembers::Change> Node::catching_up() const {
  for (const raft::Member& member : raft().configuration().members) {
    if (!member.awaits_promotion) continue;
    ClusterMembers::Change change{
        .kind = "promote", .phase = "catching_up", .id = member.id.name(), .progress = {}};
    if (const auto* leading = std::get_if<raft::Leader>(&raft().role())) {
      const double last = static_cast<double>(raft().log().last().index.value());
      change.progress = static_cast<double>(leading->followers.at(member.id).match.value()) / last;
    }
    return change;
  }
  return std::nullopt;
}

std::optional<ClusterMembers::Change> Node::change() const {
  const raft::Configuration& newest = raft().configuration();
  const auto& committed = raft().log().configuration_at(raft().commit_index());
  const bool open = committed.index != raft().log().configuration_index();
  if (!open && !newest.joint()) return catching_up();
  const raft::Configuration& from = committed.configuration ? *committed.configuration : newest;
  return ClusterMembers::Change{.kind = change_between(from, newest),
                                .phase = newest.joint() ? "joint" : "committing",
                                .id = {},
                                .progress = {}};
}

ClusterMembers Node::members() const {
  const auto known = raft().leader();
  ClusterMembers members{.cluster_id = raft().state().cluster_id.value()};
  for (const raft::Member& member : raft().configuration().members) {
    members.members.push_back({.id = member.id.name(),
                               .address = member.address,
                               .http_address = member.http_address,
                               .learner = !raft().configuration().is_voter(member.id),
                               .leader = known && known->peer.id == member.id});
  }
  members.change = change();
  return members;
}

std::vector<HealthCheck> Node::health() const {
  std::vector<HealthCheck> checks{{.name = "leader"},
                                  {.name = "log"},
                                  {.name = "storage"},
                                  {.name = "member"},
                                  {.name = "state"}};
  if (removed()) checks[3].failure = "removed";
  if (!raft().leader()) checks[0].failure = "no leader is known";
  // Its data has all that was committed not long ago, wherever that was.
  const auto age = replica_.data_age();
  if (!age || *age > std::max<Duration>(10 * raft().state().options.election_timeout, 3s)) {
    checks[1].failure = "catching up with the leader";
  }
  if (!replica_.serves()) checks[4].failure = "it is not the majority's, or there is no majority";
  constexpr auto kStalled = 5s;
  const auto oldest = disk_.oldest_pending_since();
  if (oldest && io::DiskWriter::Clock::now() - *oldest > kStalled) {
    checks[2].failure = "the disk has been silent for more than 5 s";
  }
  return checks;
}

void Node::take(const io::DiskRoomFound& found) {
  inputs_.emplace_back(DiskRoom{found.short_of_disk});
  Fields fields;
  fields.add("free_bytes", found.free_bytes);
  if (!found.problem.empty()) fields.add("problem", found.problem);
  if (found.short_of_disk) {
    log_.warn("the disk of " + options_.directory + " is nearly full: make room", fields);
  } else {
    log_.info(found.problem.empty() ? "the disk has room"
                                    : "the disk has room, but none can be kept in reserve",
              fields);
  }
}

}  // namespace anchor::server
