#include "core/watches.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace anchor {
namespace {

constexpr std::size_t kMuch = 1 << 20;

kv::Revision put(kv::Store& store, std::string key, std::string_view value = "v") {
  store.apply(kv::Command(kv::Put{std::move(key), Bytes::copy_of(value), kv::Always{}}));
  return store.revision();
}

// All at one revision.
kv::Revision put_all(kv::Store& store, const std::vector<std::string>& keys) {
  kv::Transaction transaction;
  for (const std::string& key : keys) {
    transaction.success.push_back(kv::PutOperation{key, Bytes::copy_of("v"), false});
  }
  store.apply(kv::Command(std::move(transaction)));
  return store.revision();
}

// "a@2", and "a@2." for the last of its revision.
std::vector<std::string> shown(const std::variant<Watches::Events, Watches::Resync>& read) {
  std::vector<std::string> lines;
  for (const auto& [change, last] : std::get<Watches::Events>(read).events) {
    lines.push_back(std::string(change.key()) + "@" + std::to_string(change.revision.value()) +
                    (last ? "." : ""));
  }
  return lines;
}

using Lines = std::vector<std::string>;
using Ids = std::vector<WatchId>;

TEST(Watches, ShowAKeysChangesFromARevisionOn) {
  kv::Store store;
  put(store, "a");
  const kv::Revision from = put(store, "a");
  put(store, "b");
  put(store, "a");
  Watches watches;
  const WatchId id = watches.open({"a"}, from);
  watches.notice(store);
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"a@3.", "a@5."}));
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), Lines{});
}

TEST(Watches, ShowThePrefixesKeys) {
  kv::Store store;
  for (const char* key : {"a/1", "a", "b", "a/2", "a/"}) put(store, key);
  Watches watches;
  const WatchId id = watches.open({"a/", true}, kv::Revision(1));
  watches.notice(store);
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"a/1@2.", "a/2@5.", "a/@6."}));
}

TEST(Watches, OfThePrefixOfAllShowAll) {
  kv::Store store;
  Watches watches;
  const WatchId id = watches.open({"", true}, kv::Revision(2));
  watches.notice(store);
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), Lines{});
  put(store, "a");
  EXPECT_EQ(watches.notice(store), (Ids{id}));
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"a@2."}));
}

TEST(Watches, AreNoticedOnlyIfTheirKeysWereWritten) {
  kv::Store store;
  Watches watches;
  const WatchId key = watches.open({"a/1"}, kv::Revision(1));
  const WatchId prefix = watches.open({"a/", true}, kv::Revision(1));
  watches.notice(store);
  watches.read(key, store, kMuch);
  watches.read(prefix, store, kMuch);
  put(store, "b");
  EXPECT_EQ(watches.notice(store), Ids{});
  put(store, "a/2");
  EXPECT_EQ(watches.notice(store), (Ids{prefix}));
  put(store, "a/1");
  EXPECT_EQ(watches.notice(store), (Ids{key})) << "the other one has been noticed";
  EXPECT_EQ(shown(watches.read(prefix, store, kMuch)), (Lines{"a/2@3.", "a/1@4."}));
  EXPECT_EQ(shown(watches.read(key, store, kMuch)), (Lines{"a/1@4."}));
}

TEST(Watches, ShowTheKeyAsItWasAndAsItIs) {
  kv::Store store;
  put(store, "a", "1");
  put(store, "a", "2");
  store.apply(kv::Command(kv::Delete{"a", kv::Always{}}));
  Watches watches;
  const WatchId id = watches.open({"a"}, kv::Revision(3));
  watches.notice(store);
  const auto read = std::get<Watches::Events>(watches.read(id, store, kMuch));
  ASSERT_EQ(read.events.size(), 2u);
  EXPECT_EQ(as_text(read.events[0].change.before->value()), "1");
  EXPECT_EQ(as_text(read.events[0].change.after->value()), "2");
  EXPECT_EQ(as_text(read.events[1].change.before->value()), "2");
  EXPECT_FALSE(read.events[1].change.after);
}

TEST(Watches, SayWhichIsTheLastOfARevision) {
  kv::Store store;
  put_all(store, {"a/1", "b", "a/2", "c"});
  Watches watches;
  const WatchId id = watches.open({"a/", true}, kv::Revision(2));
  watches.notice(store);
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"a/1@2", "a/2@2."}));
}

// What is cut off within a revision goes on there; and the last one is known when it is shown.
TEST(Watches, AreReadPieceByPiece) {
  kv::Store store;
  put_all(store, {"a", "b", "c"});
  put(store, "d");
  Watches watches;
  const WatchId all = watches.open({"", true}, kv::Revision(2));
  watches.notice(store);
  for (const char* line : {"a@2", "b@2", "c@2.", "d@3."}) {
    const auto read = watches.read(all, store, 1);
    EXPECT_EQ(shown(read), (Lines{line}));
    EXPECT_EQ(std::get<Watches::Events>(read).more, line != std::string("d@3."));
  }
}

TEST(Watches, TellWhatIsNewBehindWhatWasReadInPieces) {
  kv::Store store;
  put_all(store, {"a", "b"});
  Watches watches;
  const WatchId id = watches.open({"", true}, kv::Revision(2));
  watches.notice(store);
  watches.read(id, store, 1);
  put(store, "c");
  EXPECT_EQ(watches.notice(store), Ids{}) << "there was more already";
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"b@2.", "c@3."}));
}

TEST(Watches, FromAFutureRevisionWaitForIt) {
  kv::Store store;
  Watches watches;
  const WatchId id = watches.open({"a"}, kv::Revision(4));
  for (int i = 0; i < 2; ++i) {
    watches.notice(store);
    EXPECT_EQ(shown(watches.read(id, store, kMuch)), Lines{});
    put(store, "a");
  }
  put(store, "a");
  EXPECT_EQ(watches.notice(store), (Ids{id}));
  EXPECT_EQ(shown(watches.read(id, store, kMuch)), (Lines{"a@4."}));
}

void keep(kv::Store& store, std::uint64_t revisions) {
  store.apply(kv::Command(kv::ChangeSettings{{{"history_revisions", revisions}}}));
}

TEST(Watches, EndWhereWhatTheyLackIsForgotten) {
  kv::Store store;
  for (int i = 0; i < 4; ++i) put(store, "a");
  keep(store, 2);  // 4 and 5
  Watches watches;
  const WatchId lacks = watches.open({"a"}, kv::Revision(3));
  const WatchId lacks_none = watches.open({"a"}, kv::Revision(4));
  watches.notice(store);
  const auto read = watches.read(lacks, store, kMuch);
  const auto& resync = std::get<Watches::Resync>(read);
  EXPECT_EQ(resync.compacted, kv::Revision(3));
  EXPECT_EQ(resync.revision, kv::Revision(5));
  EXPECT_EQ(watches.size(), 1u);
  EXPECT_EQ(shown(watches.read(lacks_none, store, kMuch)), (Lines{"a@4.", "a@5."}));
}

// It need not know anything of what was compacted.
TEST(Watches, ThatHaveReadAllSurviveCompaction) {
  kv::Store store;
  put(store, "a");
  Watches watches;
  const WatchId id = watches.open({"a"}, kv::Revision(2));
  watches.notice(store);
  watches.read(id, store, kMuch);
  for (int i = 0; i < 4; ++i) {
    put(store, "b");
    EXPECT_EQ(watches.notice(store), Ids{});
  }
  keep(store, 0);
  EXPECT_EQ(watches.notice(store), Ids{});
  put(store, "a");
  EXPECT_EQ(watches.notice(store), (Ids{id}));
  EXPECT_EQ(std::get<Watches::Resync>(watches.read(id, store, kMuch)).compacted, kv::Revision(7));
}

// Of a server that was sent a snapshot: what was between it never saw.
TEST(Watches, AreToldOfAStoreThatGoesOnElsewhere) {
  kv::Store store;
  Watches watches;
  const WatchId id = watches.open({"a"}, kv::Revision(2));
  const WatchId later = watches.open({"a"}, kv::Revision(9));
  watches.notice(store);
  watches.read(id, store, kMuch);
  watches.read(later, store, kMuch);
  kv::Store installed;
  for (int i = 0; i < 4; ++i) put(installed, "b");
  keep(installed, 2);
  EXPECT_EQ(watches.notice(installed), (Ids{id}));
  EXPECT_TRUE(std::holds_alternative<Watches::Resync>(watches.read(id, installed, kMuch)));
  EXPECT_EQ(watches.read(later, installed, kMuch).index(), 0u);
}

// A state that was wrong had come further than the one that took its place.
TEST(Watches, GoOnInAStoreThatHasNotComeSoFar) {
  kv::Store wrong;
  for (int i = 0; i < 5; ++i) put(wrong, "a");
  Watches watches;
  watches.notice(wrong);
  kv::Store right;
  put(right, "a");
  const WatchId id = watches.open({"a"}, kv::Revision(2));
  watches.notice(right);
  EXPECT_EQ(shown(watches.read(id, right, kMuch)), (Lines{"a@2."}));
  put(right, "a");
  EXPECT_EQ(watches.notice(right), (Ids{id}));
  EXPECT_EQ(shown(watches.read(id, right, kMuch)), (Lines{"a@3."}));
}

TEST(Watches, ThatAreClosedAreNotNoticed) {
  kv::Store store;
  Watches watches;
  const WatchId a = watches.open({"a"}, kv::Revision(1));
  const WatchId all = watches.open({"", true}, kv::Revision(1));
  watches.notice(store);
  for (const WatchId id : {a, all}) watches.read(id, store, kMuch);
  watches.close(a);
  watches.close(all);
  put(store, "a");
  EXPECT_EQ(watches.notice(store), Ids{});
  EXPECT_EQ(watches.size(), 0u);
}

// Against what the history says: each watch is shown all that it asked for, once, in order.
RC_GTEST_PROP(WatchesProperty, ShowAllThatWasWrittenWheneverTheyAreRead, ()) {
  kv::Store store;
  Watches watches;
  struct Reader {
    WatchId id;
    WatchedKeys keys;
    kv::Revision from;
    Lines shown{};
  };
  std::vector<Reader> readers;
  const auto key = [] {
    return *rc::gen::element<std::string>("a", "a/b", "a/c", "b", "b/c", "c");
  };
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const int kind = *rc::gen::inRange(0, 5);
    if (kind == 0) {
      std::vector<std::string> keys;
      for (const char* each : {"a", "a/b", "a/c", "b", "b/c", "c"}) {
        if (*rc::gen::arbitrary<bool>()) keys.emplace_back(each);
      }
      if (!keys.empty()) put_all(store, keys);
    } else if (kind == 1) {
      put(store, key());
    } else if (kind == 2) {
      const WatchedKeys keys{*rc::gen::element<std::string>("", "a", "a/", "b"),
                             *rc::gen::arbitrary<bool>()};
      const kv::Revision from(*rc::gen::inRange<std::uint64_t>(1, store.revision().value() + 5));
      readers.push_back({watches.open(keys, from), keys, from});
    } else if (!readers.empty()) {
      Reader& reader = readers[*rc::gen::inRange<std::size_t>(0, readers.size())];
      const auto bytes = *rc::gen::inRange<std::size_t>(1, 100);
      watches.notice(store);
      for (auto& line : shown(watches.read(reader.id, store, bytes))) {
        reader.shown.push_back(std::move(line));
      }
    }
  }
  watches.notice(store);
  for (Reader& reader : readers) {
    for (bool more = true; more;) {
      const auto read = watches.read(reader.id, store, kMuch);
      for (auto& line : shown(read)) reader.shown.push_back(std::move(line));
      more = std::get<Watches::Events>(read).more;
    }
    Lines wanted;
    kv::Revision of;
    for (std::size_t at = 0; at < store.history().size(); ++at) {
      const kv::Change& change = store.history()[at];
      if (change.revision < reader.from || !reader.keys.contains(change.key())) continue;
      if (change.revision == of) wanted.back().pop_back();
      of = change.revision;
      wanted.push_back(std::string(change.key()) + "@" + std::to_string(of.value()) + ".");
    }
    RC_ASSERT(reader.shown == wanted);
  }
}

}  // namespace
}  // namespace anchor
