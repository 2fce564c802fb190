#include "sim/operator.h"

#include <algorithm>
#include <utility>

namespace anchor::sim {
namespace {

// The configuration that the change led to; null if it is not known to have been made.
const raft::Configuration* changed(const Outcome* outcome) {
  const auto* done = outcome == nullptr ? nullptr : std::get_if<AdminDone>(outcome);
  const auto* change =
      done == nullptr ? nullptr : std::get_if<raft::ConfigurationChanged>(&done->answer);
  return change == nullptr ? nullptr : change->configuration.get();
}

}  // namespace

Operator::Operator(const Mix& mix, Cluster& cluster, Choices& choices, FaultCounts& counts)
    : mix_(mix),
      cluster_(cluster),
      choices_(choices),
      counts_(counts),
      joining_(cluster.size(), false) {}

void Operator::start() {
  if (mix_.faults.changes.every != Duration{}) later();
}

void Operator::later() {
  const Duration wait = choices_.between(0us, 2 * mix_.faults.changes.every, Stream::kOperator);
  cluster_.after(wait, [this] {
    if (stopped_) return;
    act();
    later();
  });
}

void Operator::act() {
  switch (draw(6)) {
    case 0:
    case 1:
      return add(draw(cluster_.size()));
    case 2:
      return remove();
    case 3:
      return promote();
    case 4:
      return move();
    default:
      return transfer();
  }
}

const raft::Configuration* Operator::any_configuration() {
  const std::uint64_t first = draw(cluster_.size());
  for (std::size_t offset = 0; offset < cluster_.size(); ++offset) {
    const Node& node = cluster_.node((first + offset) % cluster_.size());
    if (node.up()) return &node.replica->raft().configuration();
  }
  return nullptr;
}

void Operator::ask(raft::AdminRequest request, AdminCallback callback) {
  const std::uint64_t first = draw(cluster_.size());
  for (std::size_t offset = 0; offset < cluster_.size(); ++offset) {
    const std::size_t number = (first + offset) % cluster_.size();
    if (!cluster_.node(number).up()) continue;
    return cluster_.administer(number, std::move(request), std::move(callback));
  }
  callback(nullptr);
}

// --- Joining ------------------------------------------------------------------------------------

void Operator::add(std::size_t number) {
  if (cluster_.node(number).disk || joining_[number]) return;
  joining_[number] = true;
  ask_to_join({.node = number, .token = 1 + draw(UINT32_MAX), .learner = draw(4) == 0});
}

raft::AddServer Operator::request_of(const Joiner& joiner) const {
  const raft::ServerId& id = cluster_.node(joiner.node).id;
  return {.id = id,
          .address = id.name() + ":9001",
          .http_address = id.name() + ":10001",
          .join_token = joiner.token,
          .learner = joiner.learner};
}

// Those that it is one of now. Null: it is not known to have been admitted.
const raft::Configuration* Operator::admitted_to(const Joiner& joiner,
                                                 const Outcome* outcome) const {
  const raft::Configuration* members = changed(outcome);
  if (members == nullptr) return nullptr;
  const raft::Member* member = members->find(cluster_.node(joiner.node).id);
  return member != nullptr && member->join_token == joiner.token ? members : nullptr;
}

void Operator::ask_to_join(const Joiner& joiner) {
  ask(request_of(joiner), [this, joiner](const Outcome* outcome) { joined(joiner, outcome); });
}

void Operator::joined(const Joiner& joiner, const Outcome* outcome) {
  if (const raft::Configuration* members = admitted_to(joiner, outcome)) {
    ++counts_.changes;
    joining_[joiner.node] = false;
    // Some are admitted and never come up; so are those that come too late to be in anybody's care.
    if (!stopped_ && draw(8) != 0) cluster_.join(joiner.node, *members);
    return;
  }
  constexpr std::uint64_t kTries = 6;
  Joiner again = joiner;
  if (stopped_ || ++again.tries == kTries) {
    joining_[joiner.node] = false;
    return;
  }
  const Duration pause = choices_.between(0us, 500ms, Stream::kOperator);
  cluster_.after(pause, [this, again] { ask_to_join(again); });
}

std::optional<std::size_t> Operator::let_newcomer_lead(Instant until) {
  const auto leads = cluster_.leader();
  if (!leads) return std::nullopt;
  const raft::Raft& raft = cluster_.node(*leads).replica->raft();
  for (std::size_t number = 0; number < cluster_.size(); ++number) {
    if (cluster_.node(number).disk || joining_[number]) continue;
    if (raft.configuration().find(cluster_.node(number).id) != nullptr) continue;
    joining_[number] = true;
    cluster_.resume(number);
    cluster_.set_short_of_disk(number, false);
    admit({.node = number, .token = 1 + draw(UINT32_MAX)}, until);
    return number;
  }
  return std::nullopt;
}

void Operator::admit(const Joiner& newcomer, Instant until) {
  if (cluster_.now() >= until) return;
  const auto again = [=, this] { cluster_.after(100ms, [=, this] { admit(newcomer, until); }); };
  const auto leads = cluster_.leader();
  if (!leads) return again();
  cluster_.administer(*leads, request_of(newcomer), [=, this](const Outcome* outcome) {
    if (cluster_.now() >= until) return;
    const raft::Configuration* members = admitted_to(newcomer, outcome);
    if (members == nullptr) return again();
    cluster_.join(newcomer.node, *members);
    hand_over_to(newcomer.node, until);
  });
}

void Operator::hand_over_to(std::size_t number, Instant until) {
  const auto leads = cluster_.leader();
  if (cluster_.now() >= until || leads == number) return;
  if (leads) {
    cluster_.administer(*leads, raft::TransferLeadership{cluster_.node(number).id},
                        [](const Outcome*) {});
  }
  cluster_.after(200ms, [=, this] { hand_over_to(number, until); });
}

// --- Everything else ----------------------------------------------------------------------------

// Mostly it is for a reason that a server has to go.
const raft::Member& Operator::choose_leaving(const raft::Configuration& configuration) {
  const raft::Member& any = configuration.members[draw(configuration.members.size())];
  if (draw(2) == 0) return any;
  const auto last = [&](const raft::Member& member) {
    for (std::size_t number = 0; number < cluster_.size(); ++number) {
      const Node& node = cluster_.node(number);
      if (node.id == member.id && node.up()) return node.replica->raft().log().last().index;
    }
    return raft::Index();
  };
  return *std::ranges::min_element(configuration.members, {}, last);
}

void Operator::remove() {
  const raft::Configuration* members = any_configuration();
  if (members == nullptr) return;
  const raft::Member member = choose_leaving(*members);
  ask(raft::RemoveServer{.id = member.id, .force = draw(8) == 0},
      [this, member](const Outcome* outcome) { removed(member, outcome); });
}

void Operator::removed(const raft::Member& member, const Outcome* outcome) {
  const raft::Configuration* members = changed(outcome);
  if (members == nullptr || members->has(member.peer())) return;
  ++counts_.changes;
  if (draw(4) == 0) return;  // it is left as it is
  const Duration wait = choices_.between(0us, mix_.faults.changes.longest, Stream::kOperator);
  cluster_.after(wait, [this, member] {
    for (std::size_t number = 0; number < cluster_.size(); ++number) {
      const Node& node = cluster_.node(number);
      if (!node.disk || node.disk->image().stable.self != member.peer()) continue;
      cluster_.wipe(number);
      // Often it was to be replaced: by one of the same name, and at once.
      if (!stopped_ && draw(2) == 0) add(number);
    }
  });
}

void Operator::promote() {
  const raft::Configuration* members = any_configuration();
  if (members == nullptr || members->learners.empty()) return;
  ask(raft::PromoteServer{members->learners[draw(members->learners.size())]},
      [this](const Outcome* outcome) { counts_.changes += changed(outcome) != nullptr ? 1 : 0; });
}

// It is where it was; but that it has another address now, the cluster must agree on.
void Operator::move() {
  const raft::Configuration* members = any_configuration();
  if (members == nullptr) return;
  const raft::Member& member = members->members[draw(members->members.size())];
  const std::string port = std::to_string(9000 + draw(1000));
  ask(raft::MoveServer{.member = member.peer(),
                       .address = member.id.name() + ":" + port,
                       .http_address = member.http_address},
      [this](const Outcome* outcome) { counts_.changes += changed(outcome) != nullptr ? 1 : 0; });
}

void Operator::transfer() {
  const raft::Configuration* members = any_configuration();
  if (members == nullptr) return;
  raft::TransferLeadership request;
  if (draw(2) == 0) request.target = members->members[draw(members->members.size())].id;
  ask(std::move(request), [this](const Outcome* outcome) {
    const auto* done = outcome == nullptr ? nullptr : std::get_if<AdminDone>(outcome);
    if (done != nullptr && std::holds_alternative<raft::LeadershipTransferred>(done->answer)) {
      ++counts_.transfers;
    }
  });
}

}  // namespace anchor::sim
