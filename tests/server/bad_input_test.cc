#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>

#include "tests/server/bad_requests.h"

// Every route with what is missing, repeated, malformed, too large or hostile in its parameters,
// headers and body: refused at once, with the status and a message that names the culprit. (What is
// no HTTP at all, tests/io and tests/cluster/bad_input_test.cc throw at sockets.)
namespace anchor::server {
namespace {

const std::string kLongKey(4097, 'k');
const std::string kLongValue((1 << 20) + 1, 'v');
const std::string kManyParameters = [] {
  std::string target = "/kv/?";
  for (int i = 0; i <= 32; ++i) target += "p" + std::to_string(i) + "=1&";
  return target;
}();

TEST(BadInput, InKeys) {
  expect_refused({
      {kGet, "/kv/", {}, "", "400 bad_key", "?prefix="},
      {kPut, "/kv/", {}, "v", "400 bad_key", "the key is empty"},
      {kPost, "/kv/?prefix=a", {}, "v", "400 ", "prefix"},
      {kDelete, "/kv/", {}, "", "400 bad_key", "start and end"},
      {kGet, "/kv/%", {}, "", "400 bad_key", "percent-encoding"},
      {kGet, "/kv/%4", {}, "", "400 bad_key", "percent-encoding"},
      {kGet, "/kv/%zz", {}, "", "400 bad_key", "percent-encoding"},
      {kPut, "/kv/" + kLongKey, {}, "v", "400 bad_key", "4096"},
      {kGet, "/kv/?prefix=" + kLongKey, {}, "", "400 bad_parameter", "prefix"},
      {kGet, "/kv", {}, "", "404 ", "no such route"},
      {kGet, "/", {}, "", "404 ", "no such route"},
      {kGet, "/KV/a", {}, "", "404 ", "no such route"},
      {kGet, "/../kv/a", {}, "", "404 ", "no such route"},
      {kGet, "//kv/a", {}, "", "404 ", "no such route"},
  });
}

TEST(BadInput, InParametersOfReads) {
  expect_refused({
      {kGet, "/kv/a?consistency=fast", {}, "", "400 bad_parameter", "consistency"},
      {kGet, "/kv/a?consistency=", {}, "", "400 bad_parameter", "consistency"},
      {kGet, "/kv/a?consistancy=stale", {}, "", "400 bad_parameter", "consistancy"},
      {kGet, "/kv/a?consistency=stale&consistency=stale", {}, "", "400 bad_parameter", "consist"},
      {kGet, "/kv/a?Consistency=stale", {}, "", "400 bad_parameter", "Consistency"},
      {kGet, "/kv/a", {{"X-Consistency", "fast"}}, "", "400 bad_parameter", "X-Consistency"},
      {kGet,
       "/kv/a",
       {{"X-Consistency", "stale"}, {"X-Consistency", "stale"}},
       "",
       "400 bad_request",
       "X-Consistency"},
      {kGet, "/kv/a?max_staleness=1s", {}, "", "400 bad_parameter", "max_staleness"},
      {kGet, "/kv/a?consistency=stale&max_staleness=soon", {}, "", "400 ", "max_staleness"},
      {kGet, "/kv/a?consistency=stale&max_staleness=-1s", {}, "", "400 ", "max_staleness"},
      {kGet, "/kv/a?min_revision=-1", {}, "", "400 bad_parameter", "min_revision"},
      {kGet, "/kv/a?min_revision=9007199254740992", {}, "", "400 ", "min_revision"},
      {kGet, "/kv/a?revision=0", {}, "", "400 bad_parameter", "revision"},
      {kGet, "/kv/a?revision=1e3", {}, "", "400 bad_parameter", "revision"},
      {kGet, "/kv/a?revision=99999999999999999999999", {}, "", "400 ", "revision"},
      {kGet, "/kv/a?redirect=yes", {}, "", "400 bad_parameter", "redirect"},
      {kGet, "/kv/a?prefix=b", {}, "", "400 bad_parameter", "prefix"},
      {kGet, "/kv/a?cas=1", {}, "", "400 bad_parameter", "cas"},
      {kGet, "/kv/a?prev=true", {}, "", "400 bad_parameter", "prev"},
      {kGet, "/kv/a?x", {}, "", "400 bad_parameter", "x"},
      {kGet, "/kv/a?=1", {}, "", "400 bad_parameter", "'=1'"},
      {kGet, "/kv/a?a=%zz", {}, "", "400 bad_parameter", "'a=%zz'"},
      {kGet, kManyParameters, {}, "", "400 bad_parameter", "32 parameters"},
      {kHead, "/kv/a?consistency=fast", {}, "", "400 bad_parameter", "consistency"},
      {kGet, "/kv/?prefix=a&limit=0", {}, "", "400 bad_parameter", "limit"},
      {kGet, "/kv/?prefix=a&limit=-1", {}, "", "400 bad_parameter", "limit"},
      {kGet, "/kv/?prefix=a&limit=many", {}, "", "400 bad_parameter", "limit"},
      {kGet, "/kv/?prefix=a&keys=1", {}, "", "400 bad_parameter", "keys"},
      {kGet, "/kv/?prefix=a&count=", {}, "", "400 bad_parameter", "count"},
      {kGet, "/kv/?prefix=a&reverse=TRUE", {}, "", "400 bad_parameter", "reverse"},
      {kGet, "/kv/?prefix=a&prefix=b", {}, "", "400 bad_parameter", "prefix"},
      {kGet, "/kv/a", {{"If-Match", "\"1\""}}, "", "400 ", "If-Match"},
      {kGet, "/kv/a", {{"Anchor-Session", "1"}, {"Anchor-Sequence", "1"}}, "", "400 ", "Session"},
      {kGet, "/kv/a", {}, "a body", "400 ", "body"},
  });
}

TEST(BadInput, InWritesOfAKey) {
  expect_refused({
      {kPut, "/kv/a", {}, kLongValue, "413 too_large", "1048576"},
      {kPut, "/kv/a?cas=", {}, "v", "400 bad_parameter", "cas"},
      {kPut, "/kv/a?cas=-1", {}, "v", "400 bad_parameter", "cas"},
      {kPut, "/kv/a?cas=1&cas=1", {}, "v", "400 bad_parameter", "cas"},
      {kPut, "/kv/a?cas=1", {{"If-Match", "\"1\""}}, "v", "400 ", "one condition"},
      {kPut, "/kv/a", {{"If-Match", "1"}}, "v", "400 ", "If-Match"},
      {kPut, "/kv/a", {{"If-Match", "\"0\""}}, "v", "400 ", "If-Match"},
      {kPut, "/kv/a", {{"If-Match", "\"1\", \"2\""}}, "v", "400 ", "If-Match"},
      {kPut, "/kv/a", {{"If-Match", "*"}, {"if-match", "*"}}, "v", "400 ", "If-Match"},
      {kPut, "/kv/a", {{"If-None-Match", "\"1\""}}, "v", "400 ", "If-None-Match"},
      {kPut, "/kv/a?prev=1", {}, "v", "400 bad_parameter", "prev"},
      {kPut, "/kv/a?consistency=stale", {}, "v", "400 bad_parameter", "consistency"},
      {kPut, "/kv/a?limit=1", {}, "v", "400 bad_parameter", "limit"},
      {kDelete, "/kv/a", {}, "a body", "400 ", "body"},
      {kDelete, "/kv/a?prefix=b", {}, "", "400 bad_parameter", "prefix"},
      {kDelete, "/kv/?start=a", {}, "", "400 bad_key", "start and end"},
      {kDelete, "/kv/?prefix=a&limit=1", {}, "", "400 bad_parameter", "limit"},
      {kDelete, "/kv/?prefix=a&count=true", {}, "", "400 bad_parameter", "count"},
      {kDelete, "/kv/?prefix=a&prev=true", {}, "", "400 bad_parameter", "prev"},
      {kDelete, "/kv/?prefix=a&cas=3", {}, "", "400 bad_parameter", "cas"},
      {kDelete, "/kv/?prefix=a", {{"If-Match", "*"}}, "", "400 ", "conditions"},
      {kOther, "/kv/a", {}, "", "405 method_not_allowed", "PUT"},
  });
}

TEST(BadInput, InSessions) {
  const auto with = [](std::string_view session, std::string_view sequence) {
    return Headers{{"Anchor-Session", session}, {"Anchor-Sequence", sequence}};
  };
  const Headers twice{{"Anchor-Session", "1"}, {"Anchor-Session", "2"}, {"Anchor-Sequence", "1"}};
  for (const auto& [method, target, body] :
       {std::tuple(kPut, "/kv/a", "v"), std::tuple(kDelete, "/kv/a", ""),
        std::tuple(kDelete, "/kv/?prefix=a", ""), std::tuple(kPost, "/txn", "{}")}) {
    expect_refused({
        {method, target, {{"Anchor-Session", "1"}}, body, "400 ", "Anchor-Sequence"},
        {method, target, {{"Anchor-Sequence", "1"}}, body, "400 ", "Anchor-Session"},
        {method, target, with("0", "1"), body, "400 ", "Anchor-Session"},
        {method, target, with("one", "1"), body, "400 ", "Anchor-Session"},
        {method, target, with("1", "0"), body, "400 ", "Anchor-Sequence"},
        {method, target, with("1", "-1"), body, "400 ", "Anchor-Sequence"},
        {method, target, with("1", "9007199254740992"), body, "400 ", "Anchor-Sequence"},
        {method, target, twice, body, "400 ", "Anchor-Session"},
    });
  }
  expect_refused({
      {kGet, "/session", {}, "", "405 ", "POST"},
      {kPost, "/session?ttl=1s", {}, "", "400 ", "ttl"},
      {kPost, "/session", {}, "{}", "400 ", "body"},
      {kPost, "/session", with("1", "1"), "", "400 ", "Anchor-Session"},
      {kPost, "/session/1", {}, "", "405 ", "DELETE"},
      {kDelete, "/session/", {}, "", "400 ", "''"},
      {kDelete, "/session/one", {}, "", "400 ", "one"},
      {kDelete, "/session/1/2", {}, "", "400 ", "1/2"},
      {kDelete, "/session/99999999999999999999", {}, "", "400 ", "9999"},
      {kDelete, "/session/1?force=true", {}, "", "400 ", "force"},
  });
}

TEST(BadInput, InTransactions) {
  const auto body = [](const std::string& text, std::string_view names,
                       std::string_view begins = "400 ") {
    return Bad{kPost, "/txn", {}, text, begins, names};
  };
  const auto put = [](const std::string& key) {
    return R"({"op":"put","key":")" + key + R"(","value":"v"})";
  };
  std::string many = put("k0");
  for (int i = 1; i < 129; ++i) many += "," + put("k" + std::to_string(i));
  expect_refused({
      {kGet, "/txn", {}, "", "405 ", "POST"},
      {kPost, "/txn?x=1", {}, "{}", "400 ", "x"},
      {kPost, "/txn", {{"Content-Type", "text/xml"}}, "{}", "415 ", "application/json"},
      body("", "missing"),
      body("{", "JSON"),
      body("[]", "JSON object"),
      body("null", "JSON object"),
      body("{}{}", "JSON"),
      body(std::string(100'000, '['), "JSON"),
      body("{\"compare\":\"\xff\"}", "JSON"),
      body(R"({"sucess":[]})", "sucess"),
      body(R"({"success":{}})", "success"),
      body(R"({"success":[1]})", "success[0]"),
      body(R"({"success":[{}]})", "success[0].op"),
      body(R"({"success":[{"op":"touch","key":"a"}]})", "success[0].op"),
      body(R"({"success":[{"op":"put","value":"1"}]})", "success[0].key"),
      body(R"({"success":[{"op":"put","key":"a"}]})", "success[0].value"),
      body(R"({"success":[{"op":"put","key":1,"value":"1"}]})", "success[0].key"),
      body(R"({"success":[{"op":"put","key":"a","value":"1","ttl":1}]})", "success[0].ttl"),
      body(R"({"success":[{"op":"put","key":"a","value":"!","encoding":"base64"}]})", "value"),
      body(R"({"success":[{"op":"put","key":"a","value":"1","encoding":"hex"}]})", "encoding"),
      body(R"({"success":[{"op":"put","key":"","value":"1"}]})", "4096"),
      body(R"({"success":[{"op":"put","key":")" + kLongKey + R"(","value":"1"}]})", "4096"),
      body(R"({"success":[{"op":"delete"}]})", "success[0].key"),
      body(R"({"success":[{"op":"delete","key":"a","prefix":"b"}]})", "success[0].key"),
      body(R"({"success":[{"op":"get","key":"a","limit":0}]})", "success[0].limit"),
      body(R"({"success":[{"op":"get","key":"a","limit":1.5}]})", "success[0].limit"),
      body(R"({"failure":[{"op":"get","key":"a","reverse":"yes"}]})", "failure[0].reverse"),
      body(R"({"compare":[{"key":"a","target":"age","op":"=","value":1}]})", "compare[0].target"),
      body(R"({"compare":[{"key":"a","target":"version","op":"~","value":1}]})", "compare[0].op"),
      body(R"({"compare":[{"key":"a","target":"version","op":"="}]})", "compare[0].value"),
      body(R"({"compare":[{"key":"a","target":"version","op":"=","value":-1}]})", "value"),
      body(R"({"compare":[{"key":"a","target":"exists","op":"="}]})", "compare[0].value"),
      body(R"({"success":[],"success":[]})", "success"),
      body(R"({"success":[{"op":"put","op":"get","key":"a","value":"1"}]})", "op"),
      body(R"({"success":[)" + put("a") + "," + put("a") + "]}", "success[1]"),
      body(R"({"success":[{"op":"put","key":"a","value":")" + kLongValue + R"("}]})",
           "success[0].value", "413 "),
      body(R"({"success":[{"op":"put","key":"a","value":null}]})", "success[0].value"),
      body(R"({"success":[{"op":"delete","prefix":null}]})", "success[0].prefix"),
      body(R"({"success":[{"op":"get","start":"a","end":null}]})", "success[0].end"),
      body(R"({"compare":[{"key":"a","target":"exists","op":"=","value":null}]})", "value"),
      body(R"({"success":[{"op":"delete","start":"a"}]})", "success[0].start"),
      body(R"({"success":[)" + many + "]}", "128"),
  });
}

TEST(BadInput, InSettings) {
  expect_refused({
      {kPost, "/settings", {}, "{}", "405 ", "PUT"},
      {kGet, "/settings?all=true", {}, "", "400 ", "all"},
      {kPut, "/settings", {}, "quota", "400 ", "JSON"},
      {kPut, "/settings", {}, R"({"quota":1})", "400 ", "quota"},
      {kPut, "/settings", {}, R"({"quota_bytes":-1})", "400 ", "quota_bytes"},
      {kPut, "/settings", {}, R"({"quota_bytes":"8GiB"})", "400 ", "quota_bytes"},
      {kPut, "/settings", {}, R"({"quota_bytes":1})", "400 ", "4096"},
      {kPut, "/settings", {}, R"({"quota_bytes":null})", "400 ", "quota_bytes"},
      {kPut, "/settings", {}, R"({"feature_level":99})", "400 ", "feature_level"},
      {kPut, "/settings", {}, R"({"session_count":1,"session_count":2})", "400 ", "session_count"},
      {kPut,
       "/settings",
       {{"Anchor-Session", "1"}, {"Anchor-Sequence", "1"}},
       "{}",
       "400 ",
       "keys"},
  });
}

TEST(BadInput, InOperations) {
  const Headers session{{"Anchor-Session", "1"}, {"Anchor-Sequence", "1"}};
  expect_refused({
      {kPost, "/status", {}, "", "405 ", "GET"},
      {kOther, "/status", {}, "", "405 ", "GET, HEAD"},
      {kGet, "/status", {}, "a body", "400 ", "body"},
      {kGet, "/status", session, "", "400 ", "Anchor-Session"},
      {kGet, "/status?verbose", {}, "", "400 ", "verbose"},
      {kDelete, "/members", {}, "", "405 ", "GET"},
      {kPut, "/readyz", {}, "", "405 ", "GET"},
      {kGet, "/readyz?exclud=log", {}, "", "400 ", "exclud"},
      {kGet, "/join", {}, "", "405 ", "POST"},
      {kPost, "/join", {}, "", "400 ", "id"},
      {kPost, "/join", {}, R"({"id":"n4"})", "400 ", "address"},
      {kPost, "/join", {}, R"({"id":"","address":"h:1"})", "400 ", "id"},
      {kPost, "/join", {}, R"({"id":"a b","address":"h:1"})", "400 ", "id"},
      {kPost, "/join", {}, R"({"id":"n4","address":"nowhere"})", "400 ", "address"},
      {kPost, "/join", {}, R"({"id":"n4","address":"h:99999"})", "400 ", "address"},
      {kPost, "/join", {}, R"({"id":"n4","address":"h:1","learner":1})", "400 ", "learner"},
      {kPost, "/remove", {}, R"({"id":7})", "400 ", "id"},
      {kPost, "/remove", {}, R"({"id":"n1","force":"yes"})", "400 ", "force"},
      {kPost, "/remove", session, R"({"id":"n1"})", "400 ", "Anchor-Session"},
      {kPost, "/promote", {}, R"({})", "400 ", "id"},
      {kPost, "/transfer", {}, R"({"from":"n1"})", "400 ", "from"},
      {kPost, "/transfer?to=n1", {}, "{}", "400 ", "to"},
  });
}

// What is unusual, and meant so: nothing is normalised away.
TEST(BadInput, IsNotWhatMerelyLooksLikeIt) {
  const auto key = [](std::string_view target) { return key_of(target); };
  EXPECT_EQ(key("/kv/../kv/a"), "../kv/a");
  EXPECT_EQ(key("/kv/./a"), "./a");
  EXPECT_EQ(key("/kv//"), "/");
  EXPECT_EQ(key("/kv/a//b/"), "a//b/");
  EXPECT_EQ(key("/kv/%2e%2E%2f"), "../");
  EXPECT_EQ(key("/kv/%00"), std::string(1, '\0'));
  EXPECT_EQ(key("/kv/%25zz"), "%zz");
  EXPECT_EQ(key("/kv/a+b"), "a+b");
  EXPECT_EQ(key("/kv/%c3%a9"), "\xc3\xa9");
  EXPECT_EQ(key("/kv/%ff%fe"), "\xff\xfe");
  EXPECT_EQ(key("/kv/" + std::string(4096, 'k')).size(), 4096u);
}

}  // namespace
}  // namespace anchor::server
