#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/store.h"
#include "tests/server/routes.h"

// Many keys at once: ranges and their listings.
namespace anchor::server {
namespace {

using nlohmann::json;

kv::KeyRange range_of(std::string_view parameters) {
  const KvRequest request = parse_kv(HttpMethod::kGet, "/kv/?" + std::string(parameters));
  return std::get<kv::KeyRange>(std::get<Read>(request.body).of);
}

kv::Store store_of(const std::vector<std::string>& keys, const std::string& value = "v") {
  kv::Store store;
  for (const std::string& key : keys) {
    store.apply(kv::Put{key, Bytes::copy_of(value), kv::Always{}});
  }
  return store;
}

std::string listed(const kv::Store& store, std::string_view parameters) {
  KvRequest request = parse_kv(HttpMethod::kGet, "/kv/?" + std::string(parameters));
  const auto& read = std::get<Read>(request.body);
  const kv::Revision at = read.at_revision.value_or(store.revision());
  HttpResponse response = render(RangeRead{.view = *store.view(std::get<kv::KeyRange>(read.of), at),
                                           .revision = store.revision(),
                                           .applied_index = raft::Index(9)},
                                 request.answer, std::nullopt);
  std::string body;
  while (const auto part = std::get<io::HttpParts>(response.body)()) {
    EXPECT_LE(part->size(), 3U << 20);
    body += *part;
  }
  return body;
}

std::vector<std::string> keys_in(const json& list) {
  std::vector<std::string> keys;
  for (const auto& item : list.at("kvs")) keys.push_back(item.at("key"));
  return keys;
}

using Keys = std::vector<std::string>;

TEST(RangeRoutes, PrefixStartAndEndTogetherNameTheKeys) {
  EXPECT_EQ(range_of("prefix=a/"), (kv::KeyRange{"a/", "a0"}));
  EXPECT_EQ(range_of("prefix="), kv::KeyRange());
  EXPECT_EQ(range_of("prefix=%ff"), (kv::KeyRange{"\xff", std::nullopt}));
  EXPECT_EQ(range_of("start=b&end=d"), (kv::KeyRange{"b", "d"}));
  EXPECT_EQ(range_of("prefix=a/&start=a/c"), (kv::KeyRange{"a/c", "a0"}));
  EXPECT_EQ(range_of("prefix=a/&end=a/c"), (kv::KeyRange{"a/", "a/c"}));
  EXPECT_EQ(range_of("prefix=b&start=a&end=z"), (kv::KeyRange{"b", "c"}));
}

TEST(RangeRoutes, WhatNamesNoKeysIsRefused) {
  struct Case {
    HttpMethod method;
    const char* target;
    const char* answer;
  };
  const Case cases[] = {
      {HttpMethod::kGet, "/kv/a?prefix=a",
       "400 bad_parameter: prefix is for many keys, under /kv/; the path names one\n"},
      {HttpMethod::kGet, "/kv/?prefix=a&limit=0",
       "400 bad_parameter: limit must be a number above 0\n"},
      {HttpMethod::kGet, "/kv/?prefix=a&keys=yes",
       "400 bad_parameter: keys must be true or false\n"},
      {HttpMethod::kPut, "/kv/a?limit=1",
       "400 bad_parameter: the parameter 'limit=1' is unknown to PUT\n"},
      {HttpMethod::kDelete, "/kv/?start=a",
       "400 bad_key: the key is empty; to delete many keys, say which: ?prefix=, or start and "
       "end\n"},
      {HttpMethod::kDelete, "/kv/?prefix=a&prev=true", "400 bad_parameter: prev is for one key\n"},
  };
  for (const Case& bad : cases) {
    EXPECT_EQ(refusal(bad.method, bad.target, {}, ""), bad.answer) << bad.target;
  }
}

TEST(RangeRoutes, AListHasTheDocumentedShape) {
  kv::Store store = store_of({"a", "b"});
  store.apply(kv::Put{"b", Bytes::copy_of("\xff"), kv::Always{}});
  EXPECT_EQ(listed(store, "prefix="),
            R"({"revision":4,"kvs":[)"
            R"({"key":"a","value":"v","create_revision":2,"mod_revision":2,"version":1,"lease":0},)"
            R"({"key":"b","value":"/w==","encoding":"base64",)"
            R"("create_revision":3,"mod_revision":4,"version":2,"lease":0}],)"
            R"("count":2,"more":false})"
            "\n");
}

TEST(RangeRoutes, PagesFollowOneAnotherWithoutGapOrRepetition) {
  const kv::Store store = store_of({"a", "b", "c", "d", "e"});
  const json first = json::parse(listed(store, "prefix=&limit=2"));
  EXPECT_EQ(keys_in(first), (Keys{"a", "b"}));
  EXPECT_EQ(first.at("next"), "c");
  EXPECT_EQ(first.at("count"), 5);
  EXPECT_EQ(keys_in(json::parse(listed(store, "prefix=&limit=2&start=c"))), (Keys{"c", "d"}));
  const json last = json::parse(listed(store, "prefix=&limit=2&start=e"));
  EXPECT_EQ(keys_in(last), (Keys{"e"}));
  EXPECT_EQ(last.at("more"), false);
  EXPECT_FALSE(last.contains("next"));
}

TEST(RangeRoutes, BackwardsTheNextPageEndsWhereThisOneDid) {
  const kv::Store store = store_of({"a", "b", "c", "d", "e"});
  const json first = json::parse(listed(store, "prefix=&limit=2&reverse=true"));
  EXPECT_EQ(keys_in(first), (Keys{"e", "d"}));
  EXPECT_EQ(first.at("next"), "d");
  EXPECT_EQ(keys_in(json::parse(listed(store, "prefix=&limit=2&reverse=true&end=d"))),
            (Keys{"c", "b"}));
}

TEST(RangeRoutes, KeysAloneAndTheirCountAreToBeHad) {
  const kv::Store store = store_of({"a", "b"});
  const json keys = json::parse(listed(store, "prefix=&keys=true"));
  EXPECT_FALSE(keys.at("kvs")[0].contains("value"));
  EXPECT_EQ(keys.at("kvs")[0].at("mod_revision"), 2);
  EXPECT_EQ(json::parse(listed(store, "prefix=&count=true")),
            json::parse(R"({"revision":3,"kvs":[],"count":2,"more":false})"));
}

TEST(RangeRoutes, AListOfThePastIsOfThatRevision) {
  kv::Store store = store_of({"a", "b"});
  store.apply(kv::Delete{"a", kv::Always{}});
  store.apply(kv::Put{"c", Bytes::copy_of("v"), kv::Always{}});
  const json past = json::parse(listed(store, "prefix=&revision=3"));
  EXPECT_EQ(keys_in(past), (Keys{"a", "b"}));
  EXPECT_EQ(past.at("revision"), 3);
  EXPECT_EQ(past.at("count"), 2);
}

TEST(RangeRoutes, APageIsBoundedInBytes) {
  Keys keys;
  for (int i = 0; i < 20; ++i) keys.push_back("key" + std::to_string(100 + i));
  const kv::Store store = store_of(keys, std::string(512 << 10, 'v'));
  Keys all;
  std::string start = "key";
  for (int pages = 1;; ++pages) {
    const std::string body = listed(store, "prefix=key&start=" + start);
    EXPECT_LE(body.size(), 5U << 20);
    const json page = json::parse(body);
    for (std::string& key : keys_in(page)) all.push_back(std::move(key));
    if (!page.at("more")) {
      EXPECT_GT(pages, 2);
      break;
    }
    start = page.at("next");
  }
  EXPECT_EQ(all, keys);
}

TEST(RangeRoutes, OddKeysAreEscapedOrEncoded) {
  const Keys odd = {std::string("\0\x1f\"\\/", 5), "\xc3\xa4", "\xff\xfe"};
  const json list = json::parse(listed(store_of(odd), "prefix="));
  EXPECT_EQ(list.at("kvs")[0].at("key"), odd[0]);
  EXPECT_EQ(list.at("kvs")[1].at("key"), odd[1]);
  EXPECT_EQ(list.at("kvs")[2].at("key"), "//4=");
  EXPECT_EQ(list.at("kvs")[2].at("key_encoding"), "base64");
}

TEST(RangeRoutes, DeletingManyKeysIsOneCommand) {
  const KvRequest request = parse_kv(HttpMethod::kDelete, "/kv/?prefix=a/");
  const auto& command = std::get<kv::Command>(request.body);
  EXPECT_EQ(command, kv::Command(kv::DeleteRange{kv::KeyRange::of_prefix("a/")}));
  const HttpResponse response =
      render(WriteApplied{kv::RangeDeleted{kv::Revision(7), 3}}, request.answer, std::nullopt);
  EXPECT_EQ(body_of(response), "{\"revision\":7,\"deleted\":3}\n");
}

TEST(RangeRoutes, APastThatIsCompactedSaysHowFarBackItGoes) {
  const KvRequest request = parse_kv(HttpMethod::kGet, "/kv/a?revision=3");
  EXPECT_EQ(std::get<Read>(request.body).at_revision, kv::Revision(3));
  const HttpResponse response =
      render(RevisionCompacted{kv::Revision(5), kv::Revision(9), raft::Index(12)}, request.answer,
             std::nullopt);
  EXPECT_EQ(response.status, 410);
  EXPECT_EQ(body_of(response),
            "compacted: the revision is compacted: the oldest that can be read is 5\n");
  EXPECT_TRUE(has_line(response, "Anchor-Compacted-Revision: 5"));
  EXPECT_TRUE(has_line(response, "Anchor-Revision: 9"));
}

}  // namespace
}  // namespace anchor::server
