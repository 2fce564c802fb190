#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/kv/store.h"
#include "server/watch_events.h"
#include "tests/server/routes.h"

// GET /watch, and what it says.
namespace anchor::server {
namespace {

WatchRequest parse_watch(std::string_view target, const Headers& headers = {}) {
  return std::get<WatchRequest>(parse(HttpMethod::kGet, target, headers));
}
std::string refused(std::string_view target, const Headers& headers = {}) {
  return refusal(HttpMethod::kGet, target, headers);
}

TEST(WatchRoutes, AreForAKeyOrAPrefix) {
  EXPECT_EQ(parse_watch("/watch?key=a%2Fb").keys, (WatchedKeys{"a/b", false}));
  EXPECT_EQ(parse_watch("/watch?prefix=a/").keys, (WatchedKeys{"a/", true}));
  EXPECT_EQ(parse_watch("/watch?prefix=").keys, (WatchedKeys{"", true}));
  EXPECT_TRUE(refused("/watch").contains("say what to watch: key or prefix"));
  EXPECT_TRUE(refused("/watch?key=a&prefix=a").contains("not for both"));
  EXPECT_TRUE(refused("/watch?key=").starts_with("400"));
  EXPECT_TRUE(refused("/watch?prefix=" + std::string(5000, 'a')).contains("4096"));
}

TEST(WatchRoutes, BeginNowOrAtARevision) {
  EXPECT_FALSE(parse_watch("/watch?key=a").from);
  EXPECT_EQ(parse_watch("/watch?key=a&from=7").from, kv::Revision(7));
  for (const char* from : {"0", "-1", "x", "", "9007199254740992"}) {
    EXPECT_TRUE(refused("/watch?key=a&from=" + std::string(from)).contains("from must be")) << from;
  }
}

// It has seen that one; and the address that a browser comes back to still says where it began.
TEST(WatchRoutes, GoOnBehindTheLastEventId) {
  EXPECT_EQ(parse_watch("/watch?key=a&from=7", {{"Last-Event-ID", "12"}}).from, kv::Revision(13));
  EXPECT_EQ(parse_watch("/watch?key=a&from=7", {{"Last-Event-ID", ""}}).from, kv::Revision(7));
  EXPECT_TRUE(refused("/watch?key=a", {{"Last-Event-ID", "x"}}).contains("Last-Event-ID must be"));
  EXPECT_TRUE(refused("/watch?key=a", {{"Last-Event-ID", "1"}, {"Last-Event-ID", "2"}})
                  .contains("given twice"));
}

TEST(WatchRoutes, KnowTheirParametersAndMethod) {
  const WatchRequest request = parse_watch("/watch?key=a&prev=true&progress=true");
  EXPECT_TRUE(request.previous);
  EXPECT_TRUE(request.progress);
  EXPECT_TRUE(refused("/watch?key=a&prev=yes").contains("prev must be true or false"));
  EXPECT_TRUE(refused("/watch?key=a&form=7").contains("form=7"));
  EXPECT_TRUE(refusal(HttpMethod::kPost, "/watch?key=a").starts_with("405"));
  EXPECT_TRUE(refusal(HttpMethod::kHead, "/watch?key=a").starts_with("405"));
}

// It would be given the answer as a whole, and that has no end.
TEST(WatchRoutes, AreNotForHttp10) {
  const auto parsed =
      parse_request({.method = HttpMethod::kGet, .target = "/watch?key=a", .version_1_0 = true});
  EXPECT_EQ(std::get<HttpResponse>(parsed).status, 400);
}

Watches::Event event(const kv::Store& store, std::size_t at, bool last = true) {
  return {.change = store.history()[at], .last_of_revision = last};
}

TEST(WatchEvents, TellWhatAKeyIsAndWas) {
  kv::Store store;
  store.apply(kv::Command(kv::Put{"a", Bytes::copy_of("1"), kv::Always{}}));
  store.apply(kv::Command(kv::Put{"a", Bytes::copy_of("2"), kv::Always{}}));
  store.apply(kv::Command(kv::Delete{"a", kv::Always{}}));
  const std::string first =
      R"({"key":"a","value":"1","create_revision":2,"mod_revision":2,"version":1,"lease":0})";
  const std::string second =
      R"({"key":"a","value":"2","create_revision":2,"mod_revision":3,"version":2,"lease":0})";
  std::string text;
  append_event(text, event(store, 0), false);
  EXPECT_EQ(text, "id: 2\nevent: put\ndata: " + first + "\n\n");
  text.clear();
  append_event(text, event(store, 0), true);
  EXPECT_EQ(text, "id: 2\nevent: put\ndata: " + first.substr(0, first.size() - 1) +
                      ",\"prev\":null}\n\n");
  text.clear();
  append_event(text, event(store, 1), true);
  EXPECT_EQ(text, "id: 3\nevent: put\ndata: " + second.substr(0, second.size() - 1) +
                      ",\"prev\":" + first + "}\n\n");
  text.clear();
  append_event(text, event(store, 2), true);
  EXPECT_EQ(text, "id: 4\nevent: delete\ndata: {\"key\":\"a\",\"mod_revision\":4,\"prev\":" +
                      second + "}\n\n");
}

// Who comes back with an id has seen all of that revision.
TEST(WatchEvents, HaveAnIdAtTheEndOfARevisionOnly) {
  kv::Store store;
  store.apply(kv::Command(kv::Put{"a", Bytes::copy_of("1"), kv::Always{}}));
  std::string text;
  append_event(text, event(store, 0, false), false);
  EXPECT_TRUE(text.starts_with("event: put\n"));
}

// A line feed in a value would end the event.
TEST(WatchEvents, AreOneLineWhateverTheyHold) {
  kv::Store store;
  store.apply(kv::Command(kv::Put{"a\n\r", Bytes::copy_of("x\n\ndata: y\r\n"), kv::Always{}}));
  std::string text;
  append_event(text, event(store, 0), false);
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  EXPECT_EQ(std::ranges::count(text, '\r'), 0);
}

TEST(WatchEvents, TellHowFarTheyHaveComeAndWhatIsForgotten) {
  std::string text;
  append_progress(text, kv::Revision(12));
  EXPECT_EQ(text, "event: progress\ndata: {\"revision\":12}\n\n");
  text.clear();
  append_resync(text, {kv::Revision(100), kv::Revision(900)});
  EXPECT_EQ(text, "event: resync\ndata: {\"compacted_revision\":100,\"revision\":900}\n\n");
}

}  // namespace
}  // namespace anchor::server
