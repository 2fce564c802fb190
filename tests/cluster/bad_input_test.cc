#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

// A cluster at which anything may be thrown. In the end it is as it was.
class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cluster_.start());
    ASSERT_EQ(cluster_[0].put("/kv/a", "1")->status, 200);
    ASSERT_TRUE(cluster_.wait_until_equal());
    revision_ = revision();
  }

  void TearDown() override {
    if (HasFatalFailure()) return;
    ASSERT_TRUE(cluster_.wait_until_equal());
    EXPECT_EQ(revision(), revision_);
    for (const auto& node : cluster_.nodes()) {
      EXPECT_EQ(node->get("/kv/a")->body, "1");
      EXPECT_EQ(node->status()->at("boot"), 1) << "it has ended, and was started again";
    }
    EXPECT_EQ(cluster_[0].put("/kv/a", "2")->header("Anchor-Revision"),
              std::to_string(revision_ + 1));
  }

  std::uint64_t revision() const { return cluster_[0].status()->at("revision"); }

  // The status line of the answer to these bytes, after which the client sends no more; empty if
  // the connection is closed without one.
  std::string answer_to(std::string_view bytes) const {
    auto connection = Connection::open(cluster_[1].http_port().number());
    // It may have been refused before its end.
    static_cast<void>(connection->send(bytes));
    connection->finish();
    const auto answer = connection->receive_all();
    return answer ? answer->substr(0, answer->find('\r')) : answer.error().message;
  }
  // Of a request without a body and with these header lines.
  std::string answer_to(std::string_view method_and_target, std::string_view header_lines) const {
    return answer_to(std::string(method_and_target) + " HTTP/1.1\r\nHost: x\r\n" +
                     std::string(header_lines) + "\r\n");
  }
  std::string answer_to_put(std::string_view target) const {
    return answer_to("PUT " + std::string(target), "Content-Length: 0\r\n");
  }

  Cluster cluster_;
  std::uint64_t revision_ = 0;
};

constexpr std::string_view kBadRequest = "HTTP/1.1 400 Bad Request";

TEST_F(BadInput, RouteOrMethodThatThereIsNot) {
  EXPECT_EQ(answer_to("GET /", ""), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(answer_to("GET /kv", ""), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(answer_to("GET /KV/a", ""), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(answer_to("PATCH /kv/a", "Content-Length: 0\r\n"), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(answer_to("DELETE /status", ""), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(answer_to("EAT /kv/a", ""), kBadRequest);
}

TEST_F(BadInput, WhatIsTooLarge) {
  EXPECT_EQ(answer_to_put("/kv/" + std::string(4097, 'k')), kBadRequest);
  EXPECT_EQ(answer_to_put("/kv/" + std::string(16 << 10, 'k')), "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(answer_to("GET /kv/a", "X: " + std::string(16 << 10, 'x') + "\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  const std::string head = "PUT /kv/a HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(answer_to(head + "Content-Length: 1048577\r\n\r\n" + std::string((1 << 20) + 1, 'v')),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(answer_to(head + "Transfer-Encoding: chunked\r\n\r\n100001\r\n" +
                      std::string((1 << 20) + 1, 'v') + "\r\n0\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
}

TEST_F(BadInput, ParametersThatAreUnknownRepeatedOrMalformed) {
  for (const char* target : {"/kv/a?cass=0", "/kv/a?cas=0&cas=1", "/kv/a?cas=0&c%61s=1",
                             "/kv/a?cas=-1", "/kv/a?cas=", "/kv/a?cas=18446744073709551616",
                             "/kv/a?cas", "/kv/a?prev=maybe", "/kv/a?ttl=1", "/kv/a?min_revision=1",
                             "/kv/a?cas=%zz", "/kv/%", "/kv/%4", "/kv/%zz", "/kv/"}) {
    EXPECT_EQ(answer_to_put(target), kBadRequest) << target;
  }
  EXPECT_EQ(answer_to("GET /kv/a?consistency=linearisable", ""), kBadRequest);
  EXPECT_EQ(answer_to("DELETE /kv/?start=a", ""), kBadRequest);
  EXPECT_EQ(answer_to("GET /readyz?exclude=everything", ""), kBadRequest);
}

TEST_F(BadInput, HeadersAndTargetsThatAreMalformed) {
  const auto put_with = [&](std::string_view header_lines) {
    return answer_to("PUT /kv/a", "Content-Length: 0\r\n" + std::string(header_lines));
  };
  EXPECT_EQ(put_with("If-Match: 2\r\n"), kBadRequest);
  EXPECT_EQ(put_with("If-Match: \"2\"\r\nIf-Match: \"2\"\r\n"), kBadRequest);
  EXPECT_EQ(put_with("If-Match: \"2\"\r\nIf-None-Match: *\r\n"), kBadRequest);
  EXPECT_EQ(put_with("X: folded\r\n over lines\r\n"), kBadRequest);
  EXPECT_EQ(put_with("X: bare\nline feed\r\n"), kBadRequest);
  EXPECT_EQ(put_with(std::string("X: z\0ro\r\n", 9)), kBadRequest);
  EXPECT_EQ(put_with("no colon\r\n"), kBadRequest);
  EXPECT_EQ(answer_to_put("/kv/a#fragment"), kBadRequest);
  EXPECT_EQ(answer_to_put("http://x/kv/a"), kBadRequest);
  EXPECT_EQ(answer_to_put("kv/a"), kBadRequest);
}

TEST_F(BadInput, FramingThatIsAmbiguous) {
  const auto put = [&](std::string_view header_lines) {
    return answer_to("PUT /kv/a HTTP/1.1\r\nHost: x\r\n" + std::string(header_lines) + "\r\nvvvv");
  };
  EXPECT_EQ(put("Content-Length: 4\r\nContent-Length: 4\r\n"), kBadRequest);
  EXPECT_EQ(put("Content-Length: 4\r\nContent-Length: 2\r\n"), kBadRequest);
  EXPECT_EQ(put("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), kBadRequest);
  EXPECT_EQ(put("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), kBadRequest);
  EXPECT_EQ(put("Content-Length: -4\r\n"), kBadRequest);
  EXPECT_EQ(put("Content-Length: 4, 4\r\n"), kBadRequest);
  EXPECT_EQ(put("Content-Length : 4\r\n"), kBadRequest);
  EXPECT_EQ(put("Host: y\r\nContent-Length: 4\r\n"), kBadRequest);
  EXPECT_EQ(put(""), "HTTP/1.1 411 Length Required");
  EXPECT_EQ(answer_to("PUT /kv/a HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), kBadRequest);
  EXPECT_EQ(answer_to("GET /kv/a\r\n\r\n"), kBadRequest);
}

TEST_F(BadInput, BodyThatIsCutOffChangesNothing) {
  EXPECT_EQ(answer_to("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"),
            kBadRequest);
  EXPECT_EQ(answer_to("PUT /kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "4\r\nhalf\r\n"),
            kBadRequest);
  // And by a client that does not even wait for an answer.
  auto connection = Connection::open(cluster_[1].http_port().number());
  ASSERT_TRUE(connection->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"));
}

TEST_F(BadInput, RequestBehindABadOneIsNeverRun) {
  const std::string smuggled = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nbad";
  EXPECT_EQ(answer_to("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n" +
                      smuggled),
            kBadRequest);
  EXPECT_EQ(answer_to("EAT / HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled), kBadRequest);
}

TEST_F(BadInput, BytesOfNoProtocolOnEitherPort) {
  std::mt19937_64 random(7);
  std::vector<std::string> rubbish{
      std::string(1000, '\0'), std::string(1000, '\xff'),
      // As Cap'n Proto reads it: few segments and many; small ones and huge ones.
      std::string("\0\0\0\0\xff\xff\xff\xff", 8), std::string("\xff\xff\xff\x7f\x01\0\0\0", 8),
      std::string("\x01\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\0\0\0\0", 16),
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n"};
  for (const std::size_t size : {1, 7, 64, 4096, 1 << 20}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    rubbish.push_back(std::move(bytes));
  }
  for (const auto& node : cluster_.nodes()) {
    for (const std::uint16_t port : {node->peer_port().number(), node->http_port().number()}) {
      for (const std::string& bytes : rubbish) {
        auto connection = Connection::open(port);
        ASSERT_TRUE(connection);
        // It may be cut off before its end.
        static_cast<void>(connection->send(bytes));
        connection->finish();
        EXPECT_TRUE(connection->receive_all()) << "it is not closed";
      }
    }
  }
}

TEST_F(BadInput, ConnectionsThatSayNothingKeepNobodyWaiting) {
  std::vector<Connection> idle;
  for (const auto& node : cluster_.nodes()) {
    for (int i = 0; i < 50; ++i) {
      idle.push_back(Connection::open(node->peer_port().number()).value());
      idle.push_back(Connection::open(node->http_port().number()).value());
      ASSERT_TRUE(idle.back().send("PUT /kv/a HTTP/1.1\r\nHo"));
    }
  }
  for (const auto& node : cluster_.nodes()) EXPECT_EQ(node->get("/kv/a")->body, "1");
}

}  // namespace
}  // namespace anchor::cluster
