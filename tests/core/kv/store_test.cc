#include "core/kv/store.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/core/kv/commands.h"

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

// --- Whatever it is told (that it does what the data model does, tests/sim/model_test.cc sees)
// ----

// From its parts, as a snapshot holds them.
Result<Store> restored(const Store& store) {
  Store::Restorer restorer({.revision = store.revision(),
                            .compacted = store.history().compacted(),
                            .next_lease = store.leases().next_id(),
                            .next_session = store.sessions().next_id(),
                            .settings = store.settings(),
                            .digest_check = store.digest_check()});
  for (auto at = store.tree().begin(); at.valid(); at.next()) {
    if (auto added = restorer.add(at.item()); !added) return std::unexpected(added.error());
  }
  for (std::size_t at = 0; at < store.history().size(); ++at) {
    if (auto added = restorer.add(store.history()[at]); !added) {
      return std::unexpected(added.error());
    }
  }
  for (auto at = store.leases().table().tree().begin(); at.valid(); at.next()) {
    if (auto added = restorer.add_lease(at.item()); !added) return std::unexpected(added.error());
  }
  for (auto at = store.sessions().table().tree().begin(); at.valid(); at.next()) {
    if (auto added = restorer.add_session(at.item()); !added) {
      return std::unexpected(added.error());
    }
  }
  return restorer.finish();
}

RC_GTEST_PROP(Store, IsRestoredFromItsParts, ()) {
  Store store;
  for (const Command& command : draw_commands()) store.apply(command);
  const auto again = restored(store);
  RC_ASSERT(again.has_value());
  again->tree().check_invariants();
  RC_ASSERT(again->revision() == store.revision());
  RC_ASSERT(again->tree().size() == store.tree().size());
  RC_ASSERT(again->size_bytes() == store.size_bytes());
  RC_ASSERT(again->history().size_bytes() == store.history().size_bytes());
  RC_ASSERT(again->settings() == store.settings());
  RC_ASSERT(again->digest() == store.digest());
  RC_ASSERT(again->recomputed_digest() == store.digest());
}

RC_GTEST_PROP(Store, GoesOnAsTheSameAfterItWasRestored, ()) {
  Store store;
  for (const Command& command : draw_commands()) store.apply(command);
  Store again = *restored(store);
  for (const Command& command : draw_commands()) {
    RC_ASSERT((store.apply(command) == again.apply(command)));
    RC_ASSERT(store.digest() == again.digest());
  }
}

// --- Digest -------------------------------------------------------------------------------------

RC_GTEST_PROP(Store, KeptDigestIsTheRecomputedOne, ()) {
  Store store;
  for (const Command& command : draw_commands()) {
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

}  // namespace
}  // namespace anchor::kv
