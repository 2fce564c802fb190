#include "sim/clock_checks.h"

#include <algorithm>
#include <variant>

#include "core/raft/lease.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

const raft::Leader* leader_at(const Node& node) {
  return node.up() ? std::get_if<raft::Leader>(&node.replica->raft().role()) : nullptr;
}

// It campaigns because a leader told it to; or does so no more.
bool needs_no_promise(const std::vector<Node>& nodes, const raft::ServerId& id) {
  const auto node = std::ranges::find(nodes, id, &Node::id);
  if (node == nodes.end() || !node->up()) return true;
  const auto* candidate = std::get_if<raft::Candidate>(&node->replica->raft().role());
  return candidate == nullptr || candidate->transfer;
}

void check_vote(const std::vector<Node>& nodes, const Node& voter, const raft::ServerId& candidate,
                raft::Term campaign, Instant now) {
  const raft::Incarnation incarnation = voter.replica->raft().state().self.incarnation;
  for (const Node& node : nodes) {
    const raft::Leader* leader = leader_at(node);
    if (leader == nullptr || node.id == candidate || leader->lease_given_up) continue;
    // A vote in a term that is over already elects nobody.
    if (node.replica->raft().term() >= campaign) continue;
    const raft::Progress* follower = leader->follower(voter.id);
    if (follower == nullptr || follower->peer.incarnation != incarnation) continue;
    check(follower->promised_until <= node.clock.at(now), "promise-broken",
          voter.id.name() + " votes for " + candidate.name() + ", and has promised " +
              node.id.name() + " not to");
  }
}

// The vote, if the message gives or asks for one.
void check_vote(const std::vector<Node>& nodes, const Node& voter, const raft::Message& message,
                Instant now) {
  if (const auto* reply = std::get_if<raft::VoteReply>(&message.body)) {
    if (!reply->granted || needs_no_promise(nodes, message.to.id)) return;
    check_vote(nodes, voter, message.to.id, reply->campaign_term, now);
  } else if (const auto* request = std::get_if<raft::RequestVote>(&message.body)) {
    if (!request->transfer) check_vote(nodes, voter, voter.id, request->campaign_term, now);
  }
}

// Whoever holds a lease does so by promises that will be kept as long as it counts on them, however
// often who made them restarts.
void check_promise(const Node& leads, const raft::Progress& progress, const Node& follower,
                   Instant now) {
  if (!follower.up() || progress.promised_until <= leads.clock.at(now)) return;
  const raft::State& state = follower.replica->raft().state();
  const bool has_stepped = state.now != Instant();  // a start that is held up promises nothing yet
  if (state.self != progress.peer || !has_stepped) return;
  constexpr Duration kRounding{2};
  check(leads.clock.when(progress.promised_until, now) <=
            follower.clock.when(state.promise.until, now) + kRounding,
        "promise-forgotten",
        follower.id.name() + " has promised " + leads.id.name() + " more than it knows of");
}

void check_promises(const std::vector<Node>& nodes, const Node& stepped, Instant now) {
  for (const Node& node : nodes) {
    const raft::Leader* leader = leader_at(node);
    if (leader == nullptr) continue;
    if (raft::lease_end(node.replica->raft().state(), *leader) <= node.clock.at(now)) continue;
    for (const Node& other : nodes) {
      if (other.number == node.number) continue;
      if (node.number != stepped.number && other.number != stepped.number) continue;
      const raft::Progress* follower = leader->follower(other.id);
      if (follower != nullptr) check_promise(node, *follower, other, now);
    }
  }
}

void check_elected(const std::vector<Node>& nodes, const Node& elected, raft::Term term,
                   Instant now) {
  for (const Node& node : nodes) {
    const raft::Leader* leader = leader_at(node);
    if (leader == nullptr || node.number == elected.number) continue;
    const raft::Raft& raft = node.replica->raft();
    // Who wins late, in a term that is over already, commits nothing.
    if (raft.term() > term) continue;
    check(raft::lease_end(raft.state(), *leader) <= node.clock.at(now), "lease-outlived",
          elected.id.name() + " is elected while " + node.id.name() + " still holds a lease");
  }
}

void check_leases(const std::vector<Node>& nodes, const Node& stepped, const Output& output,
                  const ClusterChecker& cluster, bool clocks_sound, Instant now) {
  for (const raft::Message& message : output.messages) check_vote(nodes, stepped, message, now);
  for (const raft::DeferredMessage& deferred : output.messages_after_persist) {
    check_vote(nodes, stepped, deferred.message, now);
  }
  for (const raft::Event& event : output.events) {
    const auto* won = std::get_if<raft::BecameLeader>(&event);
    if (won != nullptr) check_elected(nodes, stepped, won->term, now);
  }
  // Where clocks are beyond their bound it would end a run before any harm is done.
  if (clocks_sound) check_promises(nodes, stepped, now);
  const raft::Leader* leader = leader_at(stepped);
  const raft::State& state = stepped.replica->raft().state();
  if (leader == nullptr || state.commit_index == cluster.commit_index()) return;
  check(!raft::holds_lease(state, *leader), "lease-misses-commit",
        stepped.id.name() + " holds a lease, and knows of commits up to " +
            std::to_string(state.commit_index.value()) + " only");
}

}  // namespace

void check_clocks(const std::vector<Node>& nodes, const Node& stepped, const Output& output,
                  const ClusterChecker& cluster, const Mix& mix, Instant now) {
  if (mix.lease_reads > 0) check_leases(nodes, stepped, output, cluster, clocks_sound(mix), now);
  const auto age = stepped.replica->data_age();
  if (!age) return;
  check_age(cluster, stepped.replica->applied_index(), *age, mix.faults.drift_ppm, now,
            stepped.id.name());
}

void check_age(const ClusterChecker& cluster, raft::Index applied, Duration age,
               std::uint32_t drift_ppm, Instant now, const std::string& what) {
  const Duration longest = age * 1'000'000 / (1'000'000 - drift_ppm) + 1us;
  check(applied >= cluster.committed_by(now - longest), "stale-read-age",
        what + " is older than its age of " + std::to_string(age.count()) + " us");
}

}  // namespace anchor::sim
