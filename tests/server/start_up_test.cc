#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <variant>

#include "tests/server/start_up_fixture.h"

namespace anchor::server {
namespace {

// --- An empty directory -------------------------------------------------------------------------

TEST_F(StartUpTest, EmptyDirectoryWithoutPeersFoundsAClusterOfOne) {
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->id, "n1");
  const auto* found = std::get_if<FoundCluster>(&begun->beginning);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->options.expect, 1u);
  EXPECT_EQ(found->options.self, kProposal.founders[1]);
  EXPECT_FALSE(found->accepted);
}

TEST_F(StartUpTest, EmptyDirectoryFoundsAClusterWithAsManyAsAreExpected) {
  options_.peers = {"127.0.0.1:9001", "127.0.0.1:9002"};
  options_.bootstrap_expect = 3;
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  const auto& found = std::get<FoundCluster>(begun->beginning);
  EXPECT_EQ(found.options.expect, 3u);
  EXPECT_EQ(found.options.peers, options_.peers);
}

TEST_F(StartUpTest, DirectoryIsMade) {
  options_.dir = temporary_.path_of("a/b/c");
  EXPECT_EQ(refusal(), "started");
  EXPECT_TRUE(std::filesystem::is_directory(options_.dir));
}

TEST_F(StartUpTest, PathThatIsNoPlaceForADirectoryIsAUsageErrorThatNamesIt) {
  const std::string file = temporary_.path_of("file");
  std::ofstream(file) << "x";
  for (const std::string& path : {file, file + "/data", temporary_.path_of(std::string(300, 'd')),
                                  std::string("/proc/anchor")}) {
    options_.dir = path;
    EXPECT_TRUE(refusal().starts_with("2 anchor: --dir: ")) << refusal();
    EXPECT_TRUE(refusal().contains(path.substr(0, file.size()))) << refusal();
  }
}

TEST_F(StartUpTest, DirectoryInUseIsAFailureThatNamesIt) {
  const io::DataDirectory held = directory();
  EXPECT_EQ(refusal(),
            "1 anchor: the directory " + options_.dir + " is in use by another process\n");
}

// --- A founding that has not come to its end ----------------------------------------------------

TEST_F(StartUpTest, FoundingGoesOnWithWhatWasAccepted) {
  ASSERT_TRUE(store_proposal(directory(), kProposal));
  // Whatever the flags say now.
  options_.advertise = "127.0.0.1:7777";
  options_.peers.clear();
  options_.bootstrap_expect.reset();
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  const auto& found = std::get<FoundCluster>(begun->beginning);
  EXPECT_EQ(found.accepted, kProposal);
  EXPECT_EQ(found.options.expect, 3u);
  EXPECT_EQ(found.options.self, kProposal.founders[1]);
}

TEST_F(StartUpTest, FoundingThatWasGivenUpIsForgotten) {
  ASSERT_TRUE(store_proposal(directory(), kProposal));
  ASSERT_TRUE(store_proposal(directory(), std::nullopt));
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  EXPECT_FALSE(std::get<FoundCluster>(begun->beginning).accepted);
}

TEST_F(StartUpTest, DamagedProposalIsAStorageFailureThatNamesTheFile) {
  ASSERT_TRUE(store_proposal(directory(), kProposal));
  std::ofstream(path_of("founding"), std::ios::binary) << "rubbish";
  EXPECT_TRUE(refusal().starts_with("10 anchor: " + path_of("founding"))) << refusal();
}

// It would end as a member that its cluster does not know.
TEST_F(StartUpTest, FoundingDoesNotGoOnUnderAnIdThatWasNotAccepted) {
  ASSERT_TRUE(store_proposal(directory(), kProposal));
  options_.id = "n4";
  options_.id_given = false;
  EXPECT_TRUE(refusal().starts_with("11 anchor: --id: ")) << refusal();
}

// --- A member's directory -----------------------------------------------------------------------

TEST_F(StartUpTest, MemberResumesWhateverPeersAreGiven) {
  become_member();
  options_.peers = {"127.0.0.1:9002"};
  options_.bootstrap_expect = 5;
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  const auto* resume = std::get_if<ResumeMember>(&begun->beginning);
  ASSERT_NE(resume, nullptr);
  EXPECT_EQ(resume->opened.recovered.cluster_id, raft::ClusterId(77));
  EXPECT_EQ(resume->opened.recovered.self.id, raft::ServerId("n1"));
  EXPECT_EQ(resume->opened.recovered.boot, raft::Boot(2));
}

TEST_F(StartUpTest, FoundingLeavesNothingBehind) {
  ASSERT_TRUE(store_proposal(directory(), kProposal));
  become_member();
  EXPECT_FALSE(std::filesystem::exists(path_of("founding")));
}

TEST_F(StartUpTest, MemberKeepsItsIdWhenNoneIsGiven) {
  become_member();
  options_.id = "the-hosts-name";
  options_.id_given = false;
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->id, "n1");
}

TEST_F(StartUpTest, MemberOfAnotherIdIsRefused) {
  become_member();
  options_.id = "n2";
  EXPECT_EQ(refusal(), "11 anchor: --id: " + options_.dir +
                           " is the directory of n1, not of n2; an id never changes\n");
}

TEST_F(StartUpTest, MemberThatHasMovedResumes) {
  become_member();
  options_.advertise = "127.0.0.1:9009";
  options_.http_advertise = "127.0.0.1:8009";
  const auto begun = start_up(options_);
  ASSERT_TRUE(begun);
  EXPECT_TRUE(std::holds_alternative<ResumeMember>(begun->beginning));
}

TEST_F(StartUpTest, DamagedLogIsAStorageFailureThatNamesTheFile) {
  become_member();
  std::fstream file(path_of("raft.db"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, 'x');
  file.close();
  EXPECT_TRUE(refusal().starts_with("10 anchor: " + path_of("raft.db"))) << refusal();
}

TEST_F(StartUpTest, LostLogIsAStorageFailureAndNoNewFounding) {
  become_member();
  std::filesystem::remove(path_of("raft.db"));
  EXPECT_TRUE(refusal().starts_with("10 anchor: ")) << refusal();
}

}  // namespace
}  // namespace anchor::server
