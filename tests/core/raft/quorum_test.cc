#include "core/raft/quorum.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "tests/core/raft/cluster.h"

namespace anchor::raft {
namespace {

using Values = std::map<ServerId, std::uint64_t>;

std::vector<ServerId> ids_from(int first, int last) {
  std::vector<ServerId> ids;
  for (int number = first; number <= last; ++number) ids.push_back(id_of(number));
  return ids;
}

// Numbers below ten, so that ids sort as they do. The halves overlap at random.
Configuration any_configuration() {
  Configuration configuration;
  const int last = *rc::gen::inRange(1, 8);
  configuration.voters = ids_from(1, last);
  if (*rc::gen::arbitrary<bool>()) {
    const int first = *rc::gen::inRange(1, 9);
    configuration.outgoing_voters = ids_from(first, *rc::gen::inRange(first, 10));
  }
  return configuration;
}

Values any_values() {
  Values values;
  for (const ServerId& id : ids_from(1, 9)) values[id] = *rc::gen::inRange<std::uint64_t>(0, 6);
  return values;
}

std::set<ServerId> any_servers() {
  std::set<ServerId> servers;
  for (const ServerId& id : ids_from(1, 9)) {
    if (*rc::gen::arbitrary<bool>()) servers.insert(id);
  }
  return servers;
}

// What the definition says, word for word: more than half.
bool naive_majority(const std::vector<ServerId>& voters, const std::set<ServerId>& servers) {
  std::size_t count = 0;
  for (const ServerId& id : voters) count += servers.contains(id) ? 1 : 0;
  return 2 * count > voters.size();
}

bool naive_quorum(const Configuration& configuration, const std::set<ServerId>& servers) {
  return naive_majority(configuration.voters, servers) &&
         (!configuration.joint() || naive_majority(configuration.outgoing_voters, servers));
}

bool is_quorum_of(const Configuration& configuration, const std::set<ServerId>& servers) {
  return is_quorum(configuration, [&](const ServerId& id) { return servers.contains(id); });
}

// The greatest value that a quorum has reached, by trying all.
std::uint64_t naive_quorum_value(const Configuration& configuration, const Values& values) {
  std::uint64_t greatest = 0;
  for (std::uint64_t candidate = 0; candidate < 10; ++candidate) {
    std::set<ServerId> reached;
    for (const auto& [id, value] : values) {
      if (value >= candidate) reached.insert(id);
    }
    if (naive_quorum(configuration, reached)) greatest = candidate;
  }
  return greatest;
}

TEST(Quorum, AMajorityIsMoreThanHalf) {
  EXPECT_EQ(majority(1), 1U);
  EXPECT_EQ(majority(2), 2U);
  EXPECT_EQ(majority(3), 2U);
  EXPECT_EQ(majority(4), 3U);
  EXPECT_EQ(majority(5), 3U);
}

TEST(Quorum, IsNeededInBothHalvesOfAJointConfiguration) {
  const Configuration joint{.voters = ids_from(1, 3), .outgoing_voters = ids_from(3, 5)};
  EXPECT_FALSE(is_quorum_of(joint, {id_of(1), id_of(2)}));
  EXPECT_FALSE(is_quorum_of(joint, {id_of(1), id_of(2), id_of(3)}));
  EXPECT_TRUE(is_quorum_of(joint, {id_of(1), id_of(3), id_of(5)}));
}

RC_GTEST_PROP(QuorumProperty, IsWhatTheDefinitionSays, ()) {
  const Configuration configuration = any_configuration();
  const std::set<ServerId> servers = any_servers();
  RC_ASSERT(is_quorum_of(configuration, servers) == naive_quorum(configuration, servers));
}

RC_GTEST_PROP(QuorumProperty, ItsValueIsTheGreatestThatAQuorumHasReached, ()) {
  const Configuration configuration = any_configuration();
  const Values values = any_values();
  RC_ASSERT(quorum_value(configuration, [&](const ServerId& id) { return values.at(id); }) ==
            naive_quorum_value(configuration, values));
}

// On this all of Raft's safety rests.
RC_GTEST_PROP(QuorumProperty, AnyTwoOfOneConfigurationOverlap, ()) {
  const Configuration configuration = any_configuration();
  const std::set<ServerId> one = any_servers();
  std::set<ServerId> rest;
  for (const ServerId& id : ids_from(1, 9)) {
    if (!one.contains(id)) rest.insert(id);
  }
  RC_ASSERT(!is_quorum_of(configuration, one) || !is_quorum_of(configuration, rest));
}

// Why a joint configuration leads safely from one to another (dissertation 4.3).
RC_GTEST_PROP(QuorumProperty, OfAJointConfigurationIsOneOfEachHalf, ()) {
  const Configuration joint = any_configuration();
  RC_PRE(joint.joint());
  const std::set<ServerId> servers = any_servers();
  RC_PRE(is_quorum_of(joint, servers));
  RC_ASSERT(is_quorum_of(Configuration{.voters = joint.voters}, servers));
  RC_ASSERT(is_quorum_of(Configuration{.voters = joint.outgoing_voters}, servers));
}

// --- Configurations ----------------------------------------------------------------------------

TEST(Configuration, FoundersAllVoteInTheOrderOfTheirNames) {
  const Member b{ServerId("b"), Incarnation(0), "", ""};
  const Member a{ServerId("a"), Incarnation(0), "", ""};
  const Configuration configuration = founding_configuration({b, a});
  EXPECT_EQ(configuration.members, (std::vector{a, b}));
  EXPECT_TRUE(configuration.is_voter(a.id));
  EXPECT_FALSE(configuration.joint());
  EXPECT_TRUE(valid(configuration));
}

TEST(Configuration, NeedsAVoter) {
  Configuration configuration = configuration_of(1);
  configuration.learners = std::exchange(configuration.voters, {});
  EXPECT_FALSE(valid(configuration));
}

TEST(Configuration, ServersVoteOrLearnAndNotBoth) {
  Configuration configuration = configuration_of(3);
  configuration.learners = {id_of(3)};
  EXPECT_FALSE(valid(configuration));
  configuration.voters.pop_back();
  EXPECT_TRUE(valid(configuration));
}

TEST(Configuration, NamesAllItsMembersAndNobodyElse) {
  Configuration stranger = configuration_of(2);
  stranger.voters.push_back(id_of(3));
  EXPECT_FALSE(valid(stranger));
  Configuration idle = configuration_of(3);
  idle.voters.pop_back();
  EXPECT_FALSE(valid(idle));
}

TEST(Configuration, ListsNobodyTwice) {
  Configuration configuration = configuration_of(2);
  configuration.members.push_back(configuration.members.back());
  EXPECT_FALSE(valid(configuration));
}

}  // namespace
}  // namespace anchor::raft
