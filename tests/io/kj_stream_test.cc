#include "io/kj_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tcp_dialer.h"
#include "io/tcp_listener.h"
#include "tests/io/kj_loop.h"

namespace anchor::io {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

// Both ends of a connection.
class KjStreamTest : public KjLoop {
 protected:
  ~KjStreamTest() noexcept override = default;

  void SetUp() override {
    auto listener = TcpListener::listen(
        &loop_, open_handles_, "127.0.0.1", 0,
        {.waiting =
             [this](const TcpAccept& into) {
               server_ = kj::heap<KjStream>(*port_, accept_socket(&loop_, into, open_handles_));
             },
         .failed = [](const Error& error) { ADD_FAILURE() << error.message; }});
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
    auto dialled = dial_tcp(*port_, open_handles_, "127.0.0.1:" + std::to_string(listener_->port()))
                       .then([this](kj::Own<KjStream>&& stream) { client_ = kj::mv(stream); })
                       .eagerlyEvaluate(nullptr);
    ASSERT_TRUE(run_until([&] { return client_.get() != nullptr && server_.get() != nullptr; }));
  }
  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
    listener_ = nullptr;
    EXPECT_TRUE(run_until([&] { return open_handles_.none(); }));
  }

  // The bytes that a read brings; none if it breaks.
  std::optional<std::string> read(KjStream& stream, std::size_t min_bytes, std::size_t max_bytes) {
    std::string buffer(max_bytes, '\0');
    std::optional<std::string> result;
    bool done = false;
    auto reading = stream.tryRead(buffer.data(), min_bytes, max_bytes)
                       .then(
                           [&](std::size_t size) {
                             result = buffer.substr(0, size);
                             done = true;
                           },
                           [&](kj::Exception&&) { done = true; })
                       .eagerlyEvaluate(nullptr);
    EXPECT_TRUE(run_until([&] { return done; }));
    return result;
  }
  // A write that need not be waited for.
  void write(KjStream& stream, std::string_view text) {
    bool done = false;
    auto writing =
        stream.write(text.data(), text.size()).then([&] { done = true; }).eagerlyEvaluate(nullptr);
    port_->drain();
    EXPECT_TRUE(done);
  }

  HandleCount open_handles_;
  std::unique_ptr<TcpListener> listener_;
  kj::Own<KjStream> client_;
  kj::Own<KjStream> server_;
};

TEST_F(KjStreamTest, CarriesBytesBothWays) {
  write(*client_, "question");
  EXPECT_EQ(read(*server_, 8, 100), "question");
  write(*server_, "answer");
  EXPECT_EQ(read(*client_, 6, 100), "answer");
}

// Also the end of what was sent, which is seen behind what nobody has taken yet.
TEST_F(KjStreamTest, ReadsOnThoughSomeOfItsBufferIsNotTakenYet) {
  const std::string text = pattern(100'000);
  write(*client_, text);
  client_->shutdownWrite();
  EXPECT_EQ(read(*server_, 60'000, 60'000), text.substr(0, 60'000));
  EXPECT_TRUE(run_until([&] { return server_->ended_by_peer(); }));
  EXPECT_EQ(read(*server_, 40'000, 50'000), text.substr(60'000));
}

TEST_F(KjStreamTest, PiecesOfAnySizeKeepTheirOrder) {
  const std::string text = pattern(1 << 20);
  write(*client_, text);
  std::string all;
  for (std::size_t size = 1; all.size() < text.size(); size = size * 7 % 50'021) {
    const auto piece = read(*server_, 1, size);
    ASSERT_TRUE(piece);
    all += *piece;
  }
  EXPECT_EQ(all, text);
}

TEST_F(KjStreamTest, AReadTakesNoMoreThanItAskedFor) {
  write(*client_, "headerbody");
  EXPECT_EQ(read(*server_, 6, 6), "header");
  EXPECT_EQ(read(*server_, 4, 4), "body");
}

TEST_F(KjStreamTest, WritesOfATurnLeaveTogether) {
  for (int i = 0; i < 100; ++i) {
    auto written = client_->write("0123456789", 10).eagerlyEvaluate(nullptr);
  }
  EXPECT_EQ(read(*server_, 1, 5000)->size(), 1000U);
}

TEST_F(KjStreamTest, ABigWriteWaitsForTheReaderAndArrivesWhole) {
  const std::string sent = pattern(32 << 20);
  bool written = false;
  auto writing = client_->write(sent.data(), sent.size())
                     .then([&] { written = true; })
                     .eagerlyEvaluate(nullptr);
  // What neither the sockets nor the streams' buffers hold has to wait: the reader does not read.
  for (int turn = 0; turn < 1000; ++turn) uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_FALSE(written);

  EXPECT_EQ(read(*server_, sent.size(), sent.size()), sent);
  EXPECT_TRUE(run_until([&] { return written; }));
}

TEST_F(KjStreamTest, ACancelledReadLeavesTheBytesToTheNext) {
  {
    std::string gone(10, '\0');
    auto cancelled = server_->tryRead(gone.data(), 10, 10).eagerlyEvaluate(nullptr);
    port_->drain();
  }
  write(*client_, "0123456789");
  EXPECT_EQ(read(*server_, 10, 10), "0123456789");
}

TEST_F(KjStreamTest, TheEndOfTheInputCutsAReadShort) {
  write(*client_, "last words");
  client_ = nullptr;
  EXPECT_EQ(read(*server_, 100, 100), "last words");
  EXPECT_EQ(read(*server_, 1, 100), "");
  EXPECT_TRUE(server_->ended_by_peer());
}

TEST_F(KjStreamTest, WhatWasWrittenLeavesBeforeTheStreamIsDestroyed) {
  auto written = client_->write("farewell", 8).eagerlyEvaluate(nullptr);
  client_ = nullptr;
  EXPECT_EQ(read(*server_, 100, 100), "farewell");
}

TEST_F(KjStreamTest, AMutedStreamSaysNothingMore) {
  auto written = client_->write("not this", 8).eagerlyEvaluate(nullptr);
  client_->mute();
  client_ = nullptr;
  EXPECT_EQ(read(*server_, 100, 100), "");
}

TEST_F(KjStreamTest, OneDirectionCanBeShutDownWhileTheOtherGoesOn) {
  auto written = client_->write("request", 7).eagerlyEvaluate(nullptr);
  client_->shutdownWrite();
  EXPECT_EQ(read(*server_, 100, 100), "request");
  write(*server_, "response");
  EXPECT_EQ(read(*client_, 8, 100), "response");
}

TEST_F(KjStreamTest, ABrokenConnectionBreaksReadsAndWritesAndIsTold) {
  bool told = false;
  auto telling =
      client_->whenWriteDisconnected().then([&] { told = true; }).eagerlyEvaluate(nullptr);
  // A socket that is closed with unread bytes resets its connection.
  write(*client_, "unread");
  ASSERT_TRUE(run_until([&] { return read(*server_, 1, 1) == "u"; }));
  write(*client_, std::string(1 << 16, 'x'));
  server_ = nullptr;
  EXPECT_TRUE(run_until([&] {
    if (!told) auto ignored = client_->write("more", 4).eagerlyEvaluate(nullptr);
    return told;
  }));
  EXPECT_FALSE(read(*client_, 1, 1));
  bool failed = false;
  auto failing = client_->write("more", 4)
                     .catch_([&](kj::Exception&&) { failed = true; })
                     .eagerlyEvaluate(nullptr);
  port_->drain();
  EXPECT_TRUE(failed);
}

TEST_F(KjStreamTest, BreaksOffWhenMoreBytesArriveThanAreAllowed) {
  server_->limit_input(10);
  write(*client_, "0123456789");
  EXPECT_EQ(read(*server_, 10, 10), "0123456789");
  write(*client_, "x");
  EXPECT_FALSE(read(*server_, 1, 1));
  EXPECT_FALSE(server_->ended_by_peer());
}

TEST_F(KjStreamTest, MayBeDestroyedWhileItReadsAndWrites) {
  const std::string sent = pattern(32 << 20);
  std::string buffer(100, '\0');
  {
    auto writing = client_->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
    auto reading = client_->tryRead(buffer.data(), 1, 100).eagerlyEvaluate(nullptr);
    port_->drain();
  }
  client_ = nullptr;
}

TEST_F(KjStreamTest, DiallingNobodyFails) {
  const std::string address = "127.0.0.1:" + std::to_string(listener_->port());
  listener_ = nullptr;
  bool refused = false;
  auto dialled = dial_tcp(*port_, open_handles_, address)
                     .then([](auto&&) {}, [&](kj::Exception&&) { refused = true; })
                     .eagerlyEvaluate(nullptr);
  EXPECT_TRUE(run_until([&] { return refused; }));
}

TEST_F(KjStreamTest, DiallingMayBeGivenUpAtAnyTime) {
  const std::string address = "localhost:" + std::to_string(listener_->port());
  for (int turns = 0; turns < 4; ++turns) {
    auto dialled = dial_tcp(*port_, open_handles_, address).eagerlyEvaluate(nullptr);
    for (int i = 0; i < turns; ++i) uv_run(&loop_, UV_RUN_NOWAIT);
  }
}

}  // namespace
}  // namespace anchor::io
