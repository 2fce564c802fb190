#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/log_store.h"
#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

const raft::ClusterId kCluster(77);
const raft::Peer kJoiner{raft::ServerId("n4"), raft::Incarnation(12)};

codec::StableState initial_state() {
  return {.cluster_id = kCluster, .self = kJoiner, .boot = {}, .hard_state = {}};
}

raft::Configuration members() {
  const raft::Member n1{
      .id = raft::ServerId("n1"), .incarnation = {}, .address = "a:1", .http_address = "a:2"};
  const raft::Member n4{.id = kJoiner.id,
                        .incarnation = kJoiner.incarnation,
                        .address = "d:1",
                        .http_address = "d:2",
                        .join_token = 99,
                        .awaits_promotion = true};
  return raft::with_learner(raft::founding_configuration({n1}), n4);
}

raft::Entry entry_of(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term), raft::Command{Bytes::copy_of("x")}};
}

// A directory in which n4 joins.
class JoinerStore : public testing::Test {
 protected:
  JoinerStore() : directory_(*DataDirectory::open(temporary_.path())) {}

  Result<OpenedLogStore> create() const {
    return LogStore::create_joiner(directory_, initial_state(), members());
  }
  Result<std::optional<OpenedLogStore>> open() const { return LogStore::open(directory_); }
  std::string path_of(const std::string& name) const { return temporary_.path_of(name); }

  TemporaryDirectory temporary_;
  DataDirectory directory_;
};

TEST_F(JoinerStore, StartsWithTheMembersAndNothingElse) {
  ASSERT_TRUE(create());
  const auto opened = open();
  ASSERT_TRUE(opened && *opened);
  const raft::Recovered& recovered = (*opened)->recovered;
  EXPECT_EQ(recovered.self, kJoiner);
  EXPECT_EQ(recovered.cluster_id, kCluster);
  EXPECT_EQ(recovered.boot, raft::Boot(2));
  EXPECT_EQ(recovered.hard_state, raft::HardState());
  EXPECT_EQ(recovered.base, raft::LogPosition());
  EXPECT_TRUE(recovered.entries.empty());
  ASSERT_TRUE(recovered.base_configuration);
  EXPECT_EQ(*recovered.base_configuration, members());
}

TEST_F(JoinerStore, GoesOnWithItsLog) {
  {
    const auto created = create();
    ASSERT_TRUE(created);
    const raft::PersistBatch batch{.id = raft::WriteId(1),
                                   .hard_state = raft::HardState{raft::Term(3), {}},
                                   .entries = {entry_of(1, 1), entry_of(2, 3)}};
    ASSERT_TRUE(created->store->commit(std::span(&batch, 1)));
  }
  const auto opened = open();
  ASSERT_TRUE(opened && *opened);
  const raft::Recovered& recovered = (*opened)->recovered;
  EXPECT_EQ(recovered.hard_state.term, raft::Term(3));
  EXPECT_EQ(recovered.entries, (std::vector{entry_of(1, 1), entry_of(2, 3)}));
  EXPECT_EQ(*recovered.base_configuration, members());
}

TEST_F(JoinerStore, CreationThatWasCutShortLeftNoMember) {
  ASSERT_TRUE(create());
  // As it was before the last step.
  std::filesystem::rename(path_of("raft.db"), path_of("raft.db.new"));
  ASSERT_TRUE(directory_.write_file_durably("hardstate",
                                            codec::new_hard_state_file(initial_state()).view()));
  const auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE(*opened);
  EXPECT_TRUE(create());
}

TEST_F(JoinerStore, DamagedListOfMembersIsRefused) {
  ASSERT_TRUE(create());
  std::fstream file(path_of("raft.db"), std::ios::in | std::ios::out | std::ios::binary);
  const std::string contents{std::istreambuf_iterator<char>(file), {}};
  file.clear();
  // Also in pages that are not of the newest state any more.
  for (std::size_t at = 0; (at = contents.find("d:1", at)) != std::string::npos; ++at) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put('e');
  }
  file.close();
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("the list of members is damaged"), std::string::npos)
      << opened.error().message;
}

}  // namespace
}  // namespace anchor::io
