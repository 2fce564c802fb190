#include "core/raft/configuration.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/assert.h"

namespace anchor::raft {
namespace {

bool strictly_ascending(const std::vector<ServerId>& ids) {
  return std::ranges::adjacent_find(ids, std::ranges::greater_equal{}) == ids.end();
}

bool contains(const std::vector<ServerId>& ids, const ServerId& id) {
  return std::ranges::binary_search(ids, id);
}

}  // namespace

bool Configuration::is_voter(const ServerId& id) const {
  return contains(voters, id) || contains(outgoing_voters, id);
}

bool Configuration::is_learner(const ServerId& id) const {
  return contains(learners, id);
}

const Member* Configuration::find(const ServerId& id) const {
  const auto found = std::ranges::lower_bound(members, id, {}, &Member::id);
  return found != members.end() && found->id == id ? &*found : nullptr;
}

bool Configuration::has(const Peer& peer) const {
  const Member* member = find(peer.id);
  return member != nullptr && member->incarnation == peer.incarnation;
}

bool valid(const Configuration& configuration) {
  const Configuration& c = configuration;
  if (c.voters.empty() || !strictly_ascending(c.voters) || !strictly_ascending(c.outgoing_voters) ||
      !strictly_ascending(c.learners)) {
    return false;
  }
  if (std::ranges::adjacent_find(c.members, std::ranges::greater_equal{}, &Member::id) !=
      c.members.end()) {
    return false;
  }
  const auto named = [&](const ServerId& id) { return c.find(id) != nullptr; };
  const auto counted = [&](const Member& member) {
    return !member.id.empty() && c.is_voter(member.id) != contains(c.learners, member.id);
  };
  return std::ranges::all_of(c.voters, named) && std::ranges::all_of(c.outgoing_voters, named) &&
         std::ranges::all_of(c.learners, named) && std::ranges::all_of(c.members, counted);
}

Configuration with_learner(Configuration from, Member member) {
  ANCHOR_ASSERT(from.find(member.id) == nullptr);
  from.learners.insert(std::ranges::lower_bound(from.learners, member.id), member.id);
  const auto at = std::ranges::lower_bound(from.members, member.id, {}, &Member::id);
  from.members.insert(at, std::move(member));
  ANCHOR_ASSERT(valid(from));
  return from;
}

Configuration with_member(Configuration from, Member member) {
  const auto at = std::ranges::find(from.members, member.id, &Member::id);
  ANCHOR_ASSERT(at != from.members.end());
  *at = std::move(member);
  return from;
}

Configuration without_learner(Configuration from, const ServerId& id) {
  ANCHOR_ASSERT(from.is_learner(id));
  std::erase(from.learners, id);
  std::erase_if(from.members, [&](const Member& member) { return member.id == id; });
  ANCHOR_ASSERT(valid(from));
  return from;
}

Configuration joint_with(Configuration from, std::vector<ServerId> voters) {
  ANCHOR_ASSERT(!from.joint());
  std::ranges::sort(voters);
  from.outgoing_voters = std::exchange(from.voters, std::move(voters));
  std::erase_if(from.learners, [&](const ServerId& id) { return contains(from.voters, id); });
  ANCHOR_ASSERT(valid(from));
  return from;
}

Configuration settled(Configuration joint) {
  ANCHOR_ASSERT(joint.joint());
  joint.outgoing_voters.clear();
  std::erase_if(joint.members, [&](const Member& member) {
    return !contains(joint.voters, member.id) && !contains(joint.learners, member.id);
  });
  for (Member& member : joint.members) {
    if (contains(joint.voters, member.id)) member.awaits_promotion = false;
  }
  ANCHOR_ASSERT(valid(joint));
  return joint;
}

Configuration founding_configuration(std::vector<Member> founders) {
  Configuration configuration{.members = std::move(founders)};
  std::ranges::sort(configuration.members, {}, &Member::id);
  for (const Member& member : configuration.members) configuration.voters.push_back(member.id);
  ANCHOR_ASSERT(valid(configuration));
  return configuration;
}

}  // namespace anchor::raft
