#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/http_server.h"

// A server on this thread, and clients on others.
namespace anchor::io {

// A client's blocking socket. Nothing waits longer than ten seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  // False once the server does not take any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void stop_sending() { ::shutdown(fd_, SHUT_WR); }

  // Reads until `text` has come, or the server closes.
  std::string receive_until(std::string_view text) {
    while (received_.find(text) == received_.npos && receive_more()) {
    }
    return received_;
  }
  std::string receive_all() {
    while (receive_more()) {
    }
    return received_;
  }

 private:
  bool receive_more() {
    char buffer[64 << 10];
    const ssize_t size = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
};

// Answers with the target, at once or, where that begins with /later, when the loop's next turn
// has begun, the last request first.
class Echo : public HttpHandler {
 public:
  Echo(uv_loop_t* loop, const HttpServerOptions& options) : server(loop, options, *this) {
    uv_idle_init(loop, &idle);
    idle.data = this;
  }

  void handle(const HttpRequest& request, HttpTicket ticket) override {
    ++handled;
    if (request.target == "/large") return server.respond(ticket, {.body = large});
    if (request.target == "/parts") return server.respond(ticket, {.body = parts()});
    if (request.target == "/crowded") return answer(ticket, server.crowded() ? "yes" : "no");
    if (!request.target.starts_with("/later")) return answer(ticket, std::string(request.target));
    waiting.push_back({ticket, std::string(request.target)});
    uv_idle_start(&idle, [](uv_idle_t* handle) { static_cast<Echo*>(handle->data)->answer_all(); });
  }
  HttpResponse refuse(const HttpRefusal& refusal, const HttpRequest*) override {
    return {.status = refusal.status, .body = std::string(refusal.message)};
  }
  void answer(HttpTicket ticket, std::string target) {
    server.respond(ticket, {.body = "<" + target + ">"});
  }
  static HttpParts parts() {
    return [left = 20]() mutable -> std::optional<std::string> {
      if (left-- == 0) return std::nullopt;
      return std::string(10'000, left == 0 ? '!' : '#');
    };
  }
  void answer_all() {
    for (; !waiting.empty(); waiting.pop_back()) {
      answer(waiting.back().first, waiting.back().second);
    }
    uv_idle_stop(&idle);
  }

  HttpServer server;
  uv_idle_t idle{};
  std::vector<std::pair<HttpTicket, std::string>> waiting;
  kv::ItemRef large =
      kv::Item::create("k", as_bytes(std::string(1 << 20, '#')), kv::Item::Fields{});
  std::size_t handled = 0;
  int drains = 0;
};

// Runs a server on this thread while `client` talks to it from another; then everything closes, and
// nothing may be left in the loop.
class HttpServerTest : public testing::Test {
 protected:
  void run(const std::function<void(std::uint16_t port)>& client,
           const HttpServerOptions& options = {}) {
    // As the server's process does: a client that is gone is no reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    uv_loop_t loop;
    uv_loop_init(&loop);
    {
      Echo echo(&loop, options);
      ASSERT_TRUE(echo.server.listen("127.0.0.1", 0));
      uv_async_init(&loop, &client_done_, [](uv_async_t* done) {
        auto& finished = *static_cast<Echo*>(done->data);
        finished.server.close([] {});
        uv_close(reinterpret_cast<uv_handle_t*>(&finished.idle), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(done), nullptr);
      });
      client_done_.data = &echo;
      // Drains, for a client that asks for it: at first it begins to, then it stops listening.
      uv_async_init(&loop, &drain_, [](uv_async_t* drain) {
        auto& echo_of = *static_cast<Echo*>(drain->data);
        if (echo_of.drains++ == 0) return echo_of.server.begin_drain();
        echo_of.server.drain([] {});
      });
      uv_unref(reinterpret_cast<uv_handle_t*>(&drain_));
      drain_.data = &echo;
      std::thread thread([&, port = echo.server.port()] {
        client(port);
        uv_async_send(&client_done_);
      });
      uv_run(&loop, UV_RUN_DEFAULT);
      thread.join();
      handled_ = echo.handled;
      uv_close(reinterpret_cast<uv_handle_t*>(&drain_), nullptr);
      uv_run(&loop, UV_RUN_DEFAULT);
    }
    EXPECT_EQ(uv_loop_close(&loop), 0);
  }
  void ask_to_drain() { uv_async_send(&drain_); }

  uv_async_t client_done_{};
  uv_async_t drain_{};
  std::size_t handled_ = 0;
};

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

}  // namespace anchor::io
