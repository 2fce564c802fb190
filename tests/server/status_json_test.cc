#include "server/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

namespace anchor::server {
namespace {

nlohmann::json json_of(const NodeStatus& status) {
  return nlohmann::json::parse(std::get<std::string>(render_status(status).body));
}

std::string body_of(const io::HttpResponse& response) {
  return std::get<std::string>(response.body);
}

TEST(StatusJson, EveryRoleHasItsName) {
  using Role = NodeStatus::Role;
  EXPECT_EQ(json_of({.role = Role::kLeader})["role"], "Leader");
  EXPECT_EQ(json_of({.role = Role::kFollower})["role"], "Follower");
  EXPECT_EQ(json_of({.role = Role::kCandidate})["role"], "Candidate");
  EXPECT_EQ(json_of({.role = Role::kLearner})["role"], "Learner");
}

TEST(StatusJson, LeaderIsNullWhileNoneIsKnown) {
  EXPECT_TRUE(json_of({})["leader_id"].is_null());
  const auto known = json_of({.leader_id = "n2", .leader_http_address = "h:1"});
  EXPECT_EQ(known["leader_id"], "n2");
  EXPECT_EQ(known["leader_http_address"], "h:1");
}

TEST(StatusJson, WhatOnlyTheLeaderKnowsIsNullElsewhere) {
  const auto peer = json_of({.peers = {{.id = "n2"}}})["peers"][0];
  EXPECT_TRUE(peer["match_index"].is_null());
  EXPECT_TRUE(peer["last_contact_ms"].is_null());
}

TEST(StatusJson, NumbersOf64BitsAreText) {
  const auto json = json_of({.digest = ~std::uint64_t{0}, .cluster_id = 1});
  EXPECT_EQ(json["digest"], "ffffffffffffffff");
  EXPECT_EQ(json["cluster_id"], "0000000000000001");
}

TEST(HealthText, IsALineForEachCheckInTheirOrder) {
  const auto healthy = render_health({{"leader"}, {"log"}}, {});
  EXPECT_EQ(healthy.status, 200);
  EXPECT_EQ(body_of(healthy), "[+]leader ok\n[+]log ok\n");
}

TEST(HealthText, EveryFailureIsTold) {
  const auto failing = render_health({{"leader", "none"}, {"log"}, {"disk", "slow"}}, {"log"});
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(body_of(failing), "[-]leader none\n[+]log excluded\n[-]disk slow\n");
}

TEST(HealthText, ExcludingACheckThatThereIsNotIsNamed) {
  const auto refused = render_health({{"leader"}}, {"leader", "laeder"});
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(body_of(refused).contains("'laeder'"));
}

TEST(HealthText, IsNeverCached) {
  EXPECT_TRUE(render_health({}, {}).header_lines.contains("Cache-Control: no-store\r\n"));
  EXPECT_TRUE(render_status({}).header_lines.contains("Cache-Control: no-store\r\n"));
}

}  // namespace
}  // namespace anchor::server
