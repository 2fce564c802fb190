#include "core/raft/configuration.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/raft/quorum.h"
#include "tests/core/raft/generators.h"
#include "tests/core/raft/members.h"

// One configuration after another: dissertation 4.2 and 4.3.
namespace anchor::raft {
namespace {

Member member_of(int number, bool awaits_promotion = false) {
  return {.id = id_of(number),
          .incarnation = Incarnation(7),
          .address = "host:1",
          .http_address = "host:2",
          .awaits_promotion = awaits_promotion};
}

bool names(const std::vector<ServerId>& ids, const ServerId& id) {
  return std::ranges::find(ids, id) != ids.end();
}

// --- Whatever there is to begin with ------------------------------------------------------------

Configuration any_settled() {
  const SharedConfiguration drawn = *rc::gen::arbitrary<SharedConfiguration>();
  return drawn->joint() ? settled(*drawn) : *drawn;
}

// Some of the members, at least one.
std::vector<ServerId> any_members(const Configuration& configuration) {
  std::vector<ServerId> chosen;
  for (const Member& member : configuration.members) {
    if (*rc::gen::arbitrary<bool>()) chosen.push_back(member.id);
  }
  if (chosen.empty()) chosen.push_back(configuration.members.front().id);
  return chosen;
}

// Splits all servers in two: not both halves can decide something, one by the one configuration,
// one by the other.
void expect_that_quorums_intersect(const Configuration& before, const Configuration& after) {
  std::set<ServerId> half;
  for (const Configuration* configuration : {&before, &after}) {
    for (const Member& member : configuration->members) {
      if (*rc::gen::arbitrary<bool>()) half.insert(member.id);
    }
  }
  const auto in = [&](const ServerId& id) { return half.contains(id); };
  const auto out = [&](const ServerId& id) { return !half.contains(id); };
  RC_ASSERT(!(is_quorum(before, in) && is_quorum(after, out)));
  RC_ASSERT(!(is_quorum(before, out) && is_quorum(after, in)));
}

RC_GTEST_PROP(ConfigurationProperty, ALearnerComesAndGoesWithoutATrace, (const Member& member)) {
  const Configuration before = any_settled();
  RC_PRE(!before.find(member.id));
  const Configuration with = with_learner(before, member);
  RC_ASSERT(valid(with));
  RC_ASSERT(*with.find(member.id) == member);
  RC_ASSERT(with.is_learner(member.id) && !with.is_voter(member.id));
  RC_ASSERT(with.voters == before.voters);
  RC_ASSERT(without_learner(with, member.id) == before);
}

RC_GTEST_PROP(ConfigurationProperty, AMembersRecordChangesNobodysPart, (Member member)) {
  const Configuration before = *(*rc::gen::arbitrary<SharedConfiguration>());
  member.id = (*rc::gen::elementOf(before.members)).id;
  const Configuration after = with_member(before, member);
  RC_ASSERT(valid(after));
  RC_ASSERT(*after.find(member.id) == member);
  RC_ASSERT(after.voters == before.voters && after.outgoing_voters == before.outgoing_voters &&
            after.learners == before.learners);
}

RC_GTEST_PROP(ConfigurationProperty, AJointOneHasBothHalvesAndNobodyElse, ()) {
  const Configuration before = any_settled();
  const std::vector<ServerId> voters = any_members(before);
  const Configuration joint = joint_with(before, voters);
  RC_ASSERT(valid(joint) && joint.joint());
  RC_ASSERT(joint.outgoing_voters == before.voters);
  RC_ASSERT(joint.members == before.members);
  for (const Member& member : before.members) {
    RC_ASSERT(names(joint.voters, member.id) == names(voters, member.id));
    RC_ASSERT(joint.is_learner(member.id) ==
              (before.is_learner(member.id) && !names(voters, member.id)));
  }
}

RC_GTEST_PROP(ConfigurationProperty, WhatFollowsAJointOneHasItsNewVotersAndItsLearnersOnly, ()) {
  const Configuration before = any_settled();
  const Configuration joint = joint_with(before, any_members(before));
  const Configuration after = settled(joint);
  RC_ASSERT(valid(after) && !after.joint());
  RC_ASSERT(after.voters == joint.voters && after.learners == joint.learners);
  RC_ASSERT(after.members.size() == after.voters.size() + after.learners.size());
  for (const ServerId& voter : after.voters) RC_ASSERT(!after.find(voter)->awaits_promotion);
}

RC_GTEST_PROP(ConfigurationProperty, ConsecutiveOnesCannotDecideApart, (const Member& member)) {
  const Configuration before = any_settled();
  const Configuration joint = joint_with(before, any_members(before));
  expect_that_quorums_intersect(before, joint);
  expect_that_quorums_intersect(joint, joint);
  expect_that_quorums_intersect(joint, settled(joint));
  if (before.find(member.id) != nullptr) return;
  expect_that_quorums_intersect(before, with_learner(before, member));
}

// --- Stories ------------------------------------------------------------------------------------

// Why there is a joint one at all (dissertation 4.3, figure 4.2): half-way in a direct change some
// servers decide by the old configuration, and others by the new.
TEST(Configuration, ADirectChangeOfSeveralVotersHasDisjointMajorities) {
  const Configuration before = configuration_of(3);
  Configuration after = configuration_of(5);
  EXPECT_TRUE(
      is_quorum(before, [](const ServerId& id) { return id == id_of(1) || id == id_of(2); }));
  EXPECT_TRUE(
      is_quorum(after, [](const ServerId& id) { return id != id_of(1) && id != id_of(2); }));
}

TEST(Configuration, AReplacementTakesOneJointPhase) {
  Configuration configuration = configuration_of(3);
  configuration = with_learner(configuration, member_of(4, true));
  configuration = joint_with(configuration, ids_of({4, 2, 1}));
  EXPECT_EQ(configuration.voters, ids_of({1, 2, 4}));
  EXPECT_EQ(configuration.outgoing_voters, ids_of({1, 2, 3}));
  EXPECT_TRUE(configuration.has(peer_of(3)));
  configuration = settled(configuration);
  EXPECT_EQ(configuration.voters, ids_of({1, 2, 4}));
  EXPECT_FALSE(configuration.has(peer_of(3)));
}

TEST(Configuration, ALearnerThatIsPromotedAwaitsItNoMore) {
  Configuration configuration = configuration_of(1);
  configuration = with_learner(configuration, member_of(2, true));
  configuration = with_learner(configuration, member_of(3, true));
  configuration = settled(joint_with(configuration, ids_of({1, 2})));
  EXPECT_FALSE(configuration.find(id_of(2))->awaits_promotion);
  EXPECT_TRUE(configuration.find(id_of(3))->awaits_promotion);
}

TEST(Configuration, AnotherLifeOfAMemberIsNone) {
  const Configuration configuration = with_learner(configuration_of(1), member_of(2));
  EXPECT_TRUE(configuration.has({id_of(2), Incarnation(7)}));
  EXPECT_FALSE(configuration.has({id_of(2), Incarnation(6)}));
  EXPECT_FALSE(configuration.has({id_of(3), Incarnation(7)}));
}

}  // namespace
}  // namespace anchor::raft
