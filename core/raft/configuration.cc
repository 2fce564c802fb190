#include "core/raft/configuration.h"

#include <algorithm>
#include <functional>

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

const Member* Configuration::find(const ServerId& id) const {
  const auto found = std::ranges::lower_bound(members, id, {}, &Member::id);
  return found != members.end() && found->id == id ? &*found : nullptr;
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

Configuration founding_configuration(std::vector<Member> founders) {
  Configuration configuration{.members = std::move(founders)};
  std::ranges::sort(configuration.members, {}, &Member::id);
  for (const Member& member : configuration.members) configuration.voters.push_back(member.id);
  ANCHOR_ASSERT(valid(configuration));
  return configuration;
}

}  // namespace anchor::raft
