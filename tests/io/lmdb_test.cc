#include "io/lmdb.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/io/temporary_directory.h"

namespace anchor::io {
namespace {

class LmdbTest : public testing::Test {
 protected:
  Result<Lmdb> open(Lmdb::Mode mode) const {
    return Lmdb::open(temporary_.path_of("raft.db"), mode, {"logs", "stable"});
  }
  Lmdb create() const {
    auto lmdb = open(Lmdb::Mode::kCreate);
    EXPECT_TRUE(lmdb) << lmdb.error().message;
    return *std::move(lmdb);
  }

  TemporaryDirectory temporary_;
};

Result<void> put(Lmdb& lmdb, const std::string& bucket, const std::string& key,
                 const std::string& value) {
  return lmdb.update([&](const LmdbTransaction& transaction) {
    return transaction.bucket(bucket).put(as_bytes(key), as_bytes(value));
  });
}

using Items = std::map<std::string, std::string>;

Items items_of(const Lmdb& lmdb, const std::string& bucket) {
  Items items;
  const auto viewed = lmdb.view([&](const LmdbTransaction& transaction) -> Result<void> {
    auto cursor = transaction.bucket(bucket).cursor();
    if (!cursor) return std::unexpected(cursor.error());
    auto item = cursor->first();
    for (; item && *item; item = cursor->next()) {
      items.emplace(as_text((*item)->key), as_text((*item)->value));
    }
    if (!item) return std::unexpected(item.error());
    return {};
  });
  EXPECT_TRUE(viewed) << viewed.error().message;
  return items;
}

TEST_F(LmdbTest, KeepsWhatWasCommitted) {
  {
    Lmdb lmdb = create();
    ASSERT_TRUE(put(lmdb, "logs", "a", "1"));
    ASSERT_TRUE(put(lmdb, "stable", "a", "2"));
  }
  const auto lmdb = open(Lmdb::Mode::kOpen);
  ASSERT_TRUE(lmdb) << lmdb.error().message;
  EXPECT_EQ(items_of(*lmdb, "logs"), (Items{{"a", "1"}}));
  EXPECT_EQ(items_of(*lmdb, "stable"), (Items{{"a", "2"}}));
}

TEST_F(LmdbTest, UndoesATransactionThatFails) {
  Lmdb lmdb = create();
  ASSERT_TRUE(put(lmdb, "logs", "a", "1"));
  const auto updated = lmdb.update([](const LmdbTransaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.bucket("logs").put(as_bytes("a"), as_bytes("2")));
    return failure("second thoughts");
  });
  ASSERT_FALSE(updated);
  EXPECT_NE(updated.error().message.find("second thoughts"), std::string::npos);
  EXPECT_EQ(items_of(lmdb, "logs"), (Items{{"a", "1"}}));
}

TEST_F(LmdbTest, DoesNotWriteInAView) {
  Lmdb lmdb = create();
  EXPECT_FALSE(lmdb.view([](const LmdbTransaction& transaction) {
    return transaction.bucket("logs").put(as_bytes("a"), as_bytes("1"));
  }));
}

TEST_F(LmdbTest, OpensOnlyWhatExists) {
  EXPECT_FALSE(open(Lmdb::Mode::kOpen));
  const auto other = Lmdb::open(temporary_.path_of("other.db"), Lmdb::Mode::kCreate, {"conf"});
  ASSERT_TRUE(other);
  EXPECT_FALSE(Lmdb::open(temporary_.path_of("raft.db"), Lmdb::Mode::kOpen, {"conf", "logs"}));
}

TEST_F(LmdbTest, TellsAnAbsentKeyFromAnEmptyValue) {
  Lmdb lmdb = create();
  ASSERT_TRUE(put(lmdb, "logs", "a", ""));
  const auto viewed = lmdb.view([](const LmdbTransaction& transaction) -> Result<void> {
    const auto present = transaction.bucket("logs").get(as_bytes("a"));
    EXPECT_TRUE(present && *present && (*present)->empty());
    const auto absent = transaction.bucket("logs").get(as_bytes("b"));
    EXPECT_TRUE(absent && !*absent);
    return {};
  });
  EXPECT_TRUE(viewed);
}

TEST_F(LmdbTest, ErasesAndSaysWhetherThereWasSomething) {
  Lmdb lmdb = create();
  ASSERT_TRUE(put(lmdb, "logs", "a", "1"));
  const auto updated = lmdb.update([](const LmdbTransaction& transaction) -> Result<void> {
    EXPECT_EQ(transaction.bucket("logs").erase(as_bytes("a")), Result<bool>(true));
    EXPECT_EQ(transaction.bucket("logs").erase(as_bytes("a")), Result<bool>(false));
    return {};
  });
  EXPECT_TRUE(updated);
  EXPECT_TRUE(items_of(lmdb, "logs").empty());
}

TEST_F(LmdbTest, CursorGoesInByteOrder) {
  Lmdb lmdb = create();
  for (const std::string key : {"b", "\xff", "a", "ab"}) ASSERT_TRUE(put(lmdb, "logs", key, key));
  const auto viewed = lmdb.view([](const LmdbTransaction& transaction) -> Result<void> {
    auto cursor = transaction.bucket("logs").cursor();
    const auto key_of = [](const Result<std::optional<LmdbItem>>& item) {
      return item && *item ? std::string(as_text((*item)->key)) : "none";
    };
    EXPECT_EQ(key_of(cursor->first()), "a");
    EXPECT_EQ(key_of(cursor->next()), "ab");
    EXPECT_EQ(key_of(cursor->seek(as_bytes("aa"))), "ab");
    EXPECT_EQ(key_of(cursor->last()), "\xff");
    EXPECT_EQ(key_of(cursor->previous()), "b");
    EXPECT_EQ(key_of(cursor->last()), "\xff");
    EXPECT_EQ(key_of(cursor->next()), "none");
    EXPECT_EQ(key_of(cursor->seek(as_bytes("\xff\xff"))), "none");
    return {};
  });
  EXPECT_TRUE(viewed);
}

TEST_F(LmdbTest, AppendRefusesAKeyThatIsNotTheLast) {
  Lmdb lmdb = create();
  const auto append = [&](const std::string& key) {
    return lmdb.update([&](const LmdbTransaction& transaction) {
      return transaction.bucket("logs").append(as_bytes(key), as_bytes("value"));
    });
  };
  EXPECT_TRUE(append("b"));
  EXPECT_TRUE(append("c"));
  EXPECT_FALSE(append("b"));
  EXPECT_FALSE(append("a"));
}

TEST_F(LmdbTest, TurnsAKeyThatIsTooLongIntoAnError) {
  Lmdb lmdb = create();
  EXPECT_FALSE(put(lmdb, "logs", std::string(512, 'k'), "value"));
  EXPECT_TRUE(put(lmdb, "logs", std::string(511, 'k'), "value"));
}

}  // namespace
}  // namespace anchor::io
