#include "core/kv/store.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/core/generators.h"

namespace anchor::kv {
namespace {

Put put_of(std::string key, std::string_view value, Condition condition = Always{}) {
  return {.key = std::move(key), .value = Bytes::copy_of(value), .condition = condition};
}
Put wanting_previous(Put put) {
  put.want_previous = true;
  return put;
}
Delete delete_of(std::string key, Condition condition = Always{}) {
  return {.key = std::move(key), .condition = condition};
}

bool failed(const CommandResult& result) {
  return std::holds_alternative<ConditionFailed>(result);
}
bool invalid(const CommandResult& result) {
  return std::holds_alternative<InvalidCommand>(result);
}

// --- Revisions and versions: etcd's -------------------------------------------------------------

TEST(Store, BeginsEmptyAtRevisionOne) {
  const Store store;
  EXPECT_EQ(store.revision(), Revision(1));
  EXPECT_TRUE(store.tree().empty());
  EXPECT_FALSE(store.find("a"));
}

TEST(Store, FirstWriteOfAKeyCreatesIt) {
  Store store;
  EXPECT_EQ(store.apply(put_of("a", "1")), CommandResult(PutDone{Revision(2)}));
  const ItemRef item = store.find("a");
  ASSERT_TRUE(item);
  EXPECT_EQ(as_text(item->value()), "1");
  EXPECT_EQ(item->create_revision(), Revision(2));
  EXPECT_EQ(item->mod_revision(), Revision(2));
  EXPECT_EQ(item->version(), 1u);
  EXPECT_EQ(item->lease(), LeaseId(0));
}

TEST(Store, LaterWriteKeepsTheCreateRevisionAndCounts) {
  Store store;
  store.apply(put_of("a", "1"));
  store.apply(put_of("b", "1"));
  store.apply(put_of("a", "2"));
  const ItemRef item = store.find("a");
  EXPECT_EQ(item->create_revision(), Revision(2));
  EXPECT_EQ(item->mod_revision(), Revision(4));
  EXPECT_EQ(item->version(), 2u);
}

TEST(Store, SameValueAgainMakesARevision) {
  Store store;
  store.apply(put_of("a", "1"));
  EXPECT_EQ(store.apply(put_of("a", "1")), CommandResult(PutDone{Revision(3)}));
  EXPECT_EQ(store.find("a")->version(), 2u);
}

TEST(Store, DeletingAKeyMakesARevision) {
  Store store;
  store.apply(put_of("a", "1"));
  EXPECT_EQ(store.apply(delete_of("a")), CommandResult(DeleteDone{Revision(3), true}));
  EXPECT_FALSE(store.find("a"));
  EXPECT_EQ(store.revision(), Revision(3));
}

TEST(Store, DeletingAMissingKeyMakesNone) {
  Store store;
  store.apply(put_of("a", "1"));
  EXPECT_EQ(store.apply(delete_of("b")), CommandResult(DeleteDone{Revision(2), false}));
  EXPECT_EQ(store.revision(), Revision(2));
}

TEST(Store, KeyThatWasDeletedBeginsAnew) {
  Store store;
  store.apply(put_of("a", "1"));
  store.apply(put_of("a", "2"));
  store.apply(delete_of("a"));
  store.apply(put_of("a", "3"));
  const ItemRef item = store.find("a");
  EXPECT_EQ(item->create_revision(), Revision(5));
  EXPECT_EQ(item->version(), 1u);
}

TEST(Store, PreviousItemIsInTheAnswerIfItWasWanted) {
  Store store;
  EXPECT_FALSE(std::get<PutDone>(store.apply(wanting_previous(put_of("a", "1")))).previous);
  const ItemRef first = store.find("a");
  const auto put = std::get<PutDone>(store.apply(wanting_previous(put_of("a", "2"))));
  EXPECT_TRUE(equal(put.previous, first));
  EXPECT_FALSE(std::get<PutDone>(store.apply(put_of("a", "3"))).previous);
  const ItemRef third = store.find("a");
  const auto erased = std::get<DeleteDone>(store.apply(Delete{"a", Always{}, true}));
  EXPECT_TRUE(equal(erased.previous, third));
}

// The bytes of an entry's buffer, which a small value must not pin.
TEST(Store, CopiesWhatItKeeps) {
  Store store;
  const Bytes encoded = encode_command(put_of("a", "1"));
  store.apply(encoded);
  const ByteView value = store.find("a")->value();
  const bool inside =
      value.data() >= encoded.data() && value.data() < encoded.data() + encoded.size();
  EXPECT_FALSE(inside);
}

// --- Conditions ---------------------------------------------------------------------------------

TEST(Store, IfAbsentCreatesOnly) {
  Store store;
  EXPECT_FALSE(failed(store.apply(put_of("a", "1", IfAbsent{}))));
  EXPECT_EQ(store.apply(put_of("a", "2", IfAbsent{})),
            CommandResult(ConditionFailed{Revision(2), Revision(2)}));
  EXPECT_EQ(as_text(store.find("a")->value()), "1");
}

TEST(Store, IfPresentReplacesOnly) {
  Store store;
  EXPECT_EQ(store.apply(put_of("a", "1", IfPresent{})),
            CommandResult(ConditionFailed{Revision(1), Revision(0)}));
  store.apply(put_of("a", "2"));
  EXPECT_FALSE(failed(store.apply(put_of("a", "3", IfPresent{}))));
}

TEST(Store, IfModRevisionWantsTheLatest) {
  Store store;
  store.apply(put_of("a", "1"));
  store.apply(put_of("a", "2"));
  EXPECT_EQ(store.apply(put_of("a", "3", IfModRevision{Revision(2)})),
            CommandResult(ConditionFailed{Revision(3), Revision(3)}));
  EXPECT_FALSE(failed(store.apply(put_of("a", "3", IfModRevision{Revision(3)}))));
}

TEST(Store, IfModRevisionFailsForAMissingKey) {
  Store store;
  EXPECT_EQ(store.apply(put_of("a", "1", IfModRevision{Revision(1)})),
            CommandResult(ConditionFailed{Revision(1), Revision(0)}));
}

TEST(Store, DeletesUnderTheSameConditions) {
  Store store;
  store.apply(put_of("a", "1"));
  EXPECT_TRUE(failed(store.apply(delete_of("a", IfAbsent{}))));
  EXPECT_TRUE(failed(store.apply(delete_of("a", IfModRevision{Revision(9)}))));
  EXPECT_TRUE(failed(store.apply(delete_of("b", IfPresent{}))));
  EXPECT_FALSE(failed(store.apply(delete_of("b", IfAbsent{}))));
  EXPECT_FALSE(failed(store.apply(delete_of("a", IfModRevision{Revision(2)}))));
  EXPECT_FALSE(store.find("a"));
}

TEST(Store, FailedConditionChangesNothing) {
  Store store;
  store.apply(put_of("a", "1"));
  const std::uint64_t digest = store.digest();
  store.apply(put_of("a", "2", IfAbsent{}));
  EXPECT_EQ(store.digest(), digest);
  EXPECT_EQ(store.revision(), Revision(2));
}

// --- Limits -------------------------------------------------------------------------------------

TEST(Store, TakesKeysOfOneToFourThousandBytes) {
  Store store;
  EXPECT_TRUE(invalid(store.apply(put_of("", "1"))));
  EXPECT_FALSE(invalid(store.apply(put_of(std::string(kKeyBytes, 'k'), "1"))));
  EXPECT_TRUE(invalid(store.apply(put_of(std::string(kKeyBytes + 1, 'k'), "1"))));
  EXPECT_TRUE(invalid(store.apply(delete_of(""))));
  EXPECT_TRUE(invalid(store.apply(delete_of(std::string(kKeyBytes + 1, 'k')))));
}

TEST(Store, TakesValuesUpToTheLimitAndEmptyOnes) {
  Store store;
  EXPECT_FALSE(invalid(store.apply(put_of("a", ""))));
  EXPECT_FALSE(invalid(store.apply(put_of("a", std::string(kValueBytes, 'v')))));
  EXPECT_TRUE(invalid(store.apply(put_of("a", std::string(kValueBytes + 1, 'v')))));
}

TEST(Store, AnswersWhatIsNoCommandAndStaysAsItIs) {
  Store store;
  store.apply(put_of("a", "1"));
  const std::uint64_t digest = store.digest();
  EXPECT_TRUE(invalid(store.apply(Bytes())));
  EXPECT_TRUE(invalid(store.apply(Bytes::copy_of("no command"))));
  EXPECT_TRUE(invalid(store.apply(put_of("", "1"))));
  EXPECT_EQ(store.digest(), digest);
}

// --- Against the data model, written down as plainly as it can be -------------------------------

struct Model {
  struct KeyValue {
    std::string value;
    std::uint64_t create_revision, mod_revision, version;
  };
  std::uint64_t revision = 1;
  std::map<std::string, KeyValue> keys;

  static bool holds(const Condition& condition, const KeyValue* current) {
    if (std::holds_alternative<IfAbsent>(condition)) return current == nullptr;
    if (std::holds_alternative<IfPresent>(condition)) return current != nullptr;
    const auto* wanted = std::get_if<IfModRevision>(&condition);
    if (wanted == nullptr) return true;
    return current != nullptr && current->mod_revision == wanted->revision.value();
  }

  CommandResult apply(const Command& command) {
    const auto* put = std::get_if<Put>(&command);
    const std::string& key = put ? put->key : std::get<Delete>(command).key;
    const Condition& condition = put ? put->condition : std::get<Delete>(command).condition;
    if (key.empty()) return InvalidCommand{};
    const auto found = keys.find(key);
    const KeyValue* current = found == keys.end() ? nullptr : &found->second;
    if (!holds(condition, current)) {
      return ConditionFailed{Revision(revision), Revision(current ? current->mod_revision : 0)};
    }
    if (put == nullptr) {
      if (current == nullptr) return DeleteDone{Revision(revision), false};
      keys.erase(found);
      return DeleteDone{Revision(++revision), true};
    }
    ++revision;
    keys[key] = {.value = std::string(put->value.text()),
                 .create_revision = current ? current->create_revision : revision,
                 .mod_revision = revision,
                 .version = current ? current->version + 1 : 1};
    return PutDone{Revision(revision)};
  }

  bool same_as(const Store& store) const {
    if (Revision(revision) != store.revision() || keys.size() != store.tree().size()) return false;
    auto at = store.tree().begin();
    for (const auto& [key, expected] : keys) {
      const Item& item = *at.item();
      if (item.key() != key || as_text(item.value()) != expected.value ||
          item.create_revision() != Revision(expected.create_revision) ||
          item.mod_revision() != Revision(expected.mod_revision) ||
          item.version() != expected.version) {
        return false;
      }
      at.next();
    }
    return true;
  }
};

// Of few keys, so that they meet; now and then of none. Without the previous item.
rc::Gen<Command> any_command() {
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<Command>(),
                                    rc::gen::element<std::string>("a", "b", "c", "")),
                      [](std::pair<Command, std::string> drawn) {
                        std::visit(
                            [&](auto& command) {
                              command.key = drawn.second;
                              command.want_previous = false;
                            },
                            drawn.first);
                        return drawn.first;
                      });
}

RC_GTEST_PROP(Store, DoesWhatTheModelDoes, ()) {
  const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
  Store store;
  Model model;
  for (const Command& command : commands) {
    RC_ASSERT((store.apply(encode_command(command)) == model.apply(command)));
    RC_ASSERT(model.same_as(store));
  }
}

RC_GTEST_PROP(Store, IsRestoredFromItsRevisionAndItems, ()) {
  Store store;
  for (const Command& command : *rc::gen::container<std::vector<Command>>(any_command())) {
    store.apply(command);
  }
  Store::Restorer restorer(store.revision());
  for (auto at = store.tree().begin(); at.valid(); at.next()) {
    RC_ASSERT(restorer.add(at.item()).has_value());
  }
  const Store restored = restorer.finish();
  restored.tree().check_invariants();
  RC_ASSERT(restored.revision() == store.revision());
  RC_ASSERT(restored.tree().size() == store.tree().size());
  RC_ASSERT(restored.digest() == store.digest());
  RC_ASSERT(restored.recomputed_digest() == store.digest());
}

// --- Digest -------------------------------------------------------------------------------------

RC_GTEST_PROP(Store, KeptDigestIsTheRecomputedOne, ()) {
  Store store;
  for (const Command& command : *rc::gen::container<std::vector<Command>>(any_command())) {
    store.apply(command);
    RC_ASSERT(store.digest() == store.recomputed_digest());
  }
}

TEST(Store, SameStateHasTheSameDigestHoweverItCameAbout) {
  Store direct, roundabout;
  direct.apply(put_of("a", "1"));
  direct.apply(put_of("b", "2"));
  roundabout.apply(put_of("a", "1"));
  roundabout.apply(delete_of("c"));
  roundabout.apply(put_of("a", "9", IfAbsent{}));
  roundabout.apply(put_of("b", "2"));
  EXPECT_EQ(direct.digest(), roundabout.digest());
}

TEST(Store, EachPartOfTheStateIsInTheDigest) {
  // Each differs from the first in one way: value, key, revision, versions.
  const std::vector<std::vector<Command>> histories = {
      {put_of("a", "1"), put_of("b", "1")},
      {put_of("a", "1"), put_of("b", "2")},
      {put_of("a", "1"), put_of("c", "1")},
      {put_of("b", "1"), put_of("a", "1")},
      {put_of("a", "1"), put_of("b", "1"), delete_of("b")},
      {put_of("a", "1"), put_of("a", "1")},
      {put_of("a", "1")},
      {put_of("ab", "1")},
      {put_of("a", "b1")},
      {},
  };
  std::map<std::uint64_t, std::size_t> digests;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    Store store;
    for (const Command& command : histories[i]) store.apply(command);
    const auto [found, added] = digests.emplace(store.digest(), i);
    EXPECT_TRUE(added) << i << " and " << found->second;
  }
}

RC_GTEST_PROP(Store, DigestsAreEqualIffTheStatesAre, ()) {
  Store stores[2];
  Model models[2];
  for (int i = 0; i < 2; ++i) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 4);
    for (const Command& command : *rc::gen::container<std::vector<Command>>(count, any_command())) {
      stores[i].apply(command);
      models[i].apply(command);
    }
  }
  RC_ASSERT((stores[0].digest() == stores[1].digest()) == models[0].same_as(stores[1]));
}

}  // namespace
}  // namespace anchor::kv
