#include "io/http_server.h"

#include <algorithm>
#include <string>

#include "tests/io/http_server_fixture.h"

namespace anchor::io {
namespace {

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
