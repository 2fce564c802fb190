#include "server/members_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/raft/configuration.h"

namespace anchor::server {
namespace {

using Json = nlohmann::json;

const LeaderInfo kLeader{"n1", "10.0.0.1:8001"};
const raft::AdminRequest kJoin =
    raft::AddServer{.id = raft::ServerId("n4"), .address = "a:1", .http_address = {}};
const raft::AdminRequest kPromote = raft::PromoteServer{raft::ServerId("n4")};

std::string text_of(const io::HttpResponse& response) {
  return std::get<std::string>(response.body);
}
Outcome refused(raft::AdminRefusal reason) {
  return AdminDone{raft::AdminRefused{reason, "because"}};
}
// "409 change_in_progress", of an answer that says that nothing was changed.
std::string answer(const raft::AdminRequest& request, const Outcome& outcome) {
  const io::HttpResponse response = render_admin(request, outcome, kLeader);
  const Json json = Json::parse(text_of(response));
  EXPECT_EQ(json.at("success"), false);
  EXPECT_EQ(json.at("leader_hint"), kLeader.http_address);
  EXPECT_EQ(json.at("outcome"), response.status == 504 ? "unknown" : "not_applied");
  EXPECT_EQ(json.at("leader").at("id"), "n1");
  return std::to_string(response.status) + " " + json.at("code").get<std::string>();
}

TEST(MembersJson, AChangeThatIsMadeIsASuccess) {
  const raft::ConfigurationChanged changed{raft::Index(7), nullptr};
  const auto response = render_admin(kJoin, AdminDone{changed}, kLeader);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(text_of(response),
            "{\"success\":true,\"leader_hint\":\"10.0.0.1:8001\",\"error\":null,"
            "\"leader\":{\"id\":\"n1\",\"http_address\":\"10.0.0.1:8001\"}}\n");
  const auto leaderless = render_admin(kJoin, AdminDone{changed}, std::nullopt);
  EXPECT_EQ(Json::parse(text_of(leaderless)).at("leader_hint"), nullptr);
}

TEST(MembersJson, WhyNothingWasChangedHasACode) {
  EXPECT_EQ(answer(kJoin, refused(raft::AdminRefusal::kChangeInProgress)),
            "409 change_in_progress");
  EXPECT_EQ(answer(kJoin, refused(raft::AdminRefusal::kQuorumAtRisk)), "409 quorum_at_risk");
  EXPECT_EQ(answer(kJoin, refused(raft::AdminRefusal::kNotFound)), "404 not_found");
  EXPECT_EQ(answer(kJoin, NotApplied{Refusal::kNoLeader}), "503 no_leader");
  EXPECT_EQ(answer(kJoin, NotApplied{Refusal::kOverloaded}), "503 overloaded");
  EXPECT_EQ(answer(kJoin, OutcomeUnknown{}), "504 unknown_outcome");
}

TEST(MembersJson, ALearnerThatIsBehindIsAConflictAndANewLeaderIsNot) {
  EXPECT_EQ(answer(kPromote, refused(raft::AdminRefusal::kNotReady)), "409 not_ready");
  EXPECT_EQ(answer(kJoin, refused(raft::AdminRefusal::kNotReady)), "503 not_ready");
}

TEST(MembersJson, ListsMembersAndTheChangeThatIsUnderWay) {
  ClusterMembers members{.cluster_id = 255};
  members.members.push_back({.id = "n1",
                             .address = "10.0.0.1:9001",
                             .http_address = "10.0.0.1:8001",
                             .learner = false,
                             .leader = true});
  const Json still = Json::parse(text_of(render_members(members)));
  EXPECT_EQ(still, Json::parse(R"({"cluster_id":"00000000000000ff","members":[{"id":"n1",
      "address":"10.0.0.1:9001","http_address":"10.0.0.1:8001","learner":false,"leader":true}],
      "change":null})"));
  members.change = {.kind = "promote", .phase = "catching_up", .id = "n4", .progress = 0.5};
  const Json busy = Json::parse(text_of(render_members(members)));
  EXPECT_EQ(busy.at("change"),
            Json::parse(R"({"kind":"promote","phase":"catching_up","id":"n4","progress":0.5})"));
}

}  // namespace
}  // namespace anchor::server
