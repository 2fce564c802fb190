#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/cluster/eventually.h"
#include "tests/io/http_server_fixture.h"

// What a server bears: many clients, much at a time, and some who do not take their answers.
namespace anchor::io {
namespace {

using HttpServerLoad = HttpServerTest;

std::string many_large(int count) {
  std::string requests;
  for (int i = 0; i < count; ++i) requests += get("/large");
  return requests;
}

// 40 MB of requests for a terabyte: the server stops taking them, then it hangs up.
void expect_cut_off(Client& client) {
  const std::string requests = many_large(1000);
  bool taken = true;
  for (int i = 0; taken && i < 1000; ++i) taken = client.send(requests);
  EXPECT_FALSE(taken);
}

TEST_F(HttpServerLoad, ALongPipelineIsAnsweredThoughItHasNoRoomAtOnce) {
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

TEST_F(HttpServerLoad, RequestsBehindAnAnswerInPartsAreAnsweredMeanwhile) {
  const auto clients = [](std::uint16_t port) {
    std::vector<std::unique_ptr<Client>> clients_of;
    for (int i = 0; i < 10; ++i) {
      clients_of.push_back(std::make_unique<Client>(port));
      clients_of.back()->send(get("/parts") + get("/later1"));
    }
    // While parts are made and written.
    for (const auto& client : clients_of) client->receive_until("#");
    for (const auto& client : clients_of) client->send(get("/2") + get("/later3"));
    for (const auto& client : clients_of) client->send(get("/end"));
    for (const auto& client : clients_of) {
      const std::string all = client->receive_until("</end>");
      EXPECT_EQ(std::count(all.begin(), all.end(), '#'), 190'000);
      EXPECT_LT(all.find("</later1>"), all.find("</2>"));
      EXPECT_LT(all.find("</2>"), all.find("</later3>"));
      EXPECT_LT(all.find("</later3>"), all.find("</end>"));
    }
  };
  run(clients);
  run(clients, {.turn_bytes = 1});
}

TEST_F(HttpServerLoad, PartsOfManyAnswersTakeTurns) {
  run(
      [](std::uint16_t port) {
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 20; ++i) {
          clients.push_back(std::make_unique<Client>(port));
          clients.back()->send(get("/parts") + get("/end"));
        }
        clients.erase(clients.begin());  // gone in the midst of its answer
        for (const auto& client : clients) {
          const std::string all = client->receive_until("</end>");
          EXPECT_EQ(std::count(all.begin(), all.end(), '#'), 190'000);
          EXPECT_EQ(std::count(all.begin(), all.end(), '!'), 10'000);
        }
      },
      {.turn_bytes = 1});
}

TEST_F(HttpServerLoad, AConnectionTooManyIsTurnedAway) {
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

TEST_F(HttpServerLoad, WhatATurnHasNoRoomForComesInTheNext) {
  const auto clients = [](std::uint16_t port) {
    Client client(port);
    std::string requests;
    for (int i = 1; i <= 500; ++i) requests += get("/" + std::to_string(i));
    client.send(requests);
    EXPECT_TRUE(client.receive_until("</500>").contains("</1>"));
  };
  run(clients, {.turn_bytes = 1});
}

TEST_F(HttpServerLoad, AClientThatNeverReadsIsBoundedAndCutOff) {
  HttpServerOptions options;
  options.limits.write_timeout = 600ms;
  run(
      [](std::uint16_t port) {
        Client client(port);
        expect_cut_off(client);
      },
      options);
  EXPECT_LT(handled_, 1000U);
}

TEST_F(HttpServerLoad, IsCrowdedWhileAnswersAreNotTaken) {
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
          never_reads.send(many_large(100));
          EXPECT_TRUE(cluster::eventually(crowded));
        }
        EXPECT_TRUE(cluster::eventually([&] { return !crowded(); }));
      },
      {.held_bytes = 4 << 20});
}

TEST_F(HttpServerLoad, WhoNeverReadsIsCutOffOnceFarTooMuchIsHeld) {
  HttpServerOptions options;
  options.held_bytes = 1 << 20;
  options.limits.write_timeout = std::chrono::hours(1);
  run(
      [](std::uint16_t port) {
        Client client(port);
        expect_cut_off(client);
        Client other(port);
        other.send(get("/large") + get("/1"));
        EXPECT_TRUE(other.receive_until("</1>").ends_with("</1>"));
      },
      options);
  EXPECT_LT(handled_, 1000U);
}

}  // namespace
}  // namespace anchor::io
