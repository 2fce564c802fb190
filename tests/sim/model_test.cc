#include "sim/model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/kv/store.h"
#include "tests/core/kv/commands.h"

namespace anchor::sim {
namespace {

Bytes put_of(std::string key, std::string_view value) {
  return kv::encode_command(kv::Put{std::move(key), Bytes::copy_of(value), kv::Always{}});
}

void expect_same_range(const kv::RangeView& view, const Model::KeyValues& expected) {
  RC_ASSERT(view.count() == expected.size());
  kv::RangeView::Reader forwards(view);
  for (const auto& [key, state] : expected) {
    const kv::ItemRef item = forwards.next();
    RC_ASSERT(item && item->key() == key && same(item, state));
  }
  RC_ASSERT(!forwards.peek());
  kv::RangeView::Reader backwards(view, true);
  for (auto at = expected.rbegin(); at != expected.rend(); ++at) {
    const kv::ItemRef item = backwards.next();
    RC_ASSERT(item && item->key() == at->first);
  }
  RC_ASSERT(!backwards.peek());
}

// But for digests, of which the model knows nothing.
bool same_answer(const kv::CommandResult& a, const kv::CommandResult& b) {
  const bool digest =
      std::holds_alternative<kv::DigestNoted>(a) || std::holds_alternative<kv::DigestJudged>(a);
  return digest ? a.index() == b.index() : a == b;
}

// Written independently, they check each other.
RC_GTEST_PROP(Model, AnswersAsTheStoreDoes, ()) {
  kv::Store store;
  Model model;
  std::uint64_t index = 0;
  for (const kv::Command& command : kv::draw_commands()) {
    const Bytes encoded = kv::encode_command(command);
    RC_ASSERT(same_answer(store.apply(encoded), model.apply(&encoded, raft::Term(1))));
    ++index;
    RC_ASSERT(model.revision(raft::Index(index)) == store.revision());
    RC_ASSERT(model.compacted(raft::Index(index)) == store.history().compacted());
    for (const char* key : {"a", "ab", "b", "c"}) {
      RC_ASSERT(same(store.find(key), model.find(key, raft::Index(index))));
    }
  }
}

// Every state that it can still tell.
RC_GTEST_PROP(Model, RemembersThePastAsTheStoreDoes, ()) {
  kv::Store store;
  Model model;
  for (const kv::Command& command : kv::draw_commands()) {
    const Bytes encoded = kv::encode_command(command);
    store.apply(encoded);
    model.apply(&encoded, raft::Term(1));
  }
  const kv::KeyRange range = *kv::few_ranges();
  for (kv::Revision at(1); at <= store.revision(); ++at) {
    const raft::Index index = model.index_of(at);
    const auto view = store.view(range, at);
    const auto item = store.find("a", at);
    RC_ASSERT(view.has_value() == (at >= store.history().compacted()));
    RC_ASSERT(item.has_value() == view.has_value());
    if (!view) continue;
    RC_ASSERT(same(*item, model.find("a", index)));
    expect_same_range(*view, model.range(range, index));
  }
}

TEST(Model, RemembersEveryStateThatItHad) {
  Model model;
  const Bytes first = put_of("a", "1");
  const Bytes second = put_of("a", "2");
  const Bytes erase = kv::encode_command(kv::Delete{"a", kv::Always{}});
  model.apply(&first, raft::Term(1));
  model.apply(nullptr, raft::Term(1));  // an entry that is no command
  model.apply(&second, raft::Term(1));
  model.apply(&erase, raft::Term(1));
  const auto value_at = [&](std::uint64_t index) {
    const auto state = model.find("a", raft::Index(index));
    return state ? std::string(state->value.text()) : "none";
  };
  EXPECT_EQ(value_at(0), "none");
  EXPECT_EQ(value_at(1), "1");
  EXPECT_EQ(value_at(2), "1");
  EXPECT_EQ(value_at(3), "2");
  EXPECT_EQ(value_at(4), "none");
  EXPECT_EQ(model.revision(raft::Index(2)), kv::Revision(2));
  EXPECT_EQ(model.revision(raft::Index(4)), kv::Revision(4));
}

TEST(Model, AnswersWhatIsNoCommand) {
  Model model;
  const Bytes garbage = Bytes::copy_of("no command");
  EXPECT_EQ(model.apply(&garbage, raft::Term(1)), kv::CommandResult(kv::InvalidCommand{}));
  EXPECT_EQ(model.revision(raft::Index(1)), kv::Revision(1));
}

TEST(Model, NoticesEachDifferenceOfAnItem) {
  const Model::KeyValue expected{.value = Bytes::copy_of("1"),
                                 .create_revision = kv::Revision(2),
                                 .mod_revision = kv::Revision(3),
                                 .version = 2};
  const auto item = [](std::string_view value, std::uint64_t create, std::uint64_t mod,
                       std::uint64_t version) {
    return kv::Item::create("a", as_bytes(value),
                            {.create_revision = kv::Revision(create),
                             .mod_revision = kv::Revision(mod),
                             .version = version});
  };
  EXPECT_TRUE(same(item("1", 2, 3, 2), expected));
  EXPECT_FALSE(same(item("2", 2, 3, 2), expected));
  EXPECT_FALSE(same(item("1", 1, 3, 2), expected));
  EXPECT_FALSE(same(item("1", 2, 4, 2), expected));
  EXPECT_FALSE(same(item("1", 2, 3, 1), expected));
  EXPECT_FALSE(same(kv::ItemRef(), expected));
  EXPECT_FALSE(same(item("1", 2, 3, 2), std::nullopt));
  EXPECT_TRUE(same(kv::ItemRef(), std::nullopt));
}

}  // namespace
}  // namespace anchor::sim
