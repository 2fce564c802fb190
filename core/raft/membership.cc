#include "core/raft/membership.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/raft/quorum.h"
#include "core/raft/replication.h"

namespace anchor::raft {
namespace {

using Position = std::optional<LogPosition>;
using Answer = std::expected<Position, AdminRefused>;

// So that it can commit what follows.
bool answers(const State& state, const Leader& leader, const ServerId& id) {
  if (id == state.self.id) return true;
  const Progress* progress = leader.follower(id);
  if (progress == nullptr || progress->boot == Boot() ||
      !progress->heard_within(state.options.election_timeout, state.now)) {
    return false;
  }
  // Who lacks entries and can be sent no snapshot never gets there.
  const bool lacks = progress->next.previous() < state.log.base().index;
  return !lacks || state.trusts_state();
}

// Why `voters` could not decide anything now, if so; `change` in words, as of "removing n3".
std::optional<std::string> quorum_risk(const State& state, const Leader& leader,
                                       const std::vector<ServerId>& voters,
                                       const std::string& change) {
  std::vector<ServerId> answering;
  std::ranges::copy_if(voters, std::back_inserter(answering),
                       [&](const ServerId& id) { return answers(state, leader, id); });
  const std::size_t needed = majority(voters.size());
  if (answering.size() >= needed) return std::nullopt;
  return change + " would leave " + std::to_string(voters.size()) + " voters (" + names_of(voters) +
         "), of which " + std::to_string(needed) + " are needed and " +
         std::to_string(answering.size()) + (answering.size() == 1 ? " answers" : " answer") +
         (answering.empty() ? "" : " (" + names_of(answering) + ")");
}

// Why no change can begin now.
std::optional<AdminRefused> not_now(const State& state, const Leader& leader) {
  if (state.commit_index < leader.first_index) {
    return AdminRefused{AdminRefusal::kNotReady,
                        "the leader was elected just now and has committed nothing yet"};
  }
  if (!configuration_committed(state) || state.configuration().joint()) {
    return AdminRefused{AdminRefusal::kChangeInProgress,
                        "another change of the members is under way"};
  }
  if (leader.transfer) {
    return AdminRefused{AdminRefusal::kChangeInProgress,
                        "leadership is being handed over to " + leader.transfer->target.name()};
  }
  return std::nullopt;
}

LogPosition append(State& state, Leader& leader, Configuration configuration,
                   const std::string& change) {
  const LogPosition position = append_as_leader(
      state, leader, std::make_shared<const Configuration>(std::move(configuration)));
  follow_configuration(state, leader);
  state.output.events.push_back(ConfigurationAppended{state.term(), position.index, change});
  return position;
}

// There is nothing to change; whatever made it so may not be committed yet.
Answer unchanged(const State& state) {
  const Index index = state.log.configuration_index();
  if (configuration_committed(state) && !state.configuration().joint()) return Position();
  if (index <= state.log.base().index) return Position(state.log.base());
  return Position({index, *state.log.term_at(index)});
}

Answer append_if_possible(State& state, Leader& leader, Configuration configuration,
                          const std::string& change) {
  if (auto refusal = not_now(state, leader)) return std::unexpected(std::move(*refusal));
  return Position(append(state, leader, std::move(configuration), change));
}

// --- The requests -------------------------------------------------------------------------------

Answer change_member(State& state, Leader& leader, Member member, const std::string& change) {
  if (*state.configuration().find(member.id) == member) return unchanged(state);
  return append_if_possible(state, leader, with_member(state.configuration(), std::move(member)),
                            change);
}

Answer add_member(State& state, Leader& leader, const AddServer& request) {
  const Index index = state.log.last().index.next();
  Member member{.id = request.id,
                .incarnation = Incarnation(index.value()),
                .address = request.address,
                .http_address = request.http_address,
                .join_token = request.join_token,
                .awaits_promotion = !request.learner};
  return append_if_possible(state, leader, with_learner(state.configuration(), std::move(member)),
                            "adds " + request.id.name() + " at " + request.address);
}

// A repetition, a new address, or the server for which an operator has made room.
Answer add_known_member(State& state, Leader& leader, Member member, const AddServer& request) {
  const bool unclaimed = member.incarnation != Incarnation() && member.join_token == 0;
  const bool known = request.join_token == 0 || request.join_token == member.join_token;
  if (!known && !unclaimed) {
    return refused(AdminRefusal::kIdentityTaken,
                   member.id.name() +
                       " is a member already, and is not the server that asks: either its id is "
                       "taken, or it has lost its data and may have voted; choose another id, or "
                       "remove the member first");
  }
  if (request.join_token != 0) member.join_token = request.join_token;
  member.address = request.address;
  if (!request.http_address.empty()) member.http_address = request.http_address;
  return change_member(state, leader, std::move(member),
                       request.id.name() + " is at " + request.address);
}

Answer promote(State& state, Leader& leader, const ServerId& id) {
  if (auto refusal = not_now(state, leader)) return std::unexpected(std::move(*refusal));
  std::vector<ServerId> voters = state.configuration().voters;
  voters.push_back(id);
  std::ranges::sort(voters);
  const std::string change = "promoting " + id.name();
  if (const auto risk = quorum_risk(state, leader, voters, change)) {
    return refused(AdminRefusal::kQuorumAtRisk, *risk);
  }
  return append(state, leader, joint_with(state.configuration(), std::move(voters)), change);
}

bool caught_up(const State& state, const Leader& leader, const ServerId& id) {
  const Progress* progress = leader.follower(id);
  return progress != nullptr && answers(state, leader, id) && progress->replicating() &&
         progress->match >= state.commit_index;
}

struct Change {
  State& state;
  Leader& leader;

  Answer operator()(const AddServer& request) const {
    const Member* member = state.configuration().find(request.id);
    if (member == nullptr) return add_member(state, leader, request);
    return add_known_member(state, leader, *member, request);
  }

  Answer operator()(const MoveServer& request) const {
    if (!state.configuration().has(request.member)) return unknown(request.member.id);
    Member member = *state.configuration().find(request.member.id);
    member.address = request.address;
    member.http_address = request.http_address;
    return change_member(state, leader, std::move(member),
                         request.member.id.name() + " is at " + request.address);
  }

  Answer operator()(const RemoveServer& request) const {
    const Configuration& now = state.configuration();
    const std::string change = "removing " + request.id.name();
    if (now.is_learner(request.id)) {
      return append_if_possible(state, leader, without_learner(now, request.id), change);
    }
    if (now.find(request.id) == nullptr) return unknown(request.id);
    if (auto refusal = not_now(state, leader)) return std::unexpected(std::move(*refusal));
    std::vector<ServerId> voters = now.voters;
    std::erase(voters, request.id);
    if (voters.empty()) {
      return refused(AdminRefusal::kQuorumAtRisk, request.id.name() + " is the only voter");
    }
    const auto risk = quorum_risk(state, leader, voters, change);
    if (risk && !request.force) return refused(AdminRefusal::kQuorumAtRisk, *risk);
    return append(state, leader, joint_with(now, std::move(voters)), change);
  }

  Answer operator()(const PromoteServer& request) const {
    const Configuration& now = state.configuration();
    if (now.find(request.id) == nullptr) return unknown(request.id);
    if (now.is_voter(request.id)) return unchanged(state);
    if (!caught_up(state, leader, request.id)) {
      const Progress* progress = leader.follower(request.id);
      const Index match = progress == nullptr ? Index() : progress->match;
      return refused(AdminRefusal::kNotReady, request.id.name() +
                                                  " has not caught up: it holds entries up to " +
                                                  std::to_string(match.value()) + " of " +
                                                  std::to_string(state.log.last().index.value()));
    }
    return promote(state, leader, request.id);
  }

  Answer operator()(const TransferLeadership&) const {
    ANCHOR_ASSERT(false, "a transfer changes no member");
    return Position();
  }

  static Answer unknown(const ServerId& id) {
    return refused(AdminRefusal::kNotFound, "there is no member " + id.name());
  }
};

// True once a round of catching up took less than an election timeout.
bool ends_catching_up(const State& state, Progress& progress) {
  const Index last = state.log.last().index;
  if (!progress.catch_up) {
    progress.catch_up = CatchUp{last, state.now};
    return false;
  }
  if (progress.match < progress.catch_up->target) return false;
  if (state.now - progress.catch_up->began < state.options.election_timeout) return true;
  progress.catch_up = CatchUp{last, state.now};
  return false;
}

}  // namespace

bool configuration_committed(const State& state) {
  return state.log.configuration_index() <= state.commit_index;
}

std::expected<std::optional<LogPosition>, AdminRefused> change_members(
    State& state, Leader& leader, const AdminRequest& request) {
  return std::visit(Change{state, leader}, request);
}

void advance_membership(State& state, Leader& leader) {
  if (state.commit_index < leader.first_index || !configuration_committed(state)) return;
  if (state.configuration().joint()) {
    append(state, leader, settled(state.configuration()), "leaves the joint configuration");
    return;
  }
  for (auto& [id, progress] : leader.followers) {
    if (!state.configuration().find(id)->awaits_promotion) continue;
    if (!ends_catching_up(state, progress) || !caught_up(state, leader, id)) continue;
    // Refused: while leadership moves, or as long as it would put the quorum at risk.
    if (promote(state, leader, id)) return;
  }
}

void follow_configuration(State& state, Leader& leader) {
  const Configuration& configuration = state.configuration();
  const std::size_t gone = std::erase_if(leader.followers, [&](const auto& follower) {
    return !configuration.has(follower.second.peer);
  });
  // The log may have been kept for one of these.
  if (gone > 0) state.compaction_due = true;
  for (const Member& member : configuration.members) {
    if (member.id == state.self.id) continue;
    leader.followers.try_emplace(member.id, Progress{.peer = member.peer(),
                                                     .next = state.log.last().index.next(),
                                                     .last_heard = state.now,
                                                     .short_of_disk = state.short_of_disk});
  }
}

}  // namespace anchor::raft
