#include "server/routes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/status_json.h"
#include "tests/server/routes.h"

namespace anchor::server {
namespace {

TEST(Routes, TheKeyIsAllOfThePathDecodedOnceAndNothingElse) {
  EXPECT_EQ(key_of("/kv/a"), "a");
  EXPECT_EQ(key_of("/kv/a/b//c/"), "a/b//c/");
  EXPECT_EQ(key_of("/kv/../x"), "../x");
  EXPECT_EQ(key_of("/kv/a+b"), "a+b");
  EXPECT_EQ(key_of("/kv/a%20b%2Bc%2fd"), "a b+c/d");
  EXPECT_EQ(key_of("/kv/%2541"), "%41");
  EXPECT_EQ(key_of("/kv/%00%ff"), std::string("\0\xff", 2));
  EXPECT_EQ(key_of("/kv/a%3Fb?redirect=false"), "a?b");
  EXPECT_EQ(key_of("/kv//kv/"), "/kv/");
  EXPECT_EQ(key_of("/kv/" + std::string(4096, 'k')).size(), 4096U);
}

TEST(Routes, BadKeysAreRefused) {
  for (const auto* target : {"/kv/%", "/kv/%1", "/kv/a%zz", "/kv/%+1", "/kv/% 1", "/kv/%-1"}) {
    EXPECT_EQ(refusal(HttpMethod::kGet, target),
              "400 bad_key: the key has a bad percent-encoding\n")
        << target;
  }
  EXPECT_EQ(refusal(HttpMethod::kPut, "/kv/"), "400 bad_key: the key is empty\n");
  EXPECT_EQ(refusal(HttpMethod::kDelete, "/kv/"),
            "400 bad_key: the key is empty; to delete many keys, say which: ?prefix=, or start and "
            "end\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/"),
            "400 bad_key: the key is empty; to list keys, say which: ?prefix=, or start and end\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/" + std::string(4097, 'k')),
            "400 bad_key: a key has at most 4096 bytes\n");
}

TEST(Routes, AWriteCarriesItsValueAndItsCondition) {
  const kv::Put plain = parse_put("/kv/a");
  EXPECT_EQ(plain.key, "a");
  EXPECT_EQ(plain.value.text(), "v");
  EXPECT_EQ(plain.condition, kv::Condition(kv::Always{}));
  EXPECT_FALSE(plain.want_previous);
  EXPECT_TRUE(parse_put("/kv/a?prev=true").want_previous);
  EXPECT_EQ(parse_put("/kv/a", {}, "").value.size(), 0U);
  EXPECT_TRUE(
      std::holds_alternative<kv::Command>(parse_kv(HttpMethod::kPost, "/kv/a", {}, "v").body));

  const kv::Condition at_five = kv::IfModRevision{kv::Revision(5)};
  EXPECT_EQ(parse_put("/kv/a?cas=5").condition, at_five);
  EXPECT_EQ(parse_put("/kv/a?cas=0").condition, kv::Condition(kv::IfAbsent{}));
  EXPECT_EQ(parse_put("/kv/a", {{"if-match", "\"5\""}}).condition, at_five);
  EXPECT_EQ(parse_put("/kv/a", {{"If-Match", "*"}}).condition, kv::Condition(kv::IfPresent{}));
  EXPECT_EQ(parse_put("/kv/a", {{"If-None-Match", "*"}}).condition, kv::Condition(kv::IfAbsent{}));
  EXPECT_EQ(parse_delete("/kv/a?cas=5&prev=true").condition, at_five);
  EXPECT_TRUE(parse_delete("/kv/a?prev=true").want_previous);
}

TEST(Routes, ParametersThatMeanNothingAreRefusedByName) {
  struct Case {
    HttpMethod method;
    std::string_view target;
    std::string_view answer;
  };
  const std::vector<Case> cases = {
      {HttpMethod::kGet, "/kv/a?x=1", "400 bad_parameter: the parameter 'x=1' is unknown to GET\n"},
      {HttpMethod::kGet, "/kv/a?cas=1",
       "400 bad_parameter: the parameter 'cas=1' is unknown to GET\n"},
      {HttpMethod::kGet, "/kv/a?prev=true",
       "400 bad_parameter: the parameter 'prev=true' is unknown to GET\n"},
      {HttpMethod::kPut, "/kv/a?consistency=linearizable",
       "400 bad_parameter: the parameter 'consistency=linearizable' is unknown to PUT\n"},
      {HttpMethod::kPut, "/kv/a?min_revision=1",
       "400 bad_parameter: the parameter 'min_revision=1' is unknown to PUT\n"},
      {HttpMethod::kGet, "/kv/a?min_revision=x",
       "400 bad_parameter: min_revision must be a revision\n"},
      {HttpMethod::kGet, "/kv/a?consistency=stale&max_staleness=5",
       "400 bad_parameter: max_staleness must be a duration such as 500ms or 5s\n"},
      {HttpMethod::kGet, "/kv/a?max_staleness=1s",
       "400 bad_parameter: max_staleness is for consistency=stale; other reads are never stale\n"},
      {HttpMethod::kGet, "/kv/a?consistency=lease&max_staleness=1s",
       "400 bad_parameter: max_staleness is for consistency=stale; other reads are never stale\n"},
      {HttpMethod::kGet, "/kv/a?consistency=linearisable",
       "400 bad_parameter: consistency must be linearizable, lease or stale\n"},
      {HttpMethod::kGet, "/kv/a?revision=0",
       "400 bad_parameter: revision must be a revision: a number above 0\n"},
      {HttpMethod::kPut, "/kv/a?revision=3",
       "400 bad_parameter: the parameter 'revision=3' is unknown to PUT\n"},
      {HttpMethod::kPut, "/kv/a?ttl=3s&lease=7",
       "400 bad_parameter: a key has one lease: lease or ttl, not both\n"},
      {HttpMethod::kGet, "/kv/a?redirect=true&redirect=true",
       "400 bad_parameter: the parameter 'redirect=true' is given twice\n"},
      {HttpMethod::kPut, "/kv/a?cas=1&%63as=2",
       "400 bad_parameter: the parameter '%63as=2' is given twice\n"},
      {HttpMethod::kGet, "/kv/a?redirect",
       "400 bad_parameter: the parameter 'redirect' has no value\n"},
      {HttpMethod::kGet, "/kv/a?redirect=true&&",
       "400 bad_parameter: the parameter '' has no value\n"},
      {HttpMethod::kGet, "/kv/a?redirect=%4",
       "400 bad_parameter: the parameter 'redirect=%4' has a bad percent-encoding\n"},
      {HttpMethod::kGet, "/kv/a?redirect=yes",
       "400 bad_parameter: redirect must be true or false\n"},
      {HttpMethod::kPut, "/kv/a?prev=1", "400 bad_parameter: prev must be true or false\n"},
      {HttpMethod::kPut, "/kv/a?prev=", "400 bad_parameter: prev must be true or false\n"},
  };
  for (const Case& bad : cases) {
    EXPECT_EQ(refusal(bad.method, bad.target, {}, ""), bad.answer) << bad.target;
  }
  for (const std::string_view cas :
       {"", "-1", "+1", "x", "1x", " 1", "0x1", "9007199254740992", "18446744073709551617"}) {
    EXPECT_EQ(refusal(HttpMethod::kPut, "/kv/a?cas=" + std::string(cas)),
              "400 bad_parameter: cas must be a revision, or 0 for a key to be created\n");
  }
}

TEST(Routes, HeadersThatMeanNothingAreRefused) {
  const auto put = [](const Headers& headers, std::string_view target = "/kv/a") {
    return refusal(HttpMethod::kPut, target, headers);
  };
  const std::string bad_if_match =
      "400 bad_request: If-Match must be * or one revision in double quotes\n";
  for (const std::string_view tag :
       {"", "5", "\"", "\"\"", "\"x\"", "\"0\"", "W/\"5\"", "\"5\", \"6\"", "*, \"5\""}) {
    EXPECT_EQ(put({{"If-Match", tag}}), bad_if_match) << tag;
  }
  EXPECT_EQ(put({{"If-Match", "\"5\""}, {"if-match", "\"5\""}}),
            "400 bad_request: the header If-Match is given twice\n");
  EXPECT_EQ(put({{"If-None-Match", "\"5\""}}),
            "400 bad_request: If-None-Match of a write must be *\n");
  const std::string two =
      "400 bad_request: a write has one condition: cas, If-Match or If-None-Match\n";
  EXPECT_EQ(put({{"If-Match", "*"}, {"If-None-Match", "*"}}), two);
  EXPECT_EQ(put({{"If-Match", "\"5\""}}, "/kv/a?cas=5"), two);
  const std::string half =
      "400 bad_request: Anchor-Session and Anchor-Sequence go together; one is missing\n";
  EXPECT_EQ(put({{"Anchor-Session", "1"}}), half);
  EXPECT_EQ(put({{"Anchor-Sequence", "1"}}), half);
  EXPECT_EQ(put({{"Anchor-Session", "x"}, {"Anchor-Sequence", "1"}}),
            "400 bad_request: Anchor-Session must be a session's id\n");
  EXPECT_EQ(put({{"Anchor-Session", "1"}, {"Anchor-Sequence", "0"}}),
            "400 bad_request: Anchor-Sequence must be a number above 0\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/a", {{"Anchor-Session", "1"}, {"Anchor-Sequence", "1"}}),
            "400 bad_request: Anchor-Session is for writes: reads may be repeated as they are\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/a", {{"If-Match", "\"5\""}}),
            "400 bad_request: If-Match is for writes\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/a", {{"X-Consistency", "Stale"}}),
            "400 bad_parameter: X-Consistency must be linearizable, lease or stale\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/a?consistency=lease", {{"X-Consistency", "stale"}}),
            "400 bad_parameter: consistency and X-Consistency differ\n");
  EXPECT_EQ(refusal(HttpMethod::kGet, "/kv/a", {}, "body"), "400 bad_request: GET takes no body\n");
  EXPECT_EQ(refusal(HttpMethod::kDelete, "/kv/a", {}, "body"),
            "400 bad_request: DELETE takes no body\n");
}

TEST(Routes, UnknownRoutesAndMethodsAreSaidToBeSo) {
  for (const auto* target : {"/", "/kv", "/KV/a", "//kv/a", "/status/", "/metrics", "/kv%2fa"}) {
    const auto response = std::get<HttpResponse>(parse(HttpMethod::kGet, target));
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(nlohmann::json::parse(body_of(response))["code"], "not_found");
  }
  const auto other = std::get<HttpResponse>(parse(HttpMethod::kOther, "/kv/a"));
  EXPECT_EQ(other.status, 405);
  EXPECT_TRUE(has_line(other, "Allow: GET, HEAD, PUT, POST, DELETE"));
  for (const auto* target : {"/status", "/livez", "/readyz", "/health"}) {
    const auto response = std::get<HttpResponse>(parse(HttpMethod::kPost, target));
    EXPECT_EQ(response.status, 405) << target;
    EXPECT_TRUE(has_line(response, "Allow: GET, HEAD"));
  }
}

TEST(Routes, StatusAndHealthAreTheirOwnRequests) {
  EXPECT_TRUE(std::holds_alternative<StatusRequest>(parse(HttpMethod::kGet, "/status")));
  EXPECT_TRUE(refusal(HttpMethod::kGet, "/status?x=1").starts_with("400 {"));
  const auto health = [](std::string_view target) {
    return std::get<HealthRequest>(parse(HttpMethod::kGet, target));
  };
  EXPECT_EQ(health("/livez").kind, HealthRequest::Kind::kLive);
  EXPECT_EQ(health("/readyz").kind, HealthRequest::Kind::kReady);
  EXPECT_EQ(health("/health").kind, HealthRequest::Kind::kReady);
  EXPECT_EQ(health("/readyz?exclude=leader,storage").excluded,
            (std::vector<std::string>{"leader", "storage"}));
  EXPECT_TRUE(refusal(HttpMethod::kGet, "/readyz?exclude=a&exclude=b").starts_with("400 {"));
  EXPECT_TRUE(refusal(HttpMethod::kGet, "/readyz?verbose=true").starts_with("400 {"));
}

TEST(Routes, AWriteIsAnsweredWithItsRevision) {
  KvAnswer answer{.kind = KvAnswer::Kind::kPut};
  const auto put = render(WriteApplied{kv::PutDone{kv::Revision(7), {}}}, answer, kLeader);
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(body_of(put), "OK\n");
  EXPECT_TRUE(has_line(put, "ETag: \"7\""));
  EXPECT_TRUE(has_line(put, "Anchor-Revision: 7"));
  EXPECT_FALSE(put.header_lines.contains("X-Raft-Leader"));

  answer.kind = KvAnswer::Kind::kDelete;
  const auto gone =
      render(WriteApplied{kv::DeleteDone{kv::Revision(8), true, {}}}, answer, kLeader);
  EXPECT_EQ(body_of(gone), "OK\n");
  EXPECT_TRUE(has_line(gone, "Anchor-Deleted: 1"));
  const auto none =
      render(WriteApplied{kv::DeleteDone{kv::Revision(8), false, {}}}, answer, kLeader);
  EXPECT_EQ(none.status, 200);
  EXPECT_TRUE(has_line(none, "Anchor-Deleted: 0"));
}

TEST(Routes, AWriteThatAsksForItIsToldWhatWasThere) {
  const KvAnswer answer{.kind = KvAnswer::Kind::kPut, .want_previous = true};
  const auto put =
      render(WriteApplied{kv::PutDone{kv::Revision(7), item("a", "old")}}, answer, kLeader);
  EXPECT_EQ(body_of(put),
            "{\"revision\":7,\"prev\":{\"key\":\"a\",\"value\":\"old\",\"create_revision\":2,"
            "\"mod_revision\":5,\"version\":3,\"lease\":0}}\n");
  EXPECT_TRUE(has_line(put, "Content-Type: application/json"));
  EXPECT_EQ(body_of(render(WriteApplied{kv::PutDone{kv::Revision(7), {}}}, answer, kLeader)),
            "{\"revision\":7,\"prev\":null}\n");
  const auto binary = nlohmann::json::parse(
      body_of(render(WriteApplied{kv::DeleteDone{kv::Revision(9), true, item("\xff", "\xfe")}},
                     {.kind = KvAnswer::Kind::kDelete, .want_previous = true}, kLeader)));
  EXPECT_EQ(binary["deleted"], 1);
  EXPECT_EQ(binary["prev"]["key"], "/w==");
  EXPECT_EQ(binary["prev"]["key_encoding"], "base64");
  EXPECT_EQ(binary["prev"]["value"], "/g==");
  EXPECT_EQ(binary["prev"]["encoding"], "base64");
}

TEST(Routes, AFailedConditionCarriesTheCurrentRevision) {
  const kv::ConditionFailed failed{kv::Revision(9), kv::Revision(5)};
  const auto line = render(WriteApplied{failed}, {.kind = KvAnswer::Kind::kPut}, kLeader);
  EXPECT_EQ(line.status, 412);
  EXPECT_EQ(body_of(line), "condition_failed: the key's revision is 5\n");
  EXPECT_TRUE(has_line(line, "ETag: \"5\""));
  EXPECT_TRUE(has_line(line, "Anchor-Revision: 9"));
  const auto absent = render(WriteApplied{kv::ConditionFailed{kv::Revision(9), {}}},
                             {.kind = KvAnswer::Kind::kPut}, kLeader);
  EXPECT_TRUE(has_line(absent, "ETag: \"0\""));
}

TEST(Routes, AReadIsTheValueByteForByte) {
  const ReadDone done{item("a", "v\n"), kv::Revision(9), raft::Index(12)};
  const auto response = render(done, {}, kLeader);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(body_of(response), "v\n");
  for (const auto* line :
       {"Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; sandbox", "ETag: \"5\"", "Anchor-Revision: 9",
        "Anchor-Create-Revision: 2", "Anchor-Version: 3", "Anchor-Lease: 0",
        "X-Applied-Index: 12"}) {
    EXPECT_TRUE(has_line(response, line)) << line;
  }
  const auto binary =
      render(ReadDone{item("a", "\xff"), kv::Revision(9), raft::Index(12)}, {}, kLeader);
  EXPECT_TRUE(has_line(binary, "Content-Type: application/octet-stream"));
}

TEST(Routes, AMissingKeyIsNotFound) {
  const auto response = render(ReadDone{{}, kv::Revision(9), raft::Index(12)}, {}, std::nullopt);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(body_of(response), "not_found: no such key\n");
  EXPECT_TRUE(has_line(response, "Anchor-Revision: 9"));
}

TEST(Routes, AClientThatHasTheValueIsNotSentItAgain) {
  const ReadDone done{item("a", "v"), kv::Revision(9), raft::Index(12)};
  const auto status = [&](std::string_view tags) {
    const auto request = parse_kv(HttpMethod::kGet, "/kv/a", {{"If-None-Match", tags}});
    return render(done, request.answer, kLeader).status;
  };
  EXPECT_EQ(status("\"5\""), 304);
  EXPECT_EQ(status("W/\"5\""), 304);
  EXPECT_EQ(status("\"4\" , \"5\""), 304);
  EXPECT_EQ(status("*"), 304);
  EXPECT_EQ(status("\"4\""), 200);
  EXPECT_EQ(status("\"abc\""), 200);
  EXPECT_EQ(status("5"), 200);
  const auto request = parse_kv(HttpMethod::kGet, "/kv/a", {{"If-None-Match", "*"}});
  const auto missing = render(ReadDone{}, request.answer, kLeader);
  EXPECT_EQ(missing.status, 404);
}

TEST(Routes, AClientCanTellNotAppliedFromUnknown) {
  const KvAnswer line{.kind = KvAnswer::Kind::kPut};
  const KvAnswer json{.kind = KvAnswer::Kind::kPut, .error_style = ErrorStyle::kJson};

  const auto no_leader = render(NotApplied{Refusal::kNoLeader}, json, std::nullopt);
  EXPECT_EQ(no_leader.status, 503);
  EXPECT_TRUE(has_line(no_leader, "Retry-After: 1"));
  auto body = nlohmann::json::parse(body_of(no_leader));
  EXPECT_EQ(body["code"], "no_leader");
  EXPECT_EQ(body["outcome"], "not_applied");
  EXPECT_TRUE(body["leader"].is_null());
  EXPECT_EQ(body["retry_after_ms"], 500);

  const auto overloaded = render(NotApplied{Refusal::kOverloaded}, json, kLeader);
  EXPECT_EQ(overloaded.status, 503);
  EXPECT_TRUE(has_line(overloaded, "X-Raft-Leader: n1"));
  body = nlohmann::json::parse(body_of(overloaded));
  EXPECT_EQ(body["code"], "overloaded");
  EXPECT_EQ(body["leader"]["id"], "n1");
  EXPECT_EQ(body["leader"]["http_address"], "10.0.0.1:8001");

  const auto unknown = render(OutcomeUnknown{}, json, kLeader);
  EXPECT_EQ(unknown.status, 504);
  EXPECT_FALSE(unknown.header_lines.contains("X-Raft-Leader"));
  EXPECT_EQ(nlohmann::json::parse(body_of(unknown))["outcome"], "unknown");
  EXPECT_EQ(body_of(render(OutcomeUnknown{}, line, kLeader)),
            "unknown_outcome: the write may or may not be applied, now or later\n");
  // A read changes nothing, whoever answers it.
  EXPECT_EQ(render(OutcomeUnknown{}, KvAnswer{}, kLeader).status, 503);
}

TEST(Routes, ARedirectKeepsTheTargetButForItself) {
  const auto location = [](std::string_view target) {
    const auto request = parse_kv(HttpMethod::kPut, target, {}, "v");
    return render_redirect(request, kLeader).header_lines;
  };
  EXPECT_TRUE(
      location("/kv/a%20b?redirect=true").contains("Location: http://10.0.0.1:8001/kv/a%20b\r\n"));
  EXPECT_TRUE(location("/kv/a?cas=5&redirect=true&prev=true")
                  .contains("Location: http://10.0.0.1:8001/kv/a?cas=5&prev=true\r\n"));
  EXPECT_TRUE(location("/kv/a?redirect=true").contains("X-Raft-Leader: n1\r\n"));
  EXPECT_FALSE(parse_kv(HttpMethod::kGet, "/kv/a?redirect=false").redirect_target);

  const auto request = parse_kv(HttpMethod::kGet, "/kv/a?redirect=true");
  EXPECT_EQ(render_redirect(request, std::nullopt).status, 503);
}

TEST(Routes, ErrorsUnderKvAreALineUnlessTheClientAcceptsJson) {
  const auto is_json = [](std::string_view accept) {
    return refusal(HttpMethod::kGet, "/kv/", {{"Accept", accept}}).contains("{\"error\":");
  };
  EXPECT_TRUE(is_json("application/json"));
  EXPECT_TRUE(is_json("text/html, Application/JSON ;q=0.5"));
  EXPECT_FALSE(is_json("*/*"));
  EXPECT_FALSE(is_json("application/jsonp"));
  EXPECT_EQ(render_refusal({413, "too_large", "no"}, nullptr).status, 413);
  EXPECT_EQ(body_of(render_refusal({413, "too_large", "no"}, nullptr)), "too_large: no\n");
  const Headers json = {{"Accept", "application/json"}};
  const HttpRequest partial{.target = "/kv/a", .headers = json};
  EXPECT_EQ(
      body_of(render_refusal({413, "too_large", "no"}, &partial)),
      "{\"error\":\"no\",\"code\":\"too_large\",\"outcome\":\"not_applied\",\"leader\":null}\n");
}

TEST(Status, HasTheDocumentedShape) {
  NodeStatus status{.node_id = "n1", .role = NodeStatus::Role::kLeader, .term = 3};
  status.leader_id = "n1";
  status.peers = {{.id = "n2",
                   .address = "a:1",
                   .http_address = "a:2",
                   .role = NodeStatus::Role::kLearner,
                   .connected = true,
                   .match_index = 7}};
  status.replication_lag = {{"n2", 4}};
  status.digest = 0xabc;
  status.cluster_id = 0xffffffffffffffff;
  const auto json = nlohmann::json::parse(body_of(render_status(status)));
  EXPECT_EQ(json["node_id"], "n1");
  EXPECT_EQ(json["role"], "Leader");
  EXPECT_EQ(json["leader_id"], "n1");
  EXPECT_TRUE(json["leader_http_address"].is_null());
  EXPECT_EQ(json["peers"][0]["role"], "Learner");
  EXPECT_EQ(json["peers"][0]["match_index"], 7);
  EXPECT_TRUE(json["peers"][0]["last_contact_ms"].is_null());
  EXPECT_EQ(json["replication_lag"]["n2"], 4);
  EXPECT_EQ(json["digest"], "0000000000000abc");
  EXPECT_EQ(json["cluster_id"], "ffffffffffffffff");
  const auto empty = nlohmann::json::parse(body_of(render_status({})));
  EXPECT_EQ(empty["peers"], nlohmann::json::array());
  EXPECT_EQ(empty["replication_lag"], nlohmann::json::object());
}

TEST(Health, AFailingCheckThatIsNotExcludedMakesItFail) {
  const std::vector<HealthCheck> checks = {{"loop"}, {"leader", "none for 3 s"}};
  const auto failing = render_health(checks, {});
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(body_of(failing), "[+]loop ok\n[-]leader none for 3 s\n");
  const auto excluded = render_health(checks, {"leader"});
  EXPECT_EQ(excluded.status, 200);
  EXPECT_EQ(body_of(excluded), "[+]loop ok\n[+]leader excluded\n");
  EXPECT_EQ(render_health(checks, {"laeder"}).status, 400);
}

}  // namespace
}  // namespace anchor::server
