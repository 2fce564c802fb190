#include "core/peer_book.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "core/raft/configuration.h"

namespace anchor {
namespace {

using Addresses = std::map<raft::ServerId, std::string>;

raft::ServerId id(const std::string& name) {
  return raft::ServerId(name);
}
raft::Member member(const std::string& name, std::uint64_t incarnation = 0) {
  return {.id = id(name),
          .incarnation = raft::Incarnation(incarnation),
          .address = name + ":1",
          .http_address = name + ":2"};
}

// n1, the only voter, with two learners: it leads and decides alone.
class PeerBookTest : public testing::Test {
 protected:
  PeerBookTest() : raft_({}, 1, recovered()) {
    while (!raft_.is_leader() || raft_.commit_index() < raft_.log().last().index) step();
    follow();
  }

  static raft::Recovered recovered() {
    raft::Configuration members = raft::founding_configuration({member("n1")});
    members = raft::with_learner(std::move(members), member("n2", 1));
    members = raft::with_learner(std::move(members), member("n3", 1));
    raft::Recovered founder{.cluster_id = raft::ClusterId(7),
                            .self = {id("n1"), {}},
                            .boot = raft::Boot(1),
                            .hard_state = {.term = raft::Term(1), .vote = {}},
                            .base = {},
                            .base_configuration = {},
                            .entries = {}};
    founder.entries.push_back({raft::Index(1), raft::Term(1),
                               std::make_shared<const raft::Configuration>(std::move(members))});
    return founder;
  }

  void step() {
    now_ += 10ms;
    raft_.begin_step(now_);
    if (written_) raft_.persisted(*written_);
    raft_.advance();
    const raft::Output output = raft_.finish_step();
    if (output.persist) written_ = output.persist->id;
  }
  // Appends the change; it is committed at the next step.
  void change(const raft::AdminRequest& request) {
    raft_.begin_step(now_);
    ASSERT_TRUE(raft_.change_members(request));
    const raft::Output output = raft_.finish_step();
    written_ = output.persist->id;
  }
  bool follow() { return book_.follow(raft_, now_); }

  raft::Raft raft_;
  Instant now_{};
  std::optional<raft::WriteId> written_;
  PeerBook book_{1s};
};

TEST_F(PeerBookTest, NamesAllMembersButItself) {
  EXPECT_EQ(book_.addresses(), (Addresses{{id("n2"), "n2:1"}, {id("n3"), "n3:1"}}));
  EXPECT_FALSE(follow());
}

TEST_F(PeerBookTest, FollowsAMemberToItsNewAddressAtOnce) {
  change(raft::MoveServer{member("n2", 1).peer(), "n2:9", "n2:2"});
  EXPECT_TRUE(follow());
  EXPECT_EQ(book_.addresses().at(id("n2")), "n2:9");
}

TEST_F(PeerBookTest, NamesANewMemberAtOnce) {
  change(raft::AddServer{.id = id("n4"), .address = "n4:1", .http_address = "n4:2"});
  EXPECT_TRUE(follow());
  EXPECT_EQ(book_.addresses().size(), 3u);
  EXPECT_EQ(book_.addresses().at(id("n4")), "n4:1");
}

TEST_F(PeerBookTest, KeepsARemovedMemberForAFarewell) {
  change(raft::RemoveServer{id("n2")});
  follow();
  EXPECT_TRUE(book_.addresses().contains(id("n2")));
  step();
  ASSERT_EQ(raft_.commit_index(), raft_.log().configuration_index());
  follow();
  EXPECT_TRUE(book_.addresses().contains(id("n2")));
  now_ += 999ms;
  EXPECT_FALSE(follow());
  now_ += 2ms;
  EXPECT_TRUE(follow());
  EXPECT_EQ(book_.addresses(), (Addresses{{id("n3"), "n3:1"}}));
}

TEST_F(PeerBookTest, AMemberThatComesBackMeanwhileStays) {
  change(raft::RemoveServer{id("n2")});
  step();
  follow();
  change(raft::AddServer{.id = id("n2"), .address = "n2:9", .http_address = "n2:2"});
  EXPECT_TRUE(follow());
  now_ += 10s;
  EXPECT_FALSE(follow());
  EXPECT_EQ(book_.addresses().at(id("n2")), "n2:9");
}

TEST_F(PeerBookTest, WhoSaysThatThisServerIsRemovedIsHeededOnlyIfItIs) {
  book_.told_removed(id("n2"));
  EXPECT_FALSE(follow());
  EXPECT_EQ(book_.addresses().size(), 2u);
}

// It leads, perhaps, and its admission is in what this server lacks.
TEST_F(PeerBookTest, WhoeverIsNotListedIsReachedWhereItSaysWhileItIsToBeAnswered) {
  const raft::Peer newcomer{id("n9"), raft::Incarnation(50)};
  const std::string said = "n9:1";
  EXPECT_FALSE(book_.reach(raft_, newcomer, nullptr, now_));
  EXPECT_FALSE(book_.addresses().contains(newcomer.id));
  EXPECT_TRUE(book_.reach(raft_, newcomer, &said, now_));
  EXPECT_EQ(book_.addresses().at(newcomer.id), said);
  // For as long as it is answered, and a farewell.
  for (int times = 0; times < 3; ++times) {
    now_ += 900ms;
    EXPECT_FALSE(follow());
    EXPECT_FALSE(book_.reach(raft_, newcomer, &said, now_));
  }
  now_ += 1s;
  EXPECT_TRUE(follow());
  EXPECT_FALSE(book_.addresses().contains(newcomer.id));
}

TEST_F(PeerBookTest, WhoeverWasRemovedIsNotReachedAnyMore) {
  const std::string said = "n2:1";
  change(raft::RemoveServer{id("n2"), false});
  step();
  follow();
  EXPECT_FALSE(book_.reach(raft_, member("n2", 1).peer(), &said, now_));
  now_ += 1s;
  EXPECT_TRUE(follow());
  EXPECT_FALSE(book_.reach(raft_, member("n2", 1).peer(), &said, now_));
  EXPECT_FALSE(book_.addresses().contains(id("n2")));
}

// It has moved, and what says so is in what this server lacks.
TEST_F(PeerBookTest, AMemberIsReachedWhereItSaysAsLongAsItDoes) {
  const std::string said = "n2:7";
  EXPECT_TRUE(book_.reach(raft_, member("n2", 1).peer(), &said, now_));
  EXPECT_EQ(book_.addresses().at(id("n2")), said);
  EXPECT_FALSE(book_.reach(raft_, member("n2", 1).peer(), &said, now_));
  // The log catches up, also with where it was in between.
  change(raft::MoveServer{member("n2", 1).peer(), "n2:5", "n2:2"});
  follow();
  EXPECT_EQ(book_.addresses().at(id("n2")), said);
  EXPECT_FALSE(book_.reach(raft_, member("n2", 1).peer(), nullptr, now_));
  EXPECT_TRUE(follow());
  EXPECT_EQ(book_.addresses().at(id("n2")), "n2:5");
}

TEST_F(PeerBookTest, StrangersThatAreReachedAreFew) {
  const std::string said = "n9:1";
  for (int number = 100; number < 200; ++number) {
    book_.reach(raft_, {id("n" + std::to_string(number)), raft::Incarnation(50)}, &said, now_);
  }
  EXPECT_EQ(book_.addresses().size(), 2U + 16U);
}

// A follower that hears that it was removed.
TEST(PeerBook, ARemovedServerDoesNotDialThoseAgainWhoHaveToldIt) {
  const raft::Configuration members =
      raft::founding_configuration({member("n1"), member("n2"), member("n3")});
  raft::Recovered founder{
      .cluster_id = raft::ClusterId(7),
      .self = {id("n1"), {}},
      .boot = raft::Boot(1),
      .hard_state = {.term = raft::Term(1), .vote = {}},
      .base = {},
      .base_configuration = std::make_shared<const raft::Configuration>(members),
      .entries = {}};
  raft::Raft raft({}, 1, std::move(founder));
  PeerBook book(1s);
  EXPECT_TRUE(book.follow(raft, Instant()));
  raft.begin_step(Instant());
  raft.receive({.from = {id("n2"), {}},
                .from_boot = raft::Boot(1),
                .to = {id("n1"), {}},
                .term = {},
                .body = raft::NotMember{raft::Index(5)}});
  book.told_removed(id("n2"));
  EXPECT_TRUE(book.follow(raft, Instant()));
  EXPECT_EQ(book.addresses(), (Addresses{{id("n3"), "n3:1"}}));
  book.told_removed(id("n3"));
  EXPECT_TRUE(book.follow(raft, Instant()));
  EXPECT_TRUE(book.addresses().empty());
  EXPECT_FALSE(book.follow(raft, Instant() + 10s));
}

}  // namespace
}  // namespace anchor
