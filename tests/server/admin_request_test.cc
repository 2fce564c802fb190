#include "server/admin_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/routes.h"

namespace anchor::server {
namespace {

using io::HttpHeader;
using io::HttpMethod;
using Json = nlohmann::json;

ParsedRequest parse(HttpMethod method, std::string_view target, std::string_view body,
                    const std::vector<HttpHeader>& headers = {}) {
  return parse_request(
      {.method = method, .target = target, .headers = headers, .body = Bytes::copy_of(body)});
}
raft::AdminRequest request(std::string_view target, std::string_view body) {
  return std::get<raft::AdminRequest>(parse(HttpMethod::kPost, target, body));
}

struct Refused {
  int status = 0;
  Json body{};
};
Refused refusal(std::string_view target, std::string_view body,
                const std::vector<HttpHeader>& headers = {}) {
  const auto parsed = parse(HttpMethod::kPost, target, body, headers);
  const auto* response = std::get_if<io::HttpResponse>(&parsed);
  if (response == nullptr) return {};
  return {response->status, Json::parse(std::get<std::string>(response->body))};
}
std::string error(std::string_view target, std::string_view body) {
  const Refused refused = refusal(target, body);
  EXPECT_EQ(refused.status, 400) << body;
  if (refused.status == 0) return "accepted";
  EXPECT_EQ(refused.body.at("success"), false);
  EXPECT_EQ(refused.body.at("code"), "bad_request");
  EXPECT_EQ(refused.body.at("outcome"), "not_applied");
  return refused.body.at("error").get<std::string>();
}

TEST(AdminRequest, JoinNamesTheServerAndWhereItIs) {
  const auto whole = request(
      "/join",
      R"({"id":"n4","address":"10.0.0.4:9001","http_address":"10.0.0.4:8001","learner":true})");
  EXPECT_EQ(std::get<raft::AddServer>(whole), (raft::AddServer{.id = raft::ServerId("n4"),
                                                               .address = "10.0.0.4:9001",
                                                               .http_address = "10.0.0.4:8001",
                                                               .join_token = 0,
                                                               .learner = true}));
  const auto least = request("/join", R"({"id":"n4","address":"[::1]:9001"})");
  EXPECT_EQ(std::get<raft::AddServer>(least).address, "[::1]:9001");
  EXPECT_FALSE(std::get<raft::AddServer>(least).learner);
}

TEST(AdminRequest, TheOthersNameAMember) {
  EXPECT_EQ(std::get<raft::RemoveServer>(request("/remove", R"({"id":"n4"})")),
            (raft::RemoveServer{raft::ServerId("n4"), false}));
  EXPECT_EQ(std::get<raft::RemoveServer>(request("/remove", R"({"id":"n4","force":true})")),
            (raft::RemoveServer{raft::ServerId("n4"), true}));
  EXPECT_EQ(std::get<raft::PromoteServer>(request("/promote", R"({"id":"n4"})")),
            raft::PromoteServer{raft::ServerId("n4")});
  EXPECT_EQ(std::get<raft::TransferLeadership>(request("/transfer", R"({"to":"n2"})")),
            raft::TransferLeadership{raft::ServerId("n2")});
}

TEST(AdminRequest, TransferGoesToAnybodyIfNobodyIsNamed) {
  for (const auto* body : {"", "{}", R"({"to":null})", R"({"to":""})"}) {
    EXPECT_EQ(std::get<raft::TransferLeadership>(request("/transfer", body)),
              raft::TransferLeadership{})
        << body;
  }
}

TEST(AdminRequest, WhatIsWrongIsNamed) {
  EXPECT_EQ(error("/join", "{"), "the body is no JSON");
  EXPECT_EQ(error("/join", "[]"), "the body is no JSON object");
  EXPECT_EQ(error("/join", ""), "the field 'id' is missing");
  EXPECT_EQ(error("/join", R"({"id":"n4"})"), "the field 'address' is missing");
  EXPECT_EQ(error("/remove", R"({"id":4})"), "the field 'id' is no string");
  EXPECT_EQ(error("/remove", R"({"id":"n4","force":1})"),
            "the field 'force' is neither true nor false");
  EXPECT_EQ(error("/remove", R"({"id":"n4","froce":true})"), "the field 'froce' is unknown");
  EXPECT_TRUE(error("/promote", R"({"id":"no/name"})").starts_with("the field 'id': 'no/name'"));
  EXPECT_TRUE(
      error("/join", R"({"id":"n4","address":"nowhere"})").starts_with("the field 'address': "));
  EXPECT_EQ(error("/join", R"({"id":"n4","address":"0.0.0.0:9001"})"),
            "the field 'address': '0.0.0.0:9001' is a wildcard, to which nobody can connect");
  const std::string long_address = std::string(300, 'a') + ":1";
  EXPECT_EQ(error("/join", R"({"id":"n4","address":")" + long_address + R"("})"),
            "the field 'address': no host has such a name");
  EXPECT_EQ(error("/join", R"({"id":"n4","address":"a\nb:1"})"),
            "the field 'address': no host has such a name");
  EXPECT_TRUE(error("/join", R"({"id":"n4","address":"a:1","http_address":"a"})")
                  .starts_with("the field 'http_address': "));
}

TEST(AdminRequest, TheBodyIsJsonWhateverCurlCallsIt) {
  const auto status = [](std::string_view type) {
    return refusal("/remove", R"({"id":"n4"})", {{"Content-Type", type}}).status;
  };
  EXPECT_EQ(status("application/json"), 0);
  EXPECT_EQ(status("Application/JSON; charset=utf-8"), 0);
  EXPECT_EQ(status("application/x-www-form-urlencoded"), 0);
  EXPECT_EQ(status("text/xml"), 415);
  EXPECT_EQ(status("multipart/form-data; boundary=x"), 415);
}

TEST(AdminRequest, ParametersAndOtherMethodsAreRefused) {
  for (const auto* target : {"/remove?force=true", "/remove?a=1&a=2", "/remove?%zz"}) {
    const Refused refused = refusal(target, R"({"id":"n4"})");
    EXPECT_EQ(refused.status, 400) << target;
    EXPECT_EQ(refused.body.at("success"), false) << target;
  }
  for (const auto* target : {"/join", "/remove", "/promote", "/transfer"}) {
    const auto response = std::get<io::HttpResponse>(parse(HttpMethod::kGet, target, ""));
    EXPECT_EQ(response.status, 405);
    EXPECT_TRUE(response.header_lines.contains("Allow: POST\r\n"));
    const Json body = Json::parse(std::get<std::string>(response.body));
    EXPECT_EQ(body.at("success"), false);
    EXPECT_EQ(body.at("code"), "method_not_allowed");
  }
}

TEST(AdminRequest, WhatIsNoWholeRequestIsAnsweredInTheSameShape) {
  const io::HttpRequest partial{.method = HttpMethod::kPost, .target = "/join"};
  const auto response = render_refusal({413, "too_large", "no"}, &partial);
  EXPECT_EQ(response.status, 413);
  const Json body = Json::parse(std::get<std::string>(response.body));
  EXPECT_EQ(body.at("success"), false);
  EXPECT_EQ(body.at("code"), "too_large");
}

TEST(AdminRequest, MembersAreRead) {
  EXPECT_TRUE(std::holds_alternative<MembersRequest>(parse(HttpMethod::kGet, "/members", "")));
  EXPECT_EQ(std::get<io::HttpResponse>(parse(HttpMethod::kPost, "/members", "")).status, 405);
  EXPECT_EQ(std::get<io::HttpResponse>(parse(HttpMethod::kGet, "/members?x=1", "")).status, 400);
}

}  // namespace
}  // namespace anchor::server
