#include "core/raft/message.h"

#include <gtest/gtest.h>

#include <string>

namespace anchor::raft {
namespace {

constexpr Term kOwn(7);

bool taken(MessageBody body, Term term = kOwn) {
  return well_formed({.from = {}, .from_boot = {}, .to = {}, .term = term, .body = std::move(body)},
                     kOwn);
}

// Each such message would bring the receiver nearer to the last term that there is.
TEST(WellFormed, NobodyIsFarAhead) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 32;
  EXPECT_TRUE(taken(TimeoutNow{}, Term(kOwn.value() + kFar)));
  EXPECT_FALSE(taken(TimeoutNow{}, Term(kOwn.value() + kFar + 1)));
  EXPECT_FALSE(taken(TimeoutNow{}, Term(std::uint64_t{1} << 62)));
  EXPECT_TRUE(taken(TimeoutNow{}, Term(0)));
}

TEST(WellFormed, CampaignIsInTheTermThatItIsFor) {
  EXPECT_TRUE(taken(RequestVote{.campaign_term = kOwn, .last = {}}));
  EXPECT_FALSE(taken(RequestVote{.campaign_term = kOwn.next(), .last = {}}));
  EXPECT_TRUE(taken(RequestVote{.campaign_term = kOwn.next(), .pre_vote = true, .last = {}}));
  EXPECT_FALSE(taken(
      RequestVote{.campaign_term = kOwn.next(), .pre_vote = true, .transfer = true, .last = {}}));
  EXPECT_FALSE(taken(RequestVote{.campaign_term = kOwn, .last = {Index(1), kOwn.next()}}));
}

AppendEntries append(std::vector<Entry> entries) {
  return {.previous = {Index(4), Term(6)},
          .commit_index = Index(1),
          .round = Round(1),
          .entries = std::move(entries)};
}

TEST(WellFormed, EntriesFollowOneAnother) {
  const Entry next{Index(5), Term(7), NoOp{}};
  EXPECT_TRUE(taken(append({})));
  EXPECT_TRUE(taken(append({next})));
  EXPECT_FALSE(taken(append({next, next})));
  EXPECT_FALSE(taken(append({{Index(6), Term(7), NoOp{}}})));
  EXPECT_FALSE(taken(append({{Index(5), Term(5), NoOp{}}})));
  EXPECT_FALSE(taken(append({{Index(5), Term(8), NoOp{}}})));
}

// A log that began there would have no room for another entry.
TEST(WellFormed, NoIndexIsNearTheLast) {
  constexpr Index kMost(std::uint64_t{1} << 62);
  AppendEntries heartbeat = append({});
  InstallSnapshot part{.file = {.position = {kMost, Term(7)}, .size_bytes = 10, .checksum = 1}};
  heartbeat.previous.index = kMost;
  EXPECT_TRUE(taken(heartbeat));
  EXPECT_TRUE(taken(part));
  heartbeat.previous.index = kMost.next();
  part.file.position.index = kMost.next();
  EXPECT_FALSE(taken(heartbeat));
  EXPECT_FALSE(taken(part));
}

TEST(WellFormed, CommandsFitInAMessage) {
  const Command largest{Bytes::copy_of(std::string(kCommandBytesMost, 'x'))};
  const Command larger{Bytes::copy_of(std::string(kCommandBytesMost + 1, 'x'))};
  EXPECT_TRUE(taken(append({{Index(5), Term(7), largest}})));
  EXPECT_FALSE(taken(append({{Index(5), Term(7), larger}})));
  ForwardRequest forward;
  forward.proposal = largest;
  EXPECT_TRUE(taken(forward));
  forward.proposal = larger;
  EXPECT_FALSE(taken(forward));
}

TEST(WellFormed, PartOfASnapshotIsWithinIt) {
  InstallSnapshot part{.file = {.position = {Index(9), Term(7)}, .size_bytes = 10, .checksum = 1},
                       .offset = 10};
  EXPECT_TRUE(taken(part));
  part.offset = 11;
  EXPECT_FALSE(taken(part));
  part.offset = 0;
  part.file.position.term = Term(8);
  EXPECT_FALSE(taken(part));
  part.file.position = {};
  EXPECT_FALSE(taken(part));
}

}  // namespace
}  // namespace anchor::raft
