#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/codec/message_codec.h"
#include "core/wire/flat_message.h"
#include "io/peer_wire.h"
#include "io/tcp_dialer.h"
#include "tests/io/peer_nodes.h"

namespace anchor::io {
namespace {

std::vector<std::uint64_t> numbers_of(const Node& node) {
  std::vector<std::uint64_t> numbers;
  for (const auto& message : node.received) numbers.push_back(message.term.value());
  return numbers;
}

std::string payload_of(const raft::Message& message) {
  const auto& entries = std::get<raft::AppendEntries>(message.body).entries;
  return std::string(std::get<raft::Command>(entries.at(0).payload).payload.text());
}

// --- Messages ---------------------------------------------------------------------------------

TEST_F(PeerTransportTest, AMessageArrivesAsItWasSent) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  a.send(b, 5, "payload");
  ASSERT_TRUE(run_until([&] { return !b.received.empty(); }));
  EXPECT_EQ(b.received[0], a.message(b, 5, "payload"));
}

TEST_F(PeerTransportTest, MessagesOfATurnArriveTogetherAndInOrder) {
  Node& a = start_member("a", {.calls_in_flight = 1});
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  std::vector<std::uint64_t> sent;
  for (std::uint64_t number = 1; number <= 500; ++number) {
    a.send(b, number);
    sent.push_back(number);
  }
  ASSERT_TRUE(run_until([&] { return b.received.size() == sent.size(); }));
  EXPECT_EQ(numbers_of(b), sent);
  // With one call in flight, a second call would have had to wait for the first one's answer.
  EXPECT_EQ(b.received_in_turn.front(), b.received_in_turn.back());
}

TEST_F(PeerTransportTest, WhatIsSentBeforeTheConnectionIsUpIsNotLost) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  a.transport.set_peers({{b.self.id, b.address()}});
  a.send(b, 1);
  EXPECT_TRUE(run_until([&] { return b.received.size() == 1; }));
}

TEST_F(PeerTransportTest, LargeEntriesArriveWhole) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  std::vector<std::string> payloads;
  for (const std::size_t size : {64 << 10, 1 << 20, 1, 4 << 20}) {
    payloads.push_back(std::string(size, static_cast<char>('a' + payloads.size())));
  }
  for (const auto& payload : payloads) a.send(b, 1, payload);
  ASSERT_TRUE(run_until([&] { return b.received.size() == payloads.size(); }));
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_TRUE(payload_of(b.received[i]) == payloads[i]) << i;
  }
}

TEST_F(PeerTransportTest, MoreThanACallHoldsGoesInSeveral) {
  Node& a = start_member("a", {.frame_bytes = 256 << 10});
  Node& b = start_member("b", {.frame_bytes = 256 << 10});
  ASSERT_TRUE(connect(a, b));
  const std::string payload(200 << 10, 'x');
  std::vector<std::uint64_t> sent;
  for (std::uint64_t number = 1; number <= 50; ++number) {
    a.send(b, number, payload);
    sent.push_back(number);
  }
  ASSERT_TRUE(run_until([&] { return b.received.size() == sent.size(); }));
  EXPECT_EQ(numbers_of(b), sent);
  EXPECT_TRUE(b.cut_off.empty());
}

TEST_F(PeerTransportTest, ThreeServersAllSpeakToEachOther) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  Node& c = start_member("c");
  introduce_all();
  for (Node* from : {&a, &b, &c}) {
    for (Node* to : {&a, &b, &c}) {
      if (from == to) continue;
      EXPECT_TRUE(goes_through(*from, *to));
    }
  }
}

TEST_F(PeerTransportTest, AnsweringWithinTheHandlerIsFine) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  introduce_all();
  b.on_received = [&] { b.send(a, b.received.back().term.value() + 1); };
  a.on_received = [&] {
    if (a.received.size() < 100) a.send(b, a.received.back().term.value() + 1);
  };
  a.send(b, 1);
  ASSERT_TRUE(run_until([&] { return a.received.size() == 100; }));
  EXPECT_EQ(a.received.back().term, raft::Term(200));
}

TEST_F(PeerTransportTest, TheOldestMessagesAreLostWhenTooManyWait) {
  Node& a = start_member("a", {.queue_bytes = 32 << 10});
  Node& b = start_member("b");
  a.transport.set_peers({{b.self.id, b.address()}});
  for (std::uint64_t number = 1; number <= 100; ++number) a.send(b, number, std::string(1000, 'x'));
  ASSERT_TRUE(
      run_until([&] { return !b.received.empty() && b.received.back().term == raft::Term(100); }));
  EXPECT_LT(b.received.size(), 33U);
  EXPECT_GT(b.received.size(), 20U);
}

TEST_F(PeerTransportTest, NothingIsSentToWhomIsNoPeer) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  Node& c = start_member("c");
  ASSERT_TRUE(connect(a, b));
  a.send(c, 1);
  EXPECT_FALSE(a.transport.connected(c.self.id));
  EXPECT_TRUE(goes_through(a, b));
  EXPECT_TRUE(c.received.empty());
}

// --- Connections ------------------------------------------------------------------------------

TEST_F(PeerTransportTest, ReconnectsToAServerThatRestarts) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  const std::uint16_t port = b.transport.port();
  ASSERT_TRUE(connect(a, b));
  ASSERT_TRUE(goes_through(a, b));
  stop(b);
  ASSERT_TRUE(run_until([&] { return a.unreachable.size() == 1; }));
  EXPECT_FALSE(a.transport.connected(id("b")));

  Node& again = start_member("b", {}, port);
  ASSERT_TRUE(run_until([&] { return a.transport.connected(again.self.id); }));
  EXPECT_TRUE(goes_through(a, again));
  EXPECT_EQ(a.unreachable.size(), 1U);
}

TEST_F(PeerTransportTest, IsNotUnreachableToWhomNothingWasSent) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  stop(b);
  ASSERT_TRUE(run_until([&] { return !a.transport.connected(id("b")); }));
  Node& c = start_member("c");
  ASSERT_TRUE(connect(a, c));
  EXPECT_TRUE(a.unreachable.empty());
}

TEST_F(PeerTransportTest, FollowsAServerToAnotherAddress) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  stop(b);
  Node& moved = start_member("b");
  ASSERT_TRUE(connect(a, moved));
  EXPECT_TRUE(goes_through(a, moved));
}

TEST_F(PeerTransportTest, LetsGoOfAServerThatIsNoPeerAnyMore) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  ASSERT_TRUE(goes_through(a, b));
  a.transport.set_peers({});
  EXPECT_FALSE(a.transport.connected(b.self.id));
  // That is no fault of anybody's.
  Node& c = start_member("c");
  ASSERT_TRUE(connect(a, c));
  EXPECT_TRUE(a.unreachable.empty());
  EXPECT_TRUE(b.cut_off.empty());
}

TEST_F(PeerTransportTest, ANewerConnectionOfAServerTakesThePlaceOfTheOlder) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(b, a));
  ASSERT_TRUE(goes_through(b, a));
  // As if the first had vanished without a word, and been started again.
  Node& b_again = start_member("b");
  ASSERT_TRUE(connect(b_again, a));
  EXPECT_TRUE(run_until([&] { return b.unreachable.size() == 1; }));
  EXPECT_TRUE(a.cut_off.empty());
}

// --- Handshakes -------------------------------------------------------------------------------

TEST_F(PeerTransportTest, AServerOfAnotherClusterIsToldWhyItIsRefused) {
  Node& a = start("a");
  a.transport.join_cluster(raft::ClusterId(1), a.self, a.boot, "");
  Node& b = start_member("b");
  a.transport.set_peers({{b.self.id, b.address()}});
  ASSERT_TRUE(run_until([&] { return !a.refusals.empty(); }));
  EXPECT_EQ(a.refusals[0], "another cluster");
  EXPECT_FALSE(a.transport.connected(b.self.id));
}

TEST_F(PeerTransportTest, AServerThatTakesUsForAnotherIsRefused) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  a.transport.set_peers({{id("c"), b.address()}});
  ASSERT_TRUE(run_until([&] { return !a.refusals.empty(); }));
  EXPECT_EQ(a.refusals[0], "this is b");
}

TEST_F(PeerTransportTest, IsWelcomeOnceTheReceiverHasJoinedTheCluster) {
  Node& a = start_member("a");
  Node& b = start("b");
  a.transport.set_peers({{b.self.id, b.address()}});
  ASSERT_TRUE(run_until([&] { return !a.refusals.empty(); }));
  EXPECT_EQ(a.refusals[0], "it is in no cluster yet");
  b.transport.join_cluster(kCluster, b.self, b.boot, "");
  ASSERT_TRUE(run_until([&] { return a.transport.connected(b.self.id); }));
  EXPECT_TRUE(goes_through(a, b));
}

TEST_F(PeerTransportTest, ARefusedServerMayGiveUpWithinTheHandler) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  a.on_refusal = [&] { a.transport.set_peers({{b.self.id, b.address()}}); };
  a.transport.set_peers({{id("c"), b.address()}});
  ASSERT_TRUE(run_until([&] { return a.transport.connected(b.self.id); }));
  EXPECT_EQ(a.refusals.size(), 1U);
}

// --- Founding ---------------------------------------------------------------------------------

TEST_F(PeerTransportTest, FoundingMessagesAreAnsweredWithoutACluster) {
  Node& a = start("a");
  Node& b = start("b");
  std::vector<Result<Bytes>> answers;
  a.transport.call_found(b.address(), Bytes::copy_of("hello"), 10s,
                         [&](Result<Bytes> answer) { answers.push_back(std::move(answer)); });
  ASSERT_TRUE(run_until([&] { return !answers.empty(); }));
  ASSERT_TRUE(answers[0]) << answers[0].error().message;
  EXPECT_EQ(answers[0]->text(), "re: hello");
}

TEST_F(PeerTransportTest, AFoundingMessageToNobodyFails) {
  Node& a = start("a");
  Node& b = start("b");
  const std::string address = b.address();
  stop(b);
  std::vector<Result<Bytes>> answers;
  const auto take = [&](Result<Bytes> answer) { answers.push_back(std::move(answer)); };
  a.transport.call_found(address, Bytes::copy_of("hello"), 10s, take);
  a.transport.call_found("no address", Bytes::copy_of("hello"), 10s, take);
  ASSERT_TRUE(run_until([&] { return answers.size() == 2; }));
  EXPECT_FALSE(answers[0]);
  EXPECT_FALSE(answers[1]);
}

TEST_F(PeerTransportTest, AFoundingMessageToOneWhoDoesNotAnswerTimesOut) {
  Node& a = start("a");
  // A port where connections are made but nobody accepts them.
  const int mute = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(mute, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(mute, 1), 0);
  socklen_t size = sizeof(address);
  ::getsockname(mute, reinterpret_cast<sockaddr*>(&address), &size);

  bool failed = false;
  a.transport.call_found("127.0.0.1:" + std::to_string(ntohs(address.sin_port)),
                         Bytes::copy_of("hello"), 20ms,
                         [&](const Result<Bytes>& answer) { failed = !answer; });
  EXPECT_TRUE(run_until([&] { return failed; }));
  ::close(mute);
}

// --- Strangers --------------------------------------------------------------------------------

class GarbageTest : public PeerTransportTest, public testing::WithParamInterface<int> {};

std::string words(std::initializer_list<std::uint32_t> values) {
  std::string bytes;
  for (const std::uint32_t value : values) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>(value >> shift & 0xff));
    }
  }
  return bytes;
}

std::string garbage(int kind) {
  Random random(static_cast<std::uint64_t>(kind));
  switch (kind) {
    case 0:
      return words({0xffffffff, 0xffffffff});  // too many segments
    case 1:
      return words({0, 0xffffffff});  // a segment of 32 GiB
    case 2:
      return words({0, 1, 0, 0});  // a message that is null
    case 3:
      return words({0, 2, 0xfffffffc, 0xffffffff, 0, 0});  // a pointer to beyond
    case 4:
      return "GET / HTTP/1.1\r\nHost: anchor\r\n\r\n";
    default: {
      std::string bytes(random.below(200'000), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random.below(256));
      return bytes;
    }
  }
}

TEST_P(GarbageTest, IsCutOffAndHurtsNobodyElse) {
  Node& a = start_member("a", {.handshake_timeout = 300ms});
  Node& b = start_member("b");
  introduce_all();
  ASSERT_TRUE(goes_through(b, a));
  Stranger stranger(a);
  stranger.send(garbage(GetParam()));
  EXPECT_TRUE(run_until([&] { return stranger.turned_away(); }));
  EXPECT_EQ(a.cut_off.size(), 1U);
  EXPECT_TRUE(goes_through(b, a));
  EXPECT_TRUE(goes_through(a, b));
  EXPECT_TRUE(b.unreachable.empty());
}
INSTANTIATE_TEST_SUITE_P(Kinds, GarbageTest, testing::Range(0, 30));

TEST_F(PeerTransportTest, WhoeverStaysSilentIsCutOff) {
  Node& a = start_member("a", {.handshake_timeout = 50ms});
  Stranger silent(a);
  Stranger half_said(a);
  half_said.send(words({0, 100}));  // the header of a message, and no more
  EXPECT_TRUE(run_until([&] { return silent.turned_away() && half_said.turned_away(); }));
  EXPECT_EQ(a.cut_off.size(), 2U);
}

TEST_F(PeerTransportTest, WhoeverConnectsAndLeavesIsNotWorthAWord) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  {
    const Stranger prober(a);
  }
  ASSERT_TRUE(connect(b, a));
  ASSERT_TRUE(goes_through(b, a));
  EXPECT_TRUE(a.cut_off.empty());
}

TEST_F(PeerTransportTest, WhoeverSaysTooMuchBeforeAHandshakeIsCutOff) {
  Node& a = start_member("a");
  Stranger talker(a);
  // A message of the size that was announced, but far more than a handshake takes.
  talker.send(words({0, 100'000}));
  EXPECT_TRUE(run_until([&] {
    talker.send(std::string(10'000, '\0'));
    return talker.turned_away();
  }));
  EXPECT_EQ(a.cut_off.size(), 1U);
}

TEST_F(PeerTransportTest, StrangersDoNotKeepServersOut) {
  Node& a = start_member("a", {.handshake_timeout = 60s, .connections = 4});
  Node& b = start_member("b");
  std::vector<std::unique_ptr<Stranger>> strangers;
  for (int i = 0; i < 10; ++i) strangers.push_back(std::make_unique<Stranger>(a));
  ASSERT_TRUE(connect(b, a));
  EXPECT_TRUE(goes_through(b, a));
  EXPECT_TRUE(run_until([&] {
    return std::count_if(strangers.begin(), strangers.end(),
                         [](auto& stranger) { return stranger->turned_away(); }) >= 7;
  }));
}

// --- Impostors --------------------------------------------------------------------------------

// Somebody who speaks the protocol, and lies.
class ImpostorTest : public PeerTransportTest {
 protected:
  ~ImpostorTest() noexcept override = default;

  void SetUp() override {
    a_ = &start_member("a");
    b_ = &start_member("b");
    introduce_all();
    ASSERT_TRUE(goes_through(*b_, *a_));
    a_->received.clear();
  }
  void TearDown() override {
    speaking_ = nullptr;
    connection_ = nullptr;
    EXPECT_TRUE(run_until([&] { return open_handles_.none(); }));
    PeerTransportTest::TearDown();
  }

  // Says hello to `a` as `x`, and goes on with these frames if it is welcome.
  void speak(const std::vector<Bytes>& frames, std::uint32_t version = kPeerProtocolVersion) {
    speaking_ =
        dial_tcp(*port_, open_handles_, a_->address())
            .then([this, version](kj::Own<KjStream>&& stream) {
              connection_ = kj::heap<GateConnection>(kj::mv(stream), PeerTransportOptions{});
              auto request = connection_->gate().handshakeRequest();
              write_hello({kCluster, {id("x"), {}}, raft::Boot(1), "x:1"}, request.initHello());
              request.getHello().setProtocolVersion(version);
              request.setReceiver("a");
              return request.send();
            })
            .then([this, frames](capnp::Response<proto::Gate::HandshakeResults>&& response) {
              refusal_ = wire::as_text(response.getRefusal());
              auto request = response.getPeer().deliverRequest();
              auto list = request.initFrames(static_cast<unsigned>(frames.size()));
              for (unsigned i = 0; i < list.size(); ++i) {
                list.set(i, wire::as_data(frames[i].view()));
              }
              return request.send().ignoreResult();
            })
            .catch_([](kj::Exception&&) {})
            .then([this] { done_ = true; })
            .eagerlyEvaluate(nullptr);
    EXPECT_TRUE(run_until([&] { return done_; }));
  }
  static Bytes frame(raft::Message message) { return codec::encode_message(kCluster, message); }
  // What `x` might say.
  raft::Message message() const {
    raft::Message message = b_->message(*a_, 1);
    message.from.id = id("x");
    return message;
  }
  void expect_cut_off(std::size_t received_before) {
    EXPECT_EQ(a_->cut_off.size(), 1U);
    EXPECT_EQ(a_->received.size(), received_before);
    EXPECT_TRUE(goes_through(*b_, *a_));
  }

  Node* a_ = nullptr;
  Node* b_ = nullptr;
  HandleCount open_handles_;
  kj::Own<GateConnection> connection_;
  kj::Promise<void> speaking_ = nullptr;
  std::string refusal_;
  bool done_ = false;
};

TEST_F(ImpostorTest, WhoTellsTheTruthIsHeard) {
  speak({frame(message())});
  EXPECT_TRUE(a_->cut_off.empty());
  EXPECT_EQ(a_->received.size(), 1U);
}

TEST_F(ImpostorTest, AFrameThatIsNoMessageIsCutOffWithWhatFollows) {
  speak({frame(message()), Bytes::copy_of("not a message"), frame(message())});
  expect_cut_off(1);
}

TEST_F(ImpostorTest, AnEmptyFrameIsCutOff) {
  speak({Bytes()});
  expect_cut_off(0);
}

TEST_F(ImpostorTest, AMessageInTheNameOfAnotherServerIsCutOff) {
  raft::Message lie = message();
  lie.from.id = id("b");
  speak({frame(lie)});
  expect_cut_off(0);
}

TEST_F(ImpostorTest, AMessageOfAnotherBootIsCutOff) {
  raft::Message lie = message();
  lie.from_boot = raft::Boot(2);
  speak({frame(lie)});
  expect_cut_off(0);
}

TEST_F(ImpostorTest, AMessageForAnotherServerIsCutOff) {
  raft::Message lie = message();
  lie.to.id = id("b");
  speak({frame(lie)});
  expect_cut_off(0);
}

TEST_F(ImpostorTest, AMessageOfAnotherClusterIsCutOff) {
  speak({codec::encode_message(raft::ClusterId(1), message())});
  expect_cut_off(0);
}

TEST_F(ImpostorTest, AnotherVersionOfTheProtocolIsRefused) {
  speak({frame(message())}, kPeerProtocolVersion + 1);
  EXPECT_EQ(refusal_, "version 2 of the protocol is not spoken here, but version 1");
  EXPECT_TRUE(a_->received.empty());
}

// --- The end ----------------------------------------------------------------------------------

TEST_F(PeerTransportTest, ClosesWhileItConnects) {
  for (int turns = 0; turns < 10; ++turns) {
    Node& a = start_member("a");
    Node& b = start_member("b");
    a.transport.set_peers({{b.self.id, b.address()}, {id("c"), "localhost:1"}});
    for (int i = 0; i < turns; ++i) uv_run(&loop_, UV_RUN_NOWAIT);
    stop(a);
    stop(b);
  }
}

TEST_F(PeerTransportTest, ClosesWithMessagesAndCallsUnderWay) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  for (int i = 0; i < 30; ++i) a.send(b, 1, std::string(1 << 20, 'x'));
  a.transport.call_found(b.address(), Bytes::copy_of("hello"), 10s,
                         [](const Result<Bytes>&) { ADD_FAILURE() << "answered after the end"; });
  uv_run(&loop_, UV_RUN_NOWAIT);
  stop(a);
  EXPECT_TRUE(b.cut_off.empty());
}

TEST_F(PeerTransportTest, HearsNothingMoreOnceItIsToClose) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  ASSERT_TRUE(connect(a, b));
  bool closed = false;
  b.on_received = [&] { b.transport.close([&] { closed = true; }); };
  for (int i = 0; i < 10; ++i) a.send(b, 1);
  ASSERT_TRUE(run_until([&] { return closed; }));
  EXPECT_EQ(b.received.size(), 1U);
  std::erase_if(nodes_, [&](const auto& node) { return node.get() == &b; });
}

}  // namespace
}  // namespace anchor::io
