#include "core/kv/tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace anchor::kv {
namespace {

using std::string_literals::operator""s;

// What a tree should hold: the value by the key.
using Model = std::map<std::string, std::string>;

ItemRef make_item(std::string_view key, std::string_view value = "value") {
  return Item::create(key, as_bytes(value), {});
}

std::optional<std::string> text_of(const ItemRef& item) {
  if (!item) return std::nullopt;
  return std::string(as_text(item->value()));
}

std::vector<std::string> keys_forwards(const Tree& tree) {
  std::vector<std::string> keys;
  for (auto at = tree.begin(); at.valid(); at.next()) keys.emplace_back(at.item()->key());
  return keys;
}

std::vector<std::string> keys_backwards(const Tree& tree) {
  std::vector<std::string> keys;
  for (auto at = tree.last(); at.valid(); at.previous()) keys.emplace_back(at.item()->key());
  return keys;
}

// Sorts as the numbers do.
std::string numbered_key(std::size_t number) {
  std::string digits = std::to_string(number);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

Tree tree_of(const std::vector<std::string>& keys) {
  Tree tree;
  for (const std::string& key : keys) tree.put(make_item(key));
  return tree;
}

TEST(Tree, HoldsNothingAtFirst) {
  Tree tree;
  EXPECT_TRUE(tree.empty());
  EXPECT_EQ(tree.find("a"), nullptr);
  EXPECT_FALSE(tree.erase("a"));
  EXPECT_FALSE(tree.begin().valid());
  EXPECT_FALSE(tree.last().valid() || tree.lower_bound("a").valid());
  tree.check_invariants();
}

TEST(Tree, PutGivesBackWhatItReplaces) {
  Tree tree;
  EXPECT_FALSE(tree.put(make_item("a", "1")));
  EXPECT_EQ(text_of(tree.put(make_item("a", "2"))), "1");
  EXPECT_EQ(tree.size(), 1U);
  EXPECT_EQ(text_of(*tree.find("a")), "2");
}

TEST(Tree, EraseGivesBackWhatWasThere) {
  Tree tree = tree_of({"a", "b"});
  EXPECT_EQ(tree.erase("a")->key(), "a");
  EXPECT_FALSE(tree.erase("a"));
  EXPECT_EQ(keys_forwards(tree), std::vector{"b"s});
}

TEST(Tree, ErasesByAKeyThatTheErasedItemHolds) {
  Tree tree = tree_of({"a"});
  tree.erase((*tree.find("a"))->key());
  EXPECT_TRUE(tree.empty());
}

TEST(Tree, OrdersKeysByUnsignedBytesAndPrefixesFirst) {
  const std::vector<std::string> ascending = {"\0"s,
                                              "\0\0"s,
                                              "\0\1"s,
                                              "a"s,
                                              "a\0"s,
                                              "a\0\0\0\0\0\0\0"s,
                                              "a\0\0\0\0\0\0\0\0"s,
                                              "aa"s,
                                              "abcdefgh"s,
                                              "abcdefgh\0"s,
                                              "abcdefghi"s,
                                              "b"s,
                                              "\x7f"s,
                                              "\x80"s,
                                              "\xff"s,
                                              "\xff\xff"s};
  std::vector<std::string> shuffled = ascending;
  Random random(1);
  for (std::size_t left = shuffled.size(); left > 1; --left) {
    std::swap(shuffled[left - 1], shuffled[random.below(left)]);
  }
  const Tree tree = tree_of(shuffled);
  tree.check_invariants();
  EXPECT_EQ(keys_forwards(tree), ascending);
  for (const std::string& key : ascending) EXPECT_NE(tree.find(key), nullptr);
}

TEST(Tree, TellsLongKeysApartByTheirLastByte) {
  const std::string shared(4095, 'k');
  std::vector<std::string> keys;
  for (int last = 0; last < 256; ++last) keys.push_back(shared + static_cast<char>(last));
  Tree tree = tree_of(keys);
  tree.check_invariants();
  EXPECT_EQ(keys_forwards(tree), keys);
  for (const std::string& key : keys) EXPECT_TRUE(tree.erase(key));
  EXPECT_TRUE(tree.empty());
}

TEST(Tree, LowerBoundFindsTheFirstKeyNotBelow) {
  const Tree tree = tree_of({"b", "d"});
  EXPECT_EQ(tree.lower_bound("a").item()->key(), "b");
  EXPECT_EQ(tree.lower_bound("b").item()->key(), "b");
  EXPECT_EQ(tree.lower_bound("b\0"s).item()->key(), "d");
  EXPECT_EQ(tree.lower_bound("c").item()->key(), "d");
  EXPECT_FALSE(tree.lower_bound("e").valid());
}

TEST(Tree, ACursorTurnsRoundAcrossLeaves) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 500; ++i) keys.push_back(numbered_key(i));
  const Tree tree = tree_of(keys);
  for (std::size_t i = 1; i + 1 < keys.size(); ++i) {
    auto cursor = tree.lower_bound(keys[i]);
    cursor.previous();
    EXPECT_EQ(cursor.item()->key(), keys[i - 1]);
    cursor.next();
    cursor.next();
    EXPECT_EQ(cursor.item()->key(), keys[i + 1]);
  }
}

TEST(Tree, IsEmptyAfterItWasMovedFrom) {
  Tree tree = tree_of({"a"});
  const Tree taken = std::move(tree);
  EXPECT_EQ(taken.size(), 1U);
  tree = Tree();
  tree.put(make_item("b"));
  EXPECT_EQ(keys_forwards(tree), std::vector{"b"s});
}

TEST(Tree, ASnapshotStaysAsItWas) {
  Tree tree = tree_of({"a", "b"});
  const Tree snapshot = tree;
  tree.put(make_item("a", "new"));
  tree.erase("b");
  tree.put(make_item("c"));
  EXPECT_EQ(keys_forwards(snapshot), (std::vector{"a"s, "b"s}));
  EXPECT_EQ(text_of(*snapshot.find("a")), "value");
  EXPECT_EQ(keys_forwards(tree), (std::vector{"a"s, "c"s}));
}

TEST(Tree, ASnapshotCanBeWrittenWithoutTheOriginalNoticing) {
  const Tree tree = tree_of({"a", "b"});
  Tree snapshot = tree;
  snapshot.erase("a");
  EXPECT_EQ(keys_forwards(tree), (std::vector{"a"s, "b"s}));
}

TEST(Tree, ASnapshotSharesTheItems) {
  Tree tree = tree_of({"a", "b"});
  const Tree snapshot = tree;
  tree.put(make_item("b", "new"));
  EXPECT_EQ(tree.find("a")->get(), snapshot.find("a")->get());
}

// --- Many keys ---------------------------------------------------------------------------------

constexpr std::size_t kMany = 100'000;

enum class Order { kAscending, kDescending, kRandom };

std::vector<std::string> many_keys(Order order) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kMany; ++i) keys.push_back(numbered_key(i));
  if (order == Order::kDescending) std::ranges::reverse(keys);
  Random random(7);
  for (std::size_t left = keys.size(); order == Order::kRandom && left > 1; --left) {
    std::swap(keys[left - 1], keys[random.below(left)]);
  }
  return keys;
}

class ManyKeys : public testing::TestWithParam<std::pair<Order, Order>> {};

TEST_P(ManyKeys, ComeInAndGoOutInAnyOrder) {
  const auto [in, out] = GetParam();
  Tree tree = tree_of(many_keys(in));
  tree.check_invariants();
  ASSERT_EQ(tree.size(), kMany);
  ASSERT_EQ(keys_forwards(tree), many_keys(Order::kAscending));
  ASSERT_EQ(keys_backwards(tree), many_keys(Order::kDescending));

  std::size_t left = kMany;
  for (const std::string& key : many_keys(out)) {
    ASSERT_TRUE(tree.erase(key));
    ASSERT_EQ(tree.find(key), nullptr);
    if (--left % 5'000 == 0) tree.check_invariants();
  }
  EXPECT_TRUE(tree.empty());
}

INSTANTIATE_TEST_SUITE_P(Tree, ManyKeys,
                         testing::Values(std::pair{Order::kAscending, Order::kAscending},
                                         std::pair{Order::kAscending, Order::kDescending},
                                         std::pair{Order::kDescending, Order::kRandom},
                                         std::pair{Order::kRandom, Order::kAscending},
                                         std::pair{Order::kRandom, Order::kRandom}));

TEST(Tree, KeysThatComeAndGoAtTheSamePlaceKeepItInShape) {
  Tree tree = tree_of(many_keys(Order::kAscending));
  for (std::size_t i = 0; i < kMany; ++i) {
    tree.erase(numbered_key(i));
    tree.put(make_item(numbered_key(kMany + i)));
  }
  tree.check_invariants();
  EXPECT_EQ(tree.size(), kMany);
  EXPECT_EQ(tree.begin().item()->key(), numbered_key(kMany));
}

// --- Against std::map --------------------------------------------------------------------------

// A few letters, NUL among them, so that keys collide, are prefixes of one another and differ on
// both sides of the eighth byte.
rc::Gen<std::string> any_key() {
  const auto letter = rc::gen::element('\0', '\1', 'a', '\xff');
  return rc::gen::weightedOneOf<std::string>(
      {{8, rc::gen::container<std::string>(letter)},
       {4, rc::gen::map(rc::gen::container<std::string>(3, letter),
                        [](const std::string& end) { return "prefixes" + end; })},
       {1, rc::gen::map(letter, [](char end) { return std::string(4095, 'k') + end; })}});
}

void expect_same(const Tree& tree, const Model& model) {
  tree.check_invariants();
  RC_ASSERT(tree.size() == model.size());
  auto forwards = tree.begin();
  for (const auto& [key, value] : model) {
    RC_ASSERT(forwards.valid());
    RC_ASSERT(forwards.item()->key() == key);
    RC_ASSERT(text_of(forwards.item()) == value);
    forwards.next();
  }
  RC_ASSERT(!forwards.valid());
  auto backwards = tree.last();
  for (auto expected = model.rbegin(); expected != model.rend(); ++expected) {
    RC_ASSERT(backwards.valid());
    RC_ASSERT(backwards.item()->key() == expected->first);
    backwards.previous();
  }
  RC_ASSERT(!backwards.valid());
}

void expect_same_bound(const Tree& tree, const Model& model, const std::string& key) {
  const auto expected = model.lower_bound(key);
  auto found = tree.lower_bound(key);
  RC_ASSERT(found.valid() == (expected != model.end()));
  RC_ASSERT(std::cmp_equal(tree.rank(key), std::distance(model.begin(), expected)));
  if (!found.valid()) return;
  RC_ASSERT(found.item()->key() == expected->first);
  found.previous();
  RC_ASSERT(found.valid() == (expected != model.begin()));
  if (found.valid()) RC_ASSERT(found.item()->key() == std::prev(expected)->first);
}

std::optional<std::string> put_in_model(Model& model, const std::string& key,
                                        const std::string& value) {
  const auto found = model.find(key);
  std::optional<std::string> previous;
  if (found != model.end()) previous = found->second;
  model[key] = value;
  return previous;
}

std::optional<std::string> erase_in_model(Model& model, const std::string& key) {
  const auto found = model.find(key);
  if (found == model.end()) return std::nullopt;
  std::optional<std::string> previous = found->second;
  model.erase(found);
  return previous;
}

// A tree beside what it should hold. Copying one is taking a snapshot.
struct Pair {
  Tree tree;
  Model model;

  void put(const std::string& key, const std::string& value) {
    RC_ASSERT(text_of(tree.put(make_item(key, value))) == put_in_model(model, key, value));
  }
  void erase(const std::string& key) {
    RC_ASSERT(text_of(tree.erase(key)) == erase_in_model(model, key));
  }
  void check() const { expect_same(tree, model); }
};

RC_GTEST_PROP(TreeProperty, BehavesAsAMapWhateverIsDoneToItAndToItsSnapshots, ()) {
  std::vector<Pair> trees(1);
  const auto operations = *rc::gen::scale(6.0, rc::gen::arbitrary<std::vector<std::uint8_t>>());
  for (const std::uint8_t operation : operations) {
    Pair& chosen = trees[operation / 16 % trees.size()];
    const std::string key = *any_key();
    switch (operation % 16) {
      case 0:
        if (trees.size() < 5) trees.push_back(Pair(chosen));
        break;
      case 1:
        if (trees.size() > 1) trees.erase(trees.begin() + operation / 16 % std::ssize(trees));
        break;
      case 2:
        expect_same_bound(chosen.tree, chosen.model, key);
        break;
      case 3:
      case 4:
      case 5:
        chosen.erase(key);
        chosen.tree.check_invariants();
        break;
      default:
        chosen.put(key, std::to_string(operation));
        chosen.tree.check_invariants();
    }
  }
  for (const Pair& pair : trees) pair.check();
}

// Deep enough for inner nodes to split, to merge and to even out.
RC_GTEST_PROP(TreeProperty, BehavesAsAMapWithThousandsOfKeys, (std::uint64_t seed)) {
  Random random(seed);
  std::vector<Pair> trees(1);
  const std::array<std::uint64_t, 4> puts_of_ten = {9, 5, 2, 6};
  for (const std::uint64_t puts : puts_of_ten) {
    for (int i = 0; i < 1'500; ++i) {
      Pair& chosen = trees[random.below(trees.size())];
      const std::string key = numbered_key(random.below(2'500));
      if (random.below(10) < puts) {
        chosen.put(key, std::to_string(i));
      } else {
        chosen.erase(key);
      }
      if (i % 100 == 0) expect_same_bound(chosen.tree, chosen.model, key);
    }
    for (const Pair& pair : trees) pair.check();
    trees.push_back(Pair(trees.front()));
  }
}

// --- Threads -----------------------------------------------------------------------------------

// What a reader sees of a snapshot: how many keys, and whether they ascend.
std::optional<std::size_t> count_if_ascending(const Tree& tree) {
  std::size_t count = 0;
  std::string previous;
  for (auto at = tree.begin(); at.valid(); at.next(), ++count) {
    if (count > 0 && at.item()->key() <= previous) return std::nullopt;
    previous = at.item()->key();
  }
  return count;
}

TEST(Tree, ASnapshotIsReadByAnotherThreadWhileTheOriginalIsWritten) {
  constexpr std::size_t kKeys = 2'000;
  Tree tree;
  for (std::size_t i = 0; i < kKeys; ++i) tree.put(make_item(numbered_key(i)));
  Random random(3);
  for (int round = 0; round < 10; ++round) {
    const std::size_t size = tree.size();
    std::optional<std::size_t> seen;
    std::thread reader([snapshot = tree, &seen] { seen = count_if_ascending(snapshot); });
    for (int i = 0; i < 2'000; ++i) {
      const std::string key = numbered_key(random.below(kKeys));
      if (random.one_in(2)) {
        tree.put(make_item(key, "new"));
      } else {
        tree.erase(key);
      }
    }
    reader.join();
    EXPECT_EQ(seen, size);
  }
}

TEST(Tree, TwoThreadsWriteToTheirCopiesOfOneTree) {
  constexpr std::size_t kKeys = 2'000;
  Tree mine;
  for (std::size_t i = 0; i < kKeys; ++i) mine.put(make_item(numbered_key(i)));
  Tree theirs = mine;
  std::thread writer([&theirs] {
    for (std::size_t i = 0; i < kKeys; i += 2) theirs.erase(numbered_key(i));
  });
  for (std::size_t i = 1; i < kKeys; i += 2) mine.erase(numbered_key(i));
  writer.join();
  mine.check_invariants();
  theirs.check_invariants();
  EXPECT_EQ(mine.size(), kKeys / 2);
  EXPECT_EQ(theirs.size(), kKeys / 2);
  EXPECT_NE(mine.find(numbered_key(0)), nullptr);
  EXPECT_NE(theirs.find(numbered_key(1)), nullptr);
}

}  // namespace
}  // namespace anchor::kv
