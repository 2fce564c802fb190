#include "io/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace anchor::io {
namespace {

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

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

TEST_F(HttpServerTest, AnswersRequestsOneAfterTheOther) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send(get("/1"));
    EXPECT_NE(client.receive_until("</1>").find("</1>"), std::string::npos);
    client.send(get("/2"));
    const std::string all = client.receive_until("</2>");
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_TRUE(all.ends_with("GMT\r\nContent-Length: 4\r\n\r\n</2>"));
  });
}

TEST_F(HttpServerTest, AnswersAPipelineInOrderThoughItsEndIsAnsweredFirst) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send(get("/later1") + get("/later2") + get("/3"));
    const std::string all = client.receive_until("</3>");
    const std::size_t first = all.find("</later1>");
    const std::size_t second = all.find("</later2>");
    ASSERT_NE(second, std::string::npos);
    EXPECT_LT(first, second);
    EXPECT_LT(second, all.find("</3>"));
  });
}

TEST_F(HttpServerTest, ALongPipelineIsAnsweredThoughItHasNoRoomAtOnce) {
  run([](std::uint16_t port) {
    Client client(port);
    std::string requests;
    for (int i = 0; i < 3000; ++i) requests += get("/later") + get("/now");
    std::thread sender([&] { client.send(requests + get("/last")); });
    const std::string all = client.receive_until("</last>");
    sender.join();
    std::size_t count = 0;
    for (std::size_t at = 0; (at = all.find("HTTP/1.1 200", at)) != all.npos; ++at) ++count;
    EXPECT_EQ(count, 6001U);
  });
}

TEST_F(HttpServerTest, LargeValuesArriveWhole) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send(get("/large") + get("/large") + get("/end"));
    const std::string all = client.receive_until("</end>");
    EXPECT_EQ(std::count(all.begin(), all.end(), '#'), 2 << 20);
  });
}

TEST_F(HttpServerTest, AnAnswerForAConnectionThatIsGoneIsDropped) {
  run([](std::uint16_t port) {
    {
      Client(port).send(get("/later"));
    }
    Client client(port);
    client.send(get("/1"));
    EXPECT_TRUE(client.receive_until("</1>").ends_with("</1>"));
  });
}

TEST_F(HttpServerTest, AClientThatHasStoppedSendingIsAnswered) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send(get("/later"));
    client.stop_sending();
    EXPECT_TRUE(client.receive_all().ends_with("</later>"));
  });
}

TEST_F(HttpServerTest, ABodyCutOffIsNotHandled) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    client.stop_sending();
    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 400 "));
  });
  EXPECT_EQ(handled_, 0U);
}

TEST_F(HttpServerTest, ARefusalReachesAClientThatIsStillSending) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
    EXPECT_TRUE(client.send(std::string(9'000'000, 'x')));
    client.stop_sending();
    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 413 "));
  });
  EXPECT_EQ(handled_, 0U);
}

TEST_F(HttpServerTest, GarbageIsAnsweredAndTheConnectionCloses) {
  run([](std::uint16_t port) {
    Client client(port);
    client.send("\x16\x03\x01 hello");
    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 400 "));
    Client other(port);
    other.send(get("/1"));
    EXPECT_TRUE(other.receive_until("</1>").ends_with("</1>"));
  });
}

TEST_F(HttpServerTest, AConnectionTooManyIsTurnedAway) {
  HttpServerOptions options;
  options.connection_count = 1;
  run(
      [](std::uint16_t port) {
        Client first(port);
        first.send(get("/1"));
        first.receive_until("</1>");
        Client second(port);
        // What it sends is read: with it unread, the close would be a reset.
        second.send(get("/2"));
        second.stop_sending();
        EXPECT_TRUE(second.receive_all().starts_with("HTTP/1.1 503 "));
        first.send(get("/2"));
        EXPECT_TRUE(first.receive_until("</2>").ends_with("</2>"));
      },
      options);
}

TEST_F(HttpServerTest, WhatATurnHasNoRoomForComesInTheNext) {
  const auto clients = [](std::uint16_t port) {
    Client client(port);
    std::string requests;
    for (int i = 1; i <= 500; ++i) requests += get("/" + std::to_string(i));
    client.send(requests);
    EXPECT_TRUE(client.receive_until("</500>").contains("</1>"));
  };
  run(clients, {.turn_bytes = 1});
}

TEST_F(HttpServerTest, AClientThatNeverReadsIsBoundedAndCutOff) {
  HttpServerOptions options;
  options.limits.write_timeout = 600ms;
  run(
      [](std::uint16_t port) {
        Client client(port);
        std::string requests;
        for (int i = 0; i < 1000; ++i) requests += get("/large");
        // 40 MB of requests for a terabyte: the server stops taking them, then it hangs up.
        bool taken = true;
        for (int i = 0; taken && i < 1000; ++i) taken = client.send(requests);
        EXPECT_FALSE(taken);
      },
      options);
  EXPECT_LT(handled_, 1000U);
}

TEST_F(HttpServerTest, IsCrowdedWhileAnswersAreNotTaken) {
  run(
      [](std::uint16_t port) {
        const auto crowded = [port] {
          Client asks(port);
          asks.send(get("/crowded"));
          return asks.receive_until(">").ends_with("<yes>");
        };
        EXPECT_FALSE(crowded());
        {
          Client never_reads(port);
          std::string requests;
          for (int i = 0; i < 100; ++i) requests += get("/large");
          never_reads.send(requests);
          while (!crowded()) std::this_thread::yield();
        }
        while (crowded()) std::this_thread::yield();
      },
      {.held_bytes = 2 << 20});
}

TEST_F(HttpServerTest, WhoNeverReadsIsCutOffOnceFarTooMuchIsHeld) {
  HttpServerOptions options;
  options.held_bytes = 1 << 20;
  options.limits.write_timeout = std::chrono::hours(1);
  run(
      [](std::uint16_t port) {
        Client client(port);
        std::string requests;
        for (int i = 0; i < 1000; ++i) requests += get("/large");
        bool taken = true;
        for (int i = 0; taken && i < 1000; ++i) taken = client.send(requests);
        EXPECT_FALSE(taken);
        Client other(port);
        other.send(get("/large") + get("/1"));
        EXPECT_TRUE(other.receive_until("</1>").ends_with("</1>"));
      },
      options);
  EXPECT_LT(handled_, 1000U);
}

TEST_F(HttpServerTest, ASilentConnectionIsClosed) {
  HttpServerOptions options;
  options.limits.idle_timeout = 1ms;
  run(
      [](std::uint16_t port) {
        Client client(port);
        EXPECT_EQ(client.receive_all(), "");
      },
      options);
}

TEST_F(HttpServerTest, BeginningToDrainAnswersEachConnectionOnceMore) {
  run([this](std::uint16_t port) {
    Client idle(port);
    idle.send(get("/1"));
    idle.receive_until("</1>");
    ask_to_drain();
    // Also of a connection that is made now the answer is the last.
    while (true) {
      Client later(port);
      later.send(get("/new"));
      if (later.receive_until("</new>").find("Connection: close\r\n") != std::string::npos) break;
    }
    idle.send(get("/2") + get("/3"));
    const std::string all = idle.receive_all();
    EXPECT_TRUE(all.ends_with("Connection: close\r\nContent-Length: 4\r\n\r\n</2>")) << all;
  });
}

TEST_F(HttpServerTest, DrainingAnswersWhatIsInFlightAndStopsListening) {
  HttpServerOptions options;
  options.limits.drain_timeout = 600ms;
  run(
      [this](std::uint16_t port) {
        Client idle(port);
        idle.send(get("/1"));
        idle.receive_until("</1>");
        Client half(port);
        half.send(get("/2").substr(0, 9));
        // Asking twice in a row might be taken for one.
        ask_to_drain();
        Client none(port);
        none.send(get("/3"));
        none.receive_until("</3>");
        ask_to_drain();
        EXPECT_TRUE(idle.receive_all().ends_with("</1>"));
        EXPECT_TRUE(half.receive_all().starts_with("HTTP/1.1 503 "));
        EXPECT_FALSE(Client(port).connected());
      },
      options);
}

TEST_F(HttpServerTest, WhoHadConnectedWhenItStoppedListeningIsAnswered) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    Echo echo(&loop, {});
    ASSERT_TRUE(echo.server.listen("127.0.0.1", 0));
    const std::uint16_t port = echo.server.port();
    Client waiting(port);  // the loop has not seen it yet
    echo.server.stop_listening();
    EXPECT_FALSE(Client(port).connected());
    EXPECT_TRUE(waiting.send(get("/1")));
    for (int turn = 0; turn < 20 && echo.handled == 0; ++turn) uv_run(&loop, UV_RUN_ONCE);
    echo.server.flush();
    const std::string answer = waiting.receive_until("</1>");
    EXPECT_TRUE(answer.ends_with("Connection: close\r\nContent-Length: 4\r\n\r\n</1>")) << answer;
    echo.server.close([] {});
    uv_close(reinterpret_cast<uv_handle_t*>(&echo.idle), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

TEST_F(HttpServerTest, APortInUseIsNamed) {
  run([](std::uint16_t port) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    {
      Echo other(&loop, {});
      const auto listening = other.server.listen("127.0.0.1", port);
      ASSERT_FALSE(listening);
      EXPECT_EQ(listening.error().message,
                "cannot listen on 127.0.0.1:" + std::to_string(port) + ": address already in use");
      other.server.close([] {});
      uv_close(reinterpret_cast<uv_handle_t*>(&other.idle), nullptr);
      uv_run(&loop, UV_RUN_DEFAULT);
    }
    EXPECT_EQ(uv_loop_close(&loop), 0);
  });
}

}  // namespace
}  // namespace anchor::io
