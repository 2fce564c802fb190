#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/http_connection.h"

namespace anchor::io {

inline kv::ItemRef item_with(std::string_view value) {
  return kv::Item::create("k", as_bytes(value), kv::Item::Fields{});
}

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
inline std::string put(std::string_view target, std::string_view value) {
  return "PUT " + std::string(target) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(value.size()) + "\r\n\r\n" +
         std::string(value);
}

// Remembers what it is asked, and leaves the answers to the test.
class Asked : public HttpHandler {
 public:
  struct Request {
    std::string target;
    Bytes body;
    std::uint64_t sequence = 0;
  };

  void handle(const HttpRequest& request, HttpTicket ticket) override {
    EXPECT_EQ(ticket.connection, 7U);
    requests.push_back({std::string(request.target), request.body, ticket.sequence});
    if (answer_at_once != nullptr) answer_at_once->respond(ticket.sequence, {.body = "now"});
  }
  HttpResponse refuse(const HttpRefusal& refusal, const HttpRequest*) override {
    return {.status = refusal.status, .body = std::string(refusal.code)};
  }

  void abandoned(HttpTicket ticket) override { gone.push_back(ticket.sequence); }

  std::vector<Request> requests;
  std::vector<std::uint64_t> gone;
  HttpConnection* answer_at_once = nullptr;
};

class HttpConnectionTest : public testing::Test {
 protected:
  // What would be written to the socket by now.
  std::string written() {
    std::string text;
    while (connection_.has_output()) {
      HttpOutput output;
      std::vector<ByteView> pieces;
      connection_.take_output(now_, output);
      output.collect(0, pieces);
      for (const ByteView piece : pieces) text += as_text(piece);
      connection_.written(now_);
    }
    return text;
  }
  void receive(std::string_view bytes) { connection_.receive(now_, bytes); }
  void answer(std::size_t request, std::string body) {
    connection_.respond(asked_.requests.at(request).sequence, {.body = std::move(body)});
  }
  static std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
  }
  static std::string last(std::string_view body) {
    return "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

  Instant now_{Duration(1)};
  HttpLimits limits_{};
  std::string common_lines_ = "X: y\r\n";
  Asked asked_;
  HttpConnection connection_{7, limits_, common_lines_, asked_, now_};
};

}  // namespace anchor::io
