#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "core/base/assert.h"
#include "core/raft/configuration.h"

namespace anchor::raft {

// The least number of voters that any two of which overlap.
constexpr std::size_t majority(std::size_t voters) {
  return voters / 2 + 1;
}

// The greatest value that a majority of `voters` has reached: `value_of(id)` is what each has.
// Requires: voters is not empty.
template <typename ValueOf>
auto majority_value(const std::vector<ServerId>& voters, const ValueOf& value_of) {
  ANCHOR_ASSERT(!voters.empty());
  std::vector<decltype(value_of(voters.front()))> values;
  values.reserve(voters.size());
  for (const ServerId& id : voters) values.push_back(value_of(id));
  const auto reached = values.begin() + static_cast<std::ptrdiff_t>(majority(values.size()) - 1);
  std::ranges::nth_element(values, reached, std::ranges::greater{});
  return *reached;
}

// The same for a configuration: in a joint one both halves must have reached it
// (dissertation 4.3). With the match indexes of the servers this is what is replicated to a quorum;
// with the instants at which they were heard, since when a quorum was.
template <typename ValueOf>
auto quorum_value(const Configuration& configuration, const ValueOf& value_of) {
  const auto incoming = majority_value(configuration.voters, value_of);
  if (!configuration.joint()) return incoming;
  return std::min(incoming, majority_value(configuration.outgoing_voters, value_of));
}

// True if those for whom `holds(id)` is true make a quorum.
template <typename Holds>
bool is_quorum(const Configuration& configuration, const Holds& holds) {
  return quorum_value(configuration, [&](const ServerId& id) { return holds(id) ? 1 : 0; }) == 1;
}

}  // namespace anchor::raft
