#include "io/http_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anchor::io {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kHost = "Host: a\r\n";

// What a codec makes of bytes, in words, for comparing one way of reading them with another.
std::vector<std::string> events(const std::vector<std::string_view>& reads,
                                const HttpLimits& limits = {}) {
  std::vector<std::string> seen;
  HttpCodec codec(limits);
  for (std::string_view input : reads) {
    while (!input.empty()) {
      const HttpParsed parsed = codec.parse(input);
      if (std::holds_alternative<HttpExpectsContinue>(parsed)) seen.push_back("continue");
      if (const auto* request = std::get_if<HttpRequest>(&parsed)) {
        std::string text = std::string(method_name(request->method)) + " " +
                           std::string(request->target) +
                           (request->keep_alive ? " keep" : " close");
        for (const HttpHeader& header : request->headers) {
          text += "|" + std::string(header.name) + "=" + std::string(header.value);
        }
        seen.push_back(text + "|" + std::string(request->body.text()));
      }
      if (const auto* refusal = std::get_if<HttpRefusal>(&parsed)) {
        seen.push_back(std::to_string(refusal->status));
      }
    }
  }
  return seen;
}

// The same, read in one piece, in two pieces cut everywhere, and byte by byte.
std::vector<std::string> events_however_split(std::string_view bytes) {
  const auto whole = events({bytes});
  std::vector<std::string_view> single_bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(events({bytes.substr(0, i), bytes.substr(i)}), whole) << "cut at " << i;
    single_bytes.push_back(bytes.substr(i, 1));
  }
  EXPECT_EQ(events(single_bytes), whole);
  return whole;
}

using Events = std::vector<std::string>;

TEST(HttpCodec, ReadsARequestHoweverItIsSplit) {
  EXPECT_EQ(events_however_split("GET /kv/a?x=1 HTTP/1.1\r\nHost: a:80\r\nAccept:  b \t\r\n\r\n"),
            Events{"GET /kv/a?x=1 keep|Host=a:80|Accept=b|"});
  EXPECT_EQ(events_however_split("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"),
            Events{"PUT /a keep|Host=a|Content-Length=3|xyz"});
  EXPECT_EQ(events_however_split("\r\nGET / HTTP/1.1\r\nhOST:\r\n\r\n"),
            Events{"GET / keep|hOST=|"});
}

TEST(HttpCodec, ReadsPipelinedRequestsInOrder) {
  EXPECT_EQ(events_however_split("PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nA"
                                 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                                 "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "1\r\nB\r\n0\r\n\r\n"
                                 "HEAD /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            (Events{"PUT /1 keep|Host=a|Content-Length=1|A", "GET /2 keep|Host=a|",
                    "POST /3 keep|Host=a|Transfer-Encoding=chunked|B",
                    "HEAD /4 close|Host=a|Connection=close|"}));
}

TEST(HttpCodec, ReadsChunkedBodiesAndIgnoresTheirExtensions) {
  EXPECT_EQ(events_however_split("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                                 "3;x=y\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n"),
            Events{"PUT /a keep|Host=a|Transfer-Encoding=Chunked|abc0123456789"});
}

TEST(HttpCodec, NeverTakesATrailerForAHeader) {
  EXPECT_EQ(events_however_split("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "1\r\nB\r\n0\r\nHost: evil\r\nIf-Match: \"1\"\r\n"
                                 "Connection: close\r\n\r\n"
                                 "GET /b HTTP/1.1\r\nHost: a\r\n\r\n"),
            (Events{"PUT /a keep|Host=a|Transfer-Encoding=chunked|B", "GET /b keep|Host=a|"}));
}

TEST(HttpCodec, RefusesMoreChunkFramingThanBodyHoweverItIsSplit) {
  const std::string head = "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string trailer = "X: " + std::string(HttpLimits{}.header_bytes, 'x') + "\r\n\r\n";
  EXPECT_EQ(events({head + "1\r\nB\r\n0\r\n" + trailer}), Events{"400"});
  EXPECT_EQ(events({head, "1\r\nB\r\n0\r\n", trailer}), Events{"400"});
  // The body that follows does not make up for it.
  const std::string zeros(HttpLimits{}.header_bytes, '0');
  const std::string body(1000, 'x');
  EXPECT_EQ(events({head + zeros + "3e8\r\n" + body + "\r\n0\r\n\r\n"}), Events{"400"});
  EXPECT_EQ(events({head, zeros, "3e8\r\n" + body + "\r\n0\r\n\r\n"}), Events{"400"});
}

TEST(HttpCodec, KeepsConnectionsAsTheVersionsOfHttpDo) {
  const auto keeps = [](std::string_view version, std::string_view connection) {
    const auto seen = events(
        {"GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(connection) + "\r\n"});
    return seen.at(0).starts_with("GET / keep");
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: te, close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(HttpCodec, IgnoresWhatFollowsAClosingRequest) {
  EXPECT_EQ(events_however_split("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                                 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
            Events{"GET /1 close|Host=a|Connection=close|"});
}

TEST(HttpCodec, IgnoresAWishToUpgrade) {
  EXPECT_EQ(events_however_split(
                "GET /1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
                "PUT /2 HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n"
                "Content-Length: 1\r\n\r\nBGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"),
            (Events{"GET /1 keep|Host=a|Upgrade=h2c|Connection=Upgrade|",
                    "PUT /2 keep|Host=a|Upgrade=x|Connection=Upgrade|Content-Length=1|B",
                    "GET /3 keep|Host=a|"}));
}

TEST(HttpCodec, SaysWhenAClientWaitsForContinue) {
  EXPECT_EQ(events_however_split("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                                 "Content-Length: 2\r\n\r\nxy"),
            (Events{"continue", "PUT /a keep|Host=a|Expect=100-Continue|Content-Length=2|xy"}));
  // Not when there is nothing to wait for, nor when the client cannot know of it.
  EXPECT_EQ(events({"PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 0\r\n\r\n"})
                .size(),
            1U);
  EXPECT_EQ(events({"PUT /a HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1\r\n\r\nx"})
                .size(),
            1U);
}

TEST(HttpCodec, RefusesBadRequestsHoweverTheyAreSplit) {
  struct Case {
    std::string_view why;
    std::string bytes;
    std::string status = "400";
  };
  const std::string put = "PUT /a HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = put + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<Case> cases = {
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01"sv)},
      {"a lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a method that is none", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a method of RTSP", "SETUP / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"only empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n"},
      {"no version", "GET / \r\nHost: a\r\n\r\n"},
      {"HTTP/0.9, named", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
      {"RTSP", "GET / RTSP/1.0\r\nHost: a\r\n\r\n"},
      {"ICE", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"},
      {"http in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a space at the line's end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
      {"a bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"},
      {"an absolute URI", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a target for CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a path for CONNECT", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a quote in the target", "GET /a\"b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an angle in the target", "GET /<b> HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a byte beyond ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv)},
      {"no Host", "GET / HTTP/1.1\r\nAccept: a\r\n\r\n"},
      {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      {"a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"},
      {"a folded header with nothing before", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\tc\r\n\r\n"},
      {"a fold before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
      {"a header without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
      {"a NUL in a header", std::string("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"sv)},
      {"a bare CR in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"},
      {"a bare CR, smuggling a Host", "GET / HTTP/1.1\r\nX: b\rHost: a\r\nHost: a\r\n\r\n"},
      {"a bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"},
      {"a bare LF after the headers", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"two Content-Lengths", put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
      {"the same Content-Length twice", put + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
      {"a list of Content-Lengths", put + "Content-Length: 1, 1\r\n\r\na"},
      {"a negative Content-Length", put + "Content-Length: -1\r\n\r\na"},
      {"a Content-Length with a sign", put + "Content-Length: +1\r\n\r\na"},
      {"a hexadecimal Content-Length", put + "Content-Length: 0x1\r\n\r\na"},
      {"an empty Content-Length", put + "Content-Length:\r\n\r\n"},
      {"a Content-Length beyond 64 bits", put + "Content-Length: 18446744073709551617\r\n\r\na"},
      {"both framings", put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"both, the other way", put + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na"},
      {"an unknown coding", put + "Transfer-Encoding: gzip\r\n\r\n"},
      {"a coding before chunked", put + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"a coding after chunked", put + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
      {"chunked twice", put + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked in two headers",
       put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"identity", put + "Transfer-Encoding: identity\r\n\r\n"},
      {"something like chunked", put + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"chunked with a quirk", put + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
      {"chunked in HTTP/1.0",
       "PUT /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"no chunk size", chunked + "\r\n\r\n"},
      {"a chunk size that is none", chunked + "g\r\n\r\n"},
      {"a negative chunk size", chunked + "-1\r\n\r\n"},
      {"a chunk size with 0x", chunked + "0x1\r\na\r\n0\r\n\r\n"},
      {"a space before a chunk size", chunked + " 1\r\na\r\n0\r\n\r\n"},
      {"a bare LF after a chunk size", chunked + "1\na\r\n0\r\n\r\n"},
      {"a bare LF after a chunk extension", chunked + "1;a\nb\r\na\r\n0\r\n\r\n"},
      {"a chunk longer than it says", chunked + "1\r\nab\r\n0\r\n\r\n"},
      {"a bare LF after a chunk", chunked + "1\r\na\n0\r\n\r\n"},
      {"a chunk size beyond 64 bits", chunked + "10000000000000001\r\na\r\n0\r\n\r\n"},
      {"a PUT without a length", put + "\r\n", "411"},
      {"a body too large", put + "Content-Length: 2097153\r\n\r\n", "413"},
      {"a chunk too large", chunked + "200001\r\n", "413"},
      {"a chunk much too large", chunked + "ffffffffffffffff\r\n", "413"},
      {"an unknown expectation", put + "Expect: a pony\r\nContent-Length: 1\r\n\r\na", "417"},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.why);
    // What follows might be taken for a request of its own, and must not be.
    const std::string then = bad.bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(events_however_split(then), Events{bad.status});
  }
}

TEST(HttpCodec, RefusesTwoChunksThatAreTooLargeTogether) {
  const std::string half = "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
  const std::string head = "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(events({head, half, half, "0\r\n\r\n"}).at(0).substr(0, 10), "PUT /a kee");
  EXPECT_EQ(events({head, half, half, "1\r\n"}), Events{"413"});
}

TEST(HttpCodec, TakesTargetsAndHeadersUpToTheirBounds) {
  const auto status = [](std::size_t target_bytes, std::size_t header_bytes) {
    std::string head = "GET /" + std::string(target_bytes - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n";
    const std::size_t used = kHost.size() + std::string_view("X: \r\n\r\n").size();
    head += "X: " + std::string(header_bytes - used, 'b') + "\r\n\r\n";
    const auto seen = events({head});
    EXPECT_EQ(events({head.substr(0, head.size() / 2), head.substr(head.size() / 2)}), seen);
    return seen.at(0).substr(0, 3);
  };
  EXPECT_EQ(status(16 << 10, 16 << 10), "GET");
  EXPECT_EQ(status((16 << 10) + 1, 100), "414");
  EXPECT_EQ(status(1 << 20, 100), "414");
  EXPECT_EQ(status(100, (16 << 10) + 1), "431");
  EXPECT_EQ(status(100, 1 << 20), "431");
}

TEST(HttpCodec, BoundsTheNumberOfHeaders) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 127; ++i) head += "X:\r\n";
  EXPECT_EQ(events({head + "\r\n"}).at(0).substr(0, 3), "GET");
  EXPECT_EQ(events({head + "X:\r\n\r\n"}), Events{"431"});
}

TEST(HttpCodec, DoesNotReadFramingForEver) {
  const std::string head = "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string much(20 << 10, '0');
  EXPECT_EQ(events({head, much}), Events{"400"});
  EXPECT_EQ(events({head, "1;x=", much}), Events{"400"});
  EXPECT_EQ(events({head, "0\r\nX: ", much}), Events{"400"});
  // But a body may come in the smallest chunks.
  std::vector<std::string_view> reads = {head};
  for (int i = 0; i < 10'000; ++i) reads.emplace_back("1\r\nx\r\n");
  reads.emplace_back("0\r\n\r\n");
  EXPECT_TRUE(events(reads).at(0).ends_with(std::string(10'000, 'x')));
}

TEST(HttpCodec, GathersALargeBodyFromManyReads) {
  std::string value(1 << 20, '\0');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 31 >> 3);
  std::vector<std::string_view> reads = {
      "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"};
  for (std::size_t i = 0; i < value.size(); i += 60'000) {
    reads.push_back(std::string_view(value).substr(i, 60'000));
  }
  EXPECT_EQ(events(reads), Events{"PUT /a keep|Host=a|Content-Length=1048576|" + value});
}

TEST(HttpCodec, APostThatSaysNothingOfABodyHasNone) {
  const HttpLimits limits;
  HttpCodec codec(limits);
  std::string_view input = "POST /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\n";
  const auto request = std::get<HttpRequest>(codec.parse(input));
  EXPECT_TRUE(request.bodiless);
  EXPECT_EQ(request.body.size(), 0U);
  EXPECT_TRUE(input.starts_with("GET /b"));
}

TEST(HttpCodec, SaysWhatItKnowsOfARefusedRequest) {
  const HttpLimits limits;
  HttpCodec codec(limits);
  std::string_view input = "PUT /kv/a HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n";
  EXPECT_EQ(std::get<HttpRefusal>(codec.parse(input)).status, 411);
  ASSERT_NE(codec.partial(), nullptr);
  EXPECT_EQ(codec.partial()->target, "/kv/a");
  EXPECT_EQ(codec.partial()->header("accept"), "application/json");

  HttpCodec other(limits);
  input = "what?";
  EXPECT_EQ(std::get<HttpRefusal>(other.parse(input)).status, 400);
  EXPECT_EQ(other.partial(), nullptr);
}

// The head moves in memory as it grows.
TEST(HttpCodec, KnowsTheTargetOfARequestThatIsNotWholeHoweverMuchFollows) {
  const HttpLimits limits;
  HttpCodec codec(limits);
  std::string head = "GET /kv/a-key-that-is-longer-than-what-a-string-holds-itself HTTP/1.1\r\n";
  const std::size_t line = head.size();
  for (int i = 0; i < 50; ++i) head += "Header-" + std::to_string(i) + ": value\r\n";
  for (std::size_t i = 0; i < head.size(); ++i) {
    std::string_view byte = std::string_view(head).substr(i, 1);
    codec.parse(byte);
    ASSERT_EQ(codec.partial() != nullptr, i + 1 >= line) << i;
    if (codec.partial() == nullptr) continue;
    ASSERT_EQ(codec.partial()->target, "/kv/a-key-that-is-longer-than-what-a-string-holds-itself");
  }
}

}  // namespace
}  // namespace anchor::io
