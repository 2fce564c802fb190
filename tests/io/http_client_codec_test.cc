#include "io/http_client_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/http_connection.h"

namespace anchor::io {
namespace {

using Events = std::vector<std::string>;

// The replies to `methods`, in words, read in `reads`.
Events events(const std::vector<HttpMethod>& methods, const std::vector<std::string_view>& reads,
              bool then_end = false) {
  HttpClientCodec codec("host:1", 100);
  std::string requests;
  for (const HttpMethod method : methods) codec.append_request(method, "/", "", {}, requests);
  Events seen;
  const auto note = [&](const HttpClientCodec::Parsed& parsed) {
    if (const auto* reply = std::get_if<HttpReply>(&parsed)) {
      std::string text = std::to_string(reply->status) + (reply->keep_alive ? " keep" : " close");
      for (const HttpHeader& header : reply->headers) {
        text += "|" + std::string(header.name) + "=" + std::string(header.value);
      }
      seen.push_back(text + "|" + std::string(reply->body.text()));
    }
    if (const auto* error = std::get_if<Error>(&parsed)) seen.push_back(error->message);
    return std::holds_alternative<Error>(parsed);
  };
  for (std::string_view input : reads) {
    while (!input.empty()) {
      if (note(codec.parse(input))) return seen;
    }
  }
  if (then_end) note(codec.end_of_input());
  return seen;
}

Events events_however_split(const std::vector<HttpMethod>& methods, std::string_view bytes) {
  const Events whole = events(methods, {bytes});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(events(methods, {bytes.substr(0, i), bytes.substr(i)}), whole) << "cut at " << i;
  }
  return whole;
}

TEST(HttpClientCodec, WritesRequestsThatTheServerReads) {
  HttpClientCodec codec("host:1");
  std::string bytes;
  codec.append_request(HttpMethod::kPut, "/kv/a", "If-None-Match: *\r\n", as_bytes("v"), bytes);
  codec.append_request(HttpMethod::kGet, "/kv/a", "", {}, bytes);
  EXPECT_EQ(codec.outstanding(), 2U);

  const HttpLimits limits;
  HttpCodec server(limits);
  std::string_view input = bytes;
  const auto first = std::get<HttpRequest>(server.parse(input));
  EXPECT_EQ(first.method, HttpMethod::kPut);
  EXPECT_EQ(first.target, "/kv/a");
  EXPECT_EQ(first.header("host"), "host:1");
  EXPECT_EQ(first.header("if-none-match"), "*");
  EXPECT_EQ(first.body.text(), "v");
  const auto second = std::get<HttpRequest>(server.parse(input));
  EXPECT_EQ(second.method, HttpMethod::kGet);
  EXPECT_TRUE(input.empty());
}

TEST(HttpClientCodec, ReadsPipelinedRepliesHoweverTheyAreSplit) {
  EXPECT_EQ(events_however_split(
                {HttpMethod::kGet, HttpMethod::kHead, HttpMethod::kGet, HttpMethod::kPut},
                "HTTP/1.1 200 OK\r\nETag: \"5\" \r\nEmpty:\r\nContent-Length: 2\r\n\r\nab"
                "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
                "HTTP/1.1 304 Not Modified\r\n\r\n"
                "HTTP/1.1 100 Continue\r\n\r\n"
                "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                "1\r\nc\r\n0\r\nLate: x\r\n\r\n"),
            (Events{"200 keep|ETag=\"5\"|Empty=|Content-Length=2|ab", "200 keep|Content-Length=7|",
                    "304 keep|", "503 close|Transfer-Encoding=chunked|Connection=close|c"}));
}

TEST(HttpClientCodec, ReadsABodyThatEndsWithTheConnection) {
  EXPECT_EQ(events({HttpMethod::kGet}, {"HTTP/1.0 200 OK\r\n\r\nab", "cd"}, true),
            Events{"200 close|abcd"});
}

TEST(HttpClientCodec, SaysWhenAReplyIsMissing) {
  const Events missing = {"the server closed the connection before its reply"};
  EXPECT_EQ(events({HttpMethod::kGet}, {}, true), missing);
  EXPECT_EQ(events({HttpMethod::kGet}, {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"}, true),
            missing);
  EXPECT_EQ(events({}, {}, true), Events{});
}

TEST(HttpClientCodec, RefusesWhatNoServerShouldSend) {
  EXPECT_EQ(events({}, {"HTTP/1.1 200 OK\r\n"}), Events{"the server sent what nobody asked for"});
  EXPECT_TRUE(events({HttpMethod::kGet}, {"SSH-2.0-x\r\n"})
                  .at(0)
                  .starts_with("the server's reply is malformed: "));
  EXPECT_EQ(events({HttpMethod::kGet},
                   {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", std::string(101, 'x')}),
            Events{"the server's reply is too large"});
  EXPECT_EQ(events({HttpMethod::kGet}, {"HTTP/1.1 200 OK\r\nX: ", std::string(70'000, 'x')}),
            Events{"the server's reply is too large"});
}

}  // namespace
}  // namespace anchor::io
