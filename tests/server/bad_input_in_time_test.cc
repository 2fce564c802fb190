#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/server/bad_requests.h"

// What bad_input_test.cc has for all else, for that which has to do with time: leases, locks and
// watches.
namespace anchor::server {
namespace {

const std::string kLongKey(4097, 'k');
const Headers kSession{{"Anchor-Session", "1"}, {"Anchor-Sequence", "1"}};

// Values of a ttl that there is not.
constexpr std::string_view kNoTtl[] = {
    "",       "30",        "s",           "-1s",
    "+1s",    "1.5s",      "30S",         "30s%20",
    "%2030s", "1s1s",      "0x1s",        "30s%00",
    "%ff",    "%0d%0a",    "1d",          "99999999999999999999s",
    "0s",     "0h",        "999ms",       "999999us",
    "8785h",  "31622401s", "1000000001s", "1000000000h"};
// And numbers that are no lease's, and no revision.
constexpr std::string_view kNoNumber[] = {"",
                                          "0",
                                          "-1",
                                          "+1",
                                          "x",
                                          "1x",
                                          "%201",
                                          "1.0",
                                          "0x1",
                                          "1e3",
                                          "%00",
                                          "9007199254740992",
                                          "18446744073709551617"};

TEST(BadInputInTime, InGrantsOfLeases) {
  for (const std::string_view ttl : kNoTtl) {
    expect_refused({{kPost, "/lease?ttl=" + std::string(ttl), {}, "", "400 ", "ttl"}});
  }
  expect_refused({
      {kPost, "/lease", {}, "", "400 ", "?ttl=30s"},
      {kPost, "/lease?", {}, "", "400 ", "?ttl=30s"},
      {kPost, "/lease?ttl", {}, "", "400 ", "'ttl' has no value"},
      {kPost, "/lease?ttl=30s&ttl=30s", {}, "", "400 ", "given twice"},
      {kPost, "/lease?ttl=30s&tt%6c=30s", {}, "", "400 ", "given twice"},
      {kPost, "/lease?TTL=30s", {}, "", "400 ", "TTL"},
      {kPost, "/lease?tll=30s", {}, "", "400 ", "tll"},
      {kPost, "/lease?ttl=30s&id=7", {}, "", "400 ", "id=7"},
      {kPost, "/lease?ttl=%zz", {}, "", "400 ", "percent-encoding"},
      {kPost, "/lease?ttl=" + std::string(10'000, '9'), {}, "", "400 ", "ttl"},
      {kPost, "/lease?ttl=30s", {}, R"({"id":7})", "400 ", "body"},
      {kPost, "/lease?ttl=30s", kSession, "", "400 ", "Anchor-Session"},
      {kPost, "/lease?ttl=30s", {{"Anchor-Session", "1"}}, "", "400 ", "Anchor-Sequence"},
      {kGet, "/lease?ttl=30s", {}, "", "400 ", "ttl is for POST"},
      {kHead, "/lease?ttl=30s", {}, "", "400 ", "ttl is for POST"},
      {kGet, "/lease?limit=3", {}, "", "400 ", "limit=3"},
      {kGet, "/lease", {}, "a body", "400 ", "body"},
      {kGet, "/lease", kSession, "", "400 ", "Anchor-Session"},
      {kPut, "/lease?ttl=30s", {}, "", "405 ", "GET, HEAD, POST"},
      {kDelete, "/lease", {}, "", "405 ", "GET, HEAD, POST"},
      {kOther, "/lease", {}, "", "405 ", "GET, HEAD, POST"},
      {kPost, "/leases?ttl=30s", {}, "", "404 ", "no such route"},
      {kPost, "/Lease?ttl=30s", {}, "", "404 ", "no such route"},
  });
}

TEST(BadInputInTime, InWhatIsAskedOfALease) {
  for (const HttpMethod method : {kGet, kHead, kPost, kDelete}) {
    const std::string end = method == kPost ? "/keepalive" : "";
    expect_refused({
        {method, "/lease/" + end, {}, "", "400 ", "'' is no lease's id"},
        {method, "/lease/one" + end, {}, "", "400 ", "'one'"},
        {method, "/lease/-1" + end, {}, "", "400 ", "'-1'"},
        {method, "/lease/+1" + end, {}, "", "400 ", "'+1'"},
        {method, "/lease/1.0" + end, {}, "", "400 ", "'1.0'"},
        {method, "/lease/%31" + end, {}, "", "400 ", "'%31'"},
        {method, "/lease/1/2" + end, {}, "", "400 ", "'1/2'"},
        {method, "/lease/1/" + end, {}, "", "400 ", "'1/'"},
        {method, "/lease/1%00" + end, {}, "", "400 ", "'1%00'"},
        {method, "/lease/18446744073709551616" + end, {}, "", "400 ", "18446744073709551616"},
        {method, "/lease/" + std::string(5000, '1') + end, {}, "", "400 ", "111...'"},
        {method, "/lease/1" + end + "?ttl=30s", {}, "", "400 ", "ttl=30s"},
        {method, "/lease/1" + end + "?force=true", {}, "", "400 ", "force"},
        {method, "/lease/1" + end, {}, "a body", "400 ", "body"},
        {method, "/lease/1" + end, kSession, "", "400 ", "Anchor-Session"},
    });
  }
  expect_refused({
      {kPost, "/lease/1", {}, "", "405 ", "GET, HEAD, DELETE"},
      {kGet, "/lease/1/keepalive", {}, "", "405 ", "POST"},
      {kDelete, "/lease/1/keepalive", {}, "", "405 ", "POST"},
      {kPost, "/lease/keepalive", {}, "", "405 ", "GET, HEAD, DELETE"},
      {kGet, "/lease/keepalive", {}, "", "400 ", "'keepalive'"},
      {kPost, "/lease/1/keepalive/", {}, "", "405 ", "GET, HEAD, DELETE"},
      {kGet, "/lease/1/keepalive/", {}, "", "400 ", "'1/keepalive/'"},
      {kGet, "/lease/0", {}, "", "400 ", "'0'"},
      {kGet, "/lease/9007199254740992", {}, "", "400 ", "'9007199254740992'"},
      {kPost, "/lease/1/keepalive/keepalive", {}, "", "400 ", "'1/keepalive'"},
      {kPost, "/lease/1/KeepAlive", {}, "", "405 ", "GET, HEAD, DELETE"},
      {kPut, "/lease/1", {}, "", "405 ", "GET, HEAD, DELETE"},
      {kPut, "/lease/1/keepalive", {}, "", "405 ", "POST"},
  });
}

TEST(BadInputInTime, InTheLeaseOfAKey) {
  for (const std::string_view ttl : kNoTtl) {
    expect_refused({
        {kPut, "/kv/a?ttl=" + std::string(ttl), {}, "v", "400 bad_parameter: ttl", ""},
        {kPost, "/kv/a?ttl=" + std::string(ttl), {}, "v", "400 bad_parameter: ttl", ""},
    });
  }
  for (const std::string_view id : kNoNumber) {
    expect_refused({
        {kPut, "/kv/a?lease=" + std::string(id), {}, "v", "400 bad_parameter", "lease's id"},
        {kPost, "/kv/a?lease=" + std::string(id), {}, "v", "400 bad_parameter", "lease's id"},
    });
  }
  expect_refused({
      {kPut, "/kv/a?ttl=30s&lease=1", {}, "v", "400 bad_parameter", "not both"},
      {kPut, "/kv/a?lease=1&ttl=30s", {}, "v", "400 bad_parameter", "not both"},
      {kPut, "/kv/a?lease=1&lease=1", {}, "v", "400 bad_parameter", "twice"},
      {kPut, "/kv/a?ttl=30s&ttl=30s", {}, "v", "400 bad_parameter", "twice"},
      {kPut, "/kv/a?Lease=1", {}, "v", "400 bad_parameter", "Lease=1"},
      {kPut, "/kv/?ttl=30s", {}, "v", "400 bad_key", "the key is empty"},
      {kGet, "/kv/a?lease=1", {}, "", "400 bad_parameter", "lease=1"},
      {kHead, "/kv/a?ttl=30s", {}, "", "400 bad_parameter", "ttl=30s"},
      {kDelete, "/kv/a?lease=1", {}, "", "400 bad_parameter", "lease=1"},
      {kDelete, "/kv/a?ttl=30s", {}, "", "400 bad_parameter", "ttl=30s"},
      {kDelete, "/kv/?prefix=a&lease=1", {}, "", "400 bad_parameter", "lease=1"},
      {kGet, "/kv/?prefix=a&ttl=30s", {}, "", "400 bad_parameter", "ttl=30s"},
  });
}

TEST(BadInputInTime, InTheLeaseOfATransactionsKey) {
  const auto refused = [](const std::string& operation, std::string_view names) {
    expect_refused({{kPost, "/txn", {}, R"({"success":[)" + operation + "]}", "400 ", names}});
  };
  for (const std::string_view lease :
       {"-1", "1.5", "1e300", "9007199254740992", "18446744073709551616", "null", "true", R"("7")",
        R"("30s")", "[7]", R"({"id":7})"}) {
    refused(R"({"op":"put","key":"a","value":"1","lease":)" + std::string(lease) + "}",
            "success[0].lease");
  }
  refused(R"({"op":"put","key":"a","value":"1","lease":7,"lease":7})", "lease");
  refused(R"({"op":"put","key":"a","value":"1","ttl":30})", "success[0].ttl");
  refused(R"({"op":"put","key":"a","value":"1","Lease":7})", "success[0].Lease");
  refused(R"({"op":"get","key":"a","lease":7})", "success[0].lease");
  refused(R"({"op":"delete","key":"a","lease":7})", "success[0].lease");
  expect_refused({{kPost, "/txn?lease=7", {}, "{}", "400 ", "lease=7"}});
}

TEST(BadInputInTime, InNamesOfLocks) {
  for (const auto& [method, query] :
       {std::pair<HttpMethod, std::string>{kPost, "?ttl=10s"}, {kDelete, "?token=1"}}) {
    std::string encoded;
    for (int i = 0; i <= 4000; ++i) encoded += "%6e";
    expect_refused({
        {method, "/lock/" + query, {}, "", "400 ", "1 to 4000 bytes"},
        {method, "/lock/" + std::string(4001, 'n') + query, {}, "", "400 ", "1 to 4000 bytes"},
        {method, "/lock/" + encoded + query, {}, "", "400 ", "1 to 4000 bytes"},
        {method, "/lock/%" + query, {}, "", "400 ", "percent-encoding"},
        {method, "/lock/a%4" + query, {}, "", "400 ", "percent-encoding"},
        {method, "/lock/%zz" + query, {}, "", "400 ", "percent-encoding"},
        {method, "/lock" + query, {}, "", "404 ", "no such route"},
        {method, "/LOCK/a" + query, {}, "", "404 ", "no such route"},
        {method, "/lock/a" + query, {}, "a body", "400 ", "body"},
        {method, "/lock/a" + query, kSession, "", "400 ", "Anchor-Session"},
        {method, "/lock/a" + query + "&owner=me", {}, "", "400 ", "owner=me"},
    });
  }
  for (const HttpMethod method : {kGet, kHead, kPut, kOther}) {
    expect_refused({{method, "/lock/a?ttl=10s", {}, "", "405 ", "POST, DELETE"}});
  }
}

TEST(BadInputInTime, InRequestsForLocks) {
  for (const std::string_view ttl : kNoTtl) {
    expect_refused({{kPost, "/lock/a?ttl=" + std::string(ttl), {}, "", "400 ", "ttl"}});
  }
  for (const std::string_view wait : {"", "5", "-1s", "1.5s", "1d", "for%20ever", "%00", "3601s",
                                      "61m", "2h", "1000000001us", "99999999999999999999s"}) {
    expect_refused({{kPost, "/lock/a?ttl=10s&wait=" + std::string(wait), {}, "", "400 ", "wait"}});
  }
  for (const std::string_view token : kNoNumber) {
    expect_refused({{kDelete, "/lock/a?token=" + std::string(token), {}, "", "400 ", "token"}});
  }
  expect_refused({
      {kPost, "/lock/a", {}, "", "400 ", "?ttl=10s"},
      {kPost, "/lock/a?wait=1s", {}, "", "400 ", "?ttl=10s"},
      {kPost, "/lock/a?ttl=10s&ttl=10s", {}, "", "400 ", "twice"},
      {kPost, "/lock/a?ttl=10s&wait=1s&wait=1s", {}, "", "400 ", "twice"},
      {kPost, "/lock/a?ttl=10s&wait", {}, "", "400 ", "'wait' has no value"},
      {kPost, "/lock/a?ttl=10s&Wait=1s", {}, "", "400 ", "Wait=1s"},
      {kPost, "/lock/a?ttl=10s&token=1", {}, "", "400 ", "token=1"},
      {kDelete, "/lock/a", {}, "", "400 ", "?token="},
      {kDelete, "/lock/a?token", {}, "", "400 ", "'token' has no value"},
      {kDelete, "/lock/a?token=1&token=1", {}, "", "400 ", "twice"},
      {kDelete, "/lock/a?token=1&ttl=10s", {}, "", "400 ", "ttl=10s"},
      {kDelete, "/lock/a?token=1&wait=1s", {}, "", "400 ", "wait=1s"},
  });
}

TEST(BadInputInTime, InWatches) {
  for (const std::string_view from : kNoNumber) {
    expect_refused({{kGet, "/watch?key=a&from=" + std::string(from), {}, "", "400 ", "from"}});
  }
  // 2^53 - 1 has none behind it.
  for (const std::string_view id : {"0", "-1", "x", "1, 2", "\"1\"", "9007199254740991"}) {
    expect_refused({{kGet, "/watch?key=a", {{"Last-Event-ID", id}}, "", "400 ", "Last-Event-ID"}});
  }
  expect_refused({
      {kGet, "/watch", {}, "", "400 ", "key or prefix"},
      {kGet, "/watch?from=1", {}, "", "400 ", "key or prefix"},
      {kGet, "/watch?key=a&prefix=a", {}, "", "400 ", "not for both"},
      {kGet, "/watch?prefix=&key=a", {}, "", "400 ", "not for both"},
      {kGet, "/watch?key=a&key=b", {}, "", "400 ", "twice"},
      {kGet, "/watch?prefix=a&prefix=b", {}, "", "400 ", "twice"},
      {kGet, "/watch?key=a&from=1&from=1", {}, "", "400 ", "twice"},
      {kGet, "/watch?key=", {}, "", "400 ", "the key is empty"},
      {kGet, "/watch?key", {}, "", "400 ", "'key' has no value"},
      {kGet, "/watch?key=%zz", {}, "", "400 ", "percent-encoding"},
      {kGet, "/watch?key=" + kLongKey, {}, "", "400 ", "4096"},
      {kGet, "/watch?prefix=" + kLongKey, {}, "", "400 ", "4096"},
      {kGet, "/watch?Key=a", {}, "", "400 ", "Key=a"},
      {kGet, "/watch?key=a&form=1", {}, "", "400 ", "form=1"},
      {kGet, "/watch?key=a&prev=1", {}, "", "400 ", "prev"},
      {kGet, "/watch?key=a&prev=", {}, "", "400 ", "prev"},
      {kGet, "/watch?key=a&progress=yes", {}, "", "400 ", "progress"},
      {kGet, "/watch?key=a&limit=3", {}, "", "400 ", "limit=3"},
      {kGet, "/watch?key=a&start=a&end=b", {}, "", "400 ", "start=a"},
      {kGet, "/watch?key=a", {}, "a body", "400 ", "body"},
      {kGet, "/watch?key=a", kSession, "", "400 ", "Anchor-Session"},
      {kGet,
       "/watch?key=a",
       {{"Last-Event-ID", "1"}, {"last-event-id", "1"}},
       "",
       "400 ",
       "given twice"},
      {kGet, "/watch/a", {}, "", "404 ", "no such route"},
  });
  for (const HttpMethod method : {kHead, kPut, kPost, kDelete, kOther}) {
    expect_refused({{method, "/watch?key=a", {}, "", "405 ", "GET"}});
  }
}

}  // namespace
}  // namespace anchor::server
