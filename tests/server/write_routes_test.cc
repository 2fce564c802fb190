#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/kv/store.h"
#include "tests/server/routes.h"

// Transactions, sessions and settings.
namespace anchor::server {
namespace {

kv::Transaction transaction_of(std::string_view body) {
  const KvRequest request = parse_kv(HttpMethod::kPost, "/txn", {}, body);
  return std::get<kv::Transaction>(std::get<kv::Command>(request.body).body);
}

std::string refused(std::string_view body) {
  return refusal(HttpMethod::kPost, "/txn", {}, body);
}

TEST(TransactionRoutes, ABodyBecomesATransaction) {
  const kv::Transaction transaction = transaction_of(R"({
    "compare": [{"key":"a","target":"mod_revision","op":"=","value":3},
                {"key":"/w==","key_encoding":"base64","target":"value","op":">","value":"x"},
                {"key":"c","target":"exists","op":"=","value":true}],
    "success": [{"op":"put","key":"a","value":"2","prev":true},
                {"op":"delete","key":"b"}, {"op":"get","prefix":"c/","limit":10,"keys":true}],
    "failure": [{"op":"get","start":"a","end":"b","reverse":true}, {"op":"delete","prefix":"d/"}]
  })");
  ASSERT_EQ(transaction.compare.size(), 3U);
  EXPECT_EQ(transaction.compare[0], (kv::Compare{"a", kv::CompareTarget::kModRevision,
                                                 kv::CompareOperator::kEqual, std::uint64_t{3}}));
  EXPECT_EQ(transaction.compare[1],
            (kv::Compare{"\xff", kv::CompareTarget::kValue, kv::CompareOperator::kGreater,
                         Bytes::copy_of("x")}));
  EXPECT_EQ(transaction.compare[2], (kv::Compare{"c", kv::CompareTarget::kExists,
                                                 kv::CompareOperator::kEqual, std::uint64_t{1}}));
  ASSERT_EQ(transaction.success.size(), 3U);
  EXPECT_EQ(transaction.success[0],
            kv::Operation(kv::PutOperation{"a", Bytes::copy_of("2"), true}));
  EXPECT_EQ(transaction.success[1],
            kv::Operation(kv::DeleteOperation{kv::KeyRange::of_key("b"), false}));
  EXPECT_EQ(transaction.success[2],
            kv::Operation(kv::GetOperation{kv::KeyRange::of_prefix("c/"), 10, true, false}));
  ASSERT_EQ(transaction.failure.size(), 2U);
  EXPECT_EQ(transaction.failure[0],
            kv::Operation(kv::GetOperation{kv::KeyRange{"a", "b"}, 0, false, true}));
  EXPECT_EQ(transaction.failure[1],
            kv::Operation(kv::DeleteOperation{kv::KeyRange::of_prefix("d/"), false}));
}

std::string error_of(std::string_view refusal) {
  const auto begin = refusal.find("\"error\":\"") + 9;
  return std::string(refusal.substr(begin, refusal.find("\",\"code\"") - begin));
}

TEST(TransactionRoutes, WhatIsWrongWithABodyIsNamed) {
  struct Case {
    const char* body;
    const char* error;
  };
  const Case cases[] = {
      {"[]", "the body is no JSON object"},
      {"{", "the body is no JSON"},
      {R"({"compares":[]})", "the field 'compares' is unknown"},
      {R"({"success":{}})", "the field 'success' is no array"},
      {R"({"success":[3]})", "success[0] is no JSON object"},
      {R"({"success":[{"op":"put","key":"a"}]})", "the field 'success[0].value': is missing"},
      {R"({"success":[{"op":"put","value":"a"}]})", "the field 'success[0].key': is missing"},
      {R"({"success":[{"op":"put","key":"a","value":"1","ttl":3}]})",
       "the field 'success[0].ttl' is unknown"},
      {R"({"success":[{"op":"put","key":"","value":"1"}]})",
       "success[0]: a key must have 1 to 4096 bytes"},
      {R"({"success":[{"op":"move"}]})",
       "the field 'success[0].op': must be one of put, delete, get"},
      {R"({"failure":[{"op":"get","key":"a","limit":0}]})",
       "the field 'failure[0].limit': must be above 0"},
      {R"({"failure":[{"op":"get"}]})", "the field 'failure[0].key': is missing"},
      {R"({"failure":[{"op":"get","key":"a","prefix":"b"}]})",
       "the field 'failure[0].key': stands beside prefix, start or end: which keys are meant?"},
      {R"({"compare":[{"key":"a","target":"size","op":"=","value":3}]})",
       "the field 'compare[0].target': must be one of version, create_revision, mod_revision, "
       "lease, value, exists"},
      {R"({"compare":[{"key":"a","target":"version","op":"==","value":3}]})",
       "the field 'compare[0].op': must be one of =, !=, <, >"},
      {R"({"compare":[{"key":"a","target":"version","op":"=","value":"3"}]})",
       "the field 'compare[0].value' is no whole number from 0 to 2^53 - 1"},
      {R"({"compare":[{"key":"a","target":"exists","op":"<","value":true}]})",
       "compare[0]: that a key exists is compared by = or !="},
      {R"({"success":[{"op":"put","key":"a","value":"1"},{"op":"delete","prefix":""}]})",
       "success[1]: a key is written twice, since success[0] writes it"},
      {R"({"success":[{"op":"delete","start":"a"}]})",
       "the field 'success[0].start': stands without end: a delete takes all keys that it names"},
      {R"({"success":[{"op":"delete","prefix":null}]})", "the field 'success[0].prefix' is null"},
      {R"({"success":null})", "the field 'success' is null"},
      {R"({"success":[{"op":"put","key":"%%","key_encoding":"base64","value":"1"}]})",
       "the field 'success[0].key' is no base64"},
  };
  for (const Case& bad : cases) EXPECT_EQ(error_of(refused(bad.body)), bad.error) << bad.body;
  std::string many = R"({"success":[)";
  for (int i = 0; i < 129; ++i) {
    many += (i > 0 ? "," : "") + (R"({"op":"get","key":"k)" + std::to_string(i)) + R"("})";
  }
  EXPECT_EQ(error_of(refused(many + "]}")),
            "a transaction has at most 128 comparisons and operations");
}

TEST(TransactionRoutes, AnAnswerHasTheDocumentedShape) {
  kv::Store store;
  store.apply(kv::Put{"a", Bytes::copy_of("1"), kv::Always{}});
  const KvRequest request = parse_kv(HttpMethod::kPost, "/txn", {}, R"({
    "success": [{"op":"put","key":"a","value":"2","prev":true}, {"op":"put","key":"b","value":"3"},
                {"op":"get","prefix":"","limit":1}, {"op":"delete","key":"c"}]})");
  const auto result = store.apply(std::get<kv::Command>(request.body));
  const std::string item = R"("create_revision":2,"mod_revision":)";
  EXPECT_EQ(body_of(render(WriteApplied{result}, request.answer, std::nullopt)),
            R"({"revision":3,"succeeded":true,"results":[)"
            R"({"op":"put","prev":{"key":"a","value":"1",)" +
                item +
                R"(2,"version":1,"lease":0}},)"
                R"({"op":"put"},)"
                R"({"op":"get","kvs":[{"key":"a","value":"2",)" +
                item +
                R"(3,"version":2,"lease":0}],)"
                R"("count":2,"more":true},)"
                R"({"op":"delete","deleted":0}]})"
                "\n");
}

TEST(SessionRoutes, WritesCarryTheirSessionAndNumber) {
  const Headers headers{{"Anchor-Session", "7"}, {"Anchor-Sequence", "3"}};
  const auto session_of = [&](HttpMethod method, std::string_view target, std::string_view body) {
    return std::get<kv::Command>(parse_kv(method, target, headers, body).body).session;
  };
  const kv::SessionWrite expected{kv::SessionId(7), 3};
  EXPECT_EQ(session_of(HttpMethod::kPut, "/kv/a", "1"), expected);
  EXPECT_EQ(session_of(HttpMethod::kDelete, "/kv/a", ""), expected);
  EXPECT_EQ(session_of(HttpMethod::kDelete, "/kv/?prefix=a", ""), expected);
  EXPECT_EQ(session_of(HttpMethod::kPost, "/txn", "{}"), expected);
}

TEST(SessionRoutes, OpenAndClose) {
  const KvRequest open = parse_kv(HttpMethod::kPost, "/session");
  EXPECT_EQ(std::get<kv::Command>(open.body), kv::Command(kv::OpenSession{}));
  EXPECT_EQ(body_of(render(WriteApplied{kv::SessionOpened{kv::SessionId(12), 600s}}, open.answer,
                           std::nullopt)),
            "{\"id\":12,\"ttl_ms\":600000}\n");
  const KvRequest close = parse_kv(HttpMethod::kDelete, "/session/12");
  EXPECT_EQ(std::get<kv::Command>(close.body), kv::Command(kv::CloseSession{kv::SessionId(12)}));
  EXPECT_TRUE(refusal(HttpMethod::kDelete, "/session/x").starts_with("400"));
  EXPECT_TRUE(refusal(HttpMethod::kGet, "/session").starts_with("405"));
  EXPECT_TRUE(refusal(HttpMethod::kPost, "/session/12").starts_with("405"));
}

TEST(WriteRoutes, EachOutcomeHasItsStatusAndCode) {
  struct Case {
    kv::CommandResult result;
    int status;
    const char* code;
  };
  const Case cases[] = {{kv::OverQuota{}, 507, "no_space"},
                        {kv::SessionUnknown{}, 404, "not_found"},
                        {kv::SessionExpired{}, 410, "session_expired"},
                        {kv::SessionOutOfOrder{4}, 409, "session_order"},
                        {kv::SessionsFull{}, 429, "overloaded"},
                        {kv::ResultTooLarge{}, 413, "too_large"}};
  for (const Case& each : cases) {
    const HttpResponse response = render(WriteApplied{each.result}, {}, std::nullopt);
    EXPECT_EQ(response.status, each.status) << each.code;
    EXPECT_TRUE(body_of(response).starts_with(std::string(each.code) + ": ")) << each.code;
  }
}

TEST(SettingsRoutes, SomeAreChangedAndAllAreShown) {
  const KvRequest request =
      parse_kv(HttpMethod::kPut, "/settings", {}, R"({"quota_bytes":1048576,"session_count":5})");
  EXPECT_EQ(std::get<kv::Command>(request.body),
            kv::Command(kv::ChangeSettings{{{"quota_bytes", 1 << 20}, {"session_count", 5}}}));
  kv::Store store;
  const auto result = store.apply(std::get<kv::Command>(request.body));
  EXPECT_EQ(body_of(render(WriteApplied{result}, request.answer, std::nullopt)),
            "{\"history_revisions\":100000,\"history_bytes\":67108864,\"quota_bytes\":1048576,"
            "\"session_ttl_ms\":600000,\"session_count\":5,\"lease_count\":1000000,"
            "\"feature_level\":1}\n");
  EXPECT_EQ(error_of(refusal(HttpMethod::kPut, "/settings", {}, R"({"quota":1})")),
            "the field 'quota' is unknown");
  EXPECT_EQ(error_of(refusal(HttpMethod::kPut, "/settings", {}, R"({"session_count":0})")),
            "the field 'session_count': must be from 1 to 100000");
}

}  // namespace
}  // namespace anchor::server
