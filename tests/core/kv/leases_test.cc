#include "core/kv/leases.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace anchor::kv {
namespace {

using Keys = std::vector<std::string>;

TEST(Leases, AreGivenIdsThatNeverComeAgain) {
  Leases leases;
  const LeaseId first = leases.grant(10s, false);
  const LeaseId second = leases.grant(20s, true);
  EXPECT_EQ(first, LeaseId(1));
  EXPECT_EQ(second, LeaseId(2));
  EXPECT_EQ(leases.find(first)->ttl, Duration(10s));
  EXPECT_TRUE(leases.find(second)->of_key);
  EXPECT_TRUE(leases.erase(second));
  EXPECT_FALSE(leases.erase(second));
  EXPECT_FALSE(leases.find(second));
  EXPECT_EQ(leases.grant(1s, false), LeaseId(3));
}

TEST(Leases, KnowTheirKeysInOrder) {
  Leases leases;
  const LeaseId id = leases.grant(10s, false);
  const LeaseId other = leases.grant(10s, false);
  leases.move_key("b", LeaseId(), id);
  leases.move_key("a", LeaseId(), id);
  leases.move_key("c", LeaseId(), other);
  EXPECT_EQ(leases.keys(id), (Keys{"a", "b"}));
  EXPECT_EQ(leases.key_count(id), 2u);
  EXPECT_EQ(leases.keys(id, "aa"), (Keys{"b"}));
  EXPECT_EQ(leases.keys(id, {}, 1), (Keys{"a"}));
  leases.move_key("a", id, other);
  leases.move_key("b", id, LeaseId());
  EXPECT_EQ(leases.keys(id), Keys{});
  EXPECT_EQ(leases.keys(other), (Keys{"a", "c"}));
  EXPECT_TRUE(leases.find(id)) << "it was granted for itself";
}

TEST(Leases, OfAKeyGoWithIt) {
  Leases leases;
  const LeaseId id = leases.grant(10s, true);
  leases.move_key("a", LeaseId(), id);
  EXPECT_TRUE(leases.find(id));
  EXPECT_TRUE(leases.sound());
  leases.move_key("a", id, LeaseId());
  EXPECT_FALSE(leases.find(id));
  EXPECT_EQ(leases.size_bytes(), 0u);
}

TEST(Leases, FromASnapshotAreSuchAsATableHolds) {
  Leases leases;
  leases.grant(10s, true);
  const ItemRef stored = leases.table().tree().begin().item();
  Leases again;
  EXPECT_FALSE(again.restore(stored)) << "its number was not given yet";
  again.restore_next_id(LeaseId(2));
  EXPECT_TRUE(again.restore(stored));
  EXPECT_FALSE(again.restore(stored)) << "twice";
  EXPECT_EQ(again.table().digest(), leases.table().digest());
  EXPECT_FALSE(again.restore(Item::create("x", {}, {})));
}

RC_GTEST_PROP(LeasesProperty, HoldWhatIsMovedBetweenThem, ()) {
  Leases leases;
  std::map<std::string, LeaseId> of_key;
  std::vector<LeaseId> ids{LeaseId()};
  for (int i = 0; i < 4; ++i) ids.push_back(leases.grant(10s, false));
  const auto moves = *rc::gen::container<std::vector<std::pair<std::string, std::size_t>>>(
      rc::gen::pair(rc::gen::element<std::string>("", "a", "ab", "b", "\xff"),
                    rc::gen::inRange<std::size_t>(0, 5)));
  for (const auto& [key, to] : moves) {
    leases.move_key(key, of_key[key], ids[to]);
    of_key[key] = ids[to];
  }
  for (std::size_t i = 1; i < ids.size(); ++i) {
    std::set<std::string> expected;
    for (const auto& [key, id] : of_key) {
      if (id == ids[i]) expected.insert(key);
    }
    RC_ASSERT(leases.keys(ids[i]) == Keys(expected.begin(), expected.end()));
    RC_ASSERT(leases.key_count(ids[i]) == expected.size());
  }
}

}  // namespace
}  // namespace anchor::kv
