#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <variant>

#include "core/raft/configuration.h"
#include "tests/server/start_up_fixture.h"

namespace anchor::server {
namespace {

// A server that is to join the cluster of 127.0.0.1:9000.
class JoiningStart : public StartUpTest {
 protected:
  JoiningStart() { options_.peers = {"127.0.0.1:9000"}; }

  // As it begins with the present options.
  Joining::Options begin() const {
    const auto begun = start_up(options_);
    EXPECT_TRUE(begun) << begun.error().text;
    return std::get<JoinCluster>(begun->beginning).options;
  }
  static raft::AddServer request(const Joining::Options& options) {
    return std::get<raft::AddServer>(options.request.request);
  }
  Joined admitted(std::uint64_t token) const {
    const raft::Member n0{.id = raft::ServerId("n0"),
                          .incarnation = {},
                          .address = "127.0.0.1:9000",
                          .http_address = {}};
    raft::Member self = n0;
    self.id = raft::ServerId("n1");
    self.incarnation = raft::Incarnation(9);
    self.join_token = token;
    raft::Configuration members = raft::founding_configuration({n0});
    members = raft::with_learner(std::move(members), self);
    return {raft::ClusterId(77), self.peer(),
            std::make_shared<const raft::Configuration>(std::move(members))};
  }
};

TEST_F(JoiningStart, EmptyDirectoryWithPeersAsksThemToBeAdmitted) {
  const Joining::Options options = begin();
  EXPECT_EQ(options.peers, options_.peers);
  EXPECT_EQ(options.request.cluster_id, raft::ClusterId());
  const raft::AddServer add = request(options);
  EXPECT_EQ(add.id, raft::ServerId("n1"));
  EXPECT_EQ(add.address, "127.0.0.1:9001");
  EXPECT_EQ(add.http_address, "127.0.0.1:8001");
  EXPECT_NE(add.join_token, 0u);
  EXPECT_FALSE(add.learner);
}

TEST_F(JoiningStart, DoesNotAskItself) {
  options_.peers = {"127.0.0.1:9001", "127.0.0.1:9000"};
  EXPECT_EQ(begin().peers, std::vector<std::string>{"127.0.0.1:9000"});
}

TEST_F(JoiningStart, PeersThatAreThisServerAloneAreAUsageError) {
  options_.peers = {"127.0.0.1:9001"};
  EXPECT_TRUE(refusal().starts_with("2 anchor: --peers names this server alone")) << refusal();
}

TEST_F(JoiningStart, AsksTheSameAgainAfterARestart) {
  const std::uint64_t token = request(begin()).join_token;
  EXPECT_EQ(request(begin()).join_token, token);
  // Also from elsewhere, and of others.
  options_.advertise = "127.0.0.1:9009";
  options_.peers = {"127.0.0.1:9002"};
  EXPECT_EQ(request(begin()).join_token, token);
  EXPECT_EQ(request(begin()).address, "127.0.0.1:9009");
}

TEST_F(JoiningStart, AnotherDirectoryIsAnotherServer) {
  const std::uint64_t token = request(begin()).join_token;
  options_.dir = temporary_.path_of("other");
  EXPECT_NE(request(begin()).join_token, token);
}

TEST_F(JoiningStart, KeepsTheIdWithWhichItAsked) {
  begin();
  options_.id = "the-hosts-name";
  options_.id_given = false;
  {
    const auto begun = start_up(options_);
    ASSERT_TRUE(begun);
    EXPECT_EQ(begun->id, "n1");
  }
  options_.id_given = true;
  EXPECT_TRUE(refusal().starts_with("11 anchor: --id: ")) << refusal();
}

// It may be a member by now: on its own it must not found another cluster.
TEST_F(JoiningStart, DoesNotFoundAClusterAfterItHasAsked) {
  begin();
  options_.peers.clear();
  EXPECT_TRUE(refusal().starts_with("2 anchor: --peers: ")) << refusal();
}

TEST_F(JoiningStart, DamagedTokenIsAStorageFailureThatNamesTheFile) {
  begin();
  std::ofstream(path_of("joining"), std::ios::binary) << "rubbish";
  EXPECT_TRUE(refusal().starts_with("10 anchor: " + path_of("joining"))) << refusal();
}

TEST_F(JoiningStart, AdmittedServerResumesAsThatMember) {
  const std::uint64_t token = request(begin()).join_token;
  ASSERT_TRUE(store_joiner(directory(), admitted(token)));
  EXPECT_FALSE(std::filesystem::exists(path_of("joining")));
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  const auto& recovered = std::get<ResumeMember>(begun->beginning).opened.recovered;
  EXPECT_EQ(recovered.cluster_id, raft::ClusterId(77));
  EXPECT_EQ(recovered.self, (raft::Peer{raft::ServerId("n1"), raft::Incarnation(9)}));
  EXPECT_EQ(recovered.boot, raft::Boot(2));
}

// It would admit a directory that has lost all else, and may have voted.
TEST_F(JoiningStart, TokenDoesNotOutliveTheFirstStartAsAMember) {
  const std::uint64_t token = request(begin()).join_token;
  std::filesystem::copy_file(path_of("joining"), temporary_.path_of("kept"));
  ASSERT_TRUE(store_joiner(directory(), admitted(token)));
  std::filesystem::copy_file(temporary_.path_of("kept"), path_of("joining"));
  ASSERT_TRUE(start_up(options_));
  EXPECT_FALSE(std::filesystem::exists(path_of("joining")));
}

}  // namespace
}  // namespace anchor::server
