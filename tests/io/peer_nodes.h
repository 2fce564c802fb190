#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/peer_transport.h"
#include "tests/io/kj_loop.h"

namespace anchor::io {

inline const raft::ClusterId kCluster(77);

inline raft::ServerId id(const std::string& name) {
  return raft::ServerId(name);
}

// A server that keeps what it is told.
class Node final : public PeerTransportHandler {
 public:
  Node(KjEventPort& port, std::string name, const PeerTransportOptions& options)
      : self{id(name), {}}, transport(port, options, *this) {}

  void on_message(raft::Message message) override {
    received.push_back(std::move(message));
    received_in_turn.push_back(turn ? *turn : 0);
    if (on_received) on_received();
  }
  void on_peer_unreachable(const raft::ServerId& peer) override {
    unreachable.push_back(peer.name());
  }
  std::optional<PeerRefusal> refuse(const PeerHello& hello,
                                    const raft::ServerId& receiver) override {
    if (hello.cluster_id != kCluster) return PeerRefusal{"another cluster"};
    if (removed_at) return PeerRefusal{"removed", removed_at};
    if (receiver != self.id) return PeerRefusal{"this is " + self.id.name()};
    return std::nullopt;
  }
  void on_refused(const raft::ServerId&, const std::string& reason) override {
    refusals.push_back(reason);
    if (on_refusal) on_refusal();
  }
  void on_removed(const PeerHello& peer, raft::Index index) override {
    removals.emplace_back(peer.peer, index);
  }
  void on_cut_off(const std::string&, const std::string& why) override { cut_off.push_back(why); }
  void on_accept_failed(const Error&) override {}
  void on_connect_failed(const raft::ServerId&, const Error&) override {}
  Bytes on_founding_message(const Bytes& message) override {
    return Bytes::copy_of("re: " + std::string(message.text()));
  }
  void on_join_message(const Bytes& message, std::function<void(Bytes)> reply) override {
    joining.emplace_back(message.text());
    join_replies.push_back(std::move(reply));
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(transport.port()); }

  // A message with a number to know it by, and one entry with that payload if there is one.
  raft::Message message(const Node& to, std::uint64_t number, std::string_view payload = {}) const {
    raft::AppendEntries append{.previous = {}, .commit_index = {}, .round = {}, .entries = {}};
    if (!payload.empty()) {
      append.entries.push_back(
          {raft::Index(1), raft::Term(1), raft::Command{Bytes::copy_of(payload)}});
    }
    return {
        .from = self, .from_boot = boot, .to = to.self, .term = raft::Term(number), .body = append};
  }
  void send(const Node& to, std::uint64_t number, std::string_view payload = {}) {
    transport.send(message(to, number, payload));
  }

  raft::Peer self;
  raft::Boot boot = raft::Boot(1);
  PeerTransport transport;
  const std::uint64_t* turn = nullptr;  // of the loop

  std::vector<raft::Message> received;
  std::vector<std::uint64_t> received_in_turn;
  std::function<void()> on_received;
  std::vector<std::string> unreachable;
  std::vector<std::string> refusals;
  std::function<void()> on_refusal;
  std::vector<std::string> cut_off;

  // Whoever says hello was removed by this configuration.
  std::optional<raft::Index> removed_at;
  std::vector<std::pair<raft::Peer, raft::Index>> removals;
  std::vector<std::string> joining;
  std::vector<std::function<void(Bytes)>> join_replies;
};

// Somebody who connects and does not know how to behave.
class Stranger {
 public:
  explicit Stranger(const Node& node) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(node.transport.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void send(std::string_view bytes) {
    ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  // Whether the other side has closed the connection.
  bool turned_away() {
    char buffer[4096];
    ssize_t size = 0;
    while ((size = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
    }
    return size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  int fd_;
};

// Servers in one loop.
class PeerTransportTest : public KjLoop {
 protected:
  void TearDown() override {
    while (!nodes_.empty()) stop(*nodes_.back());
  }

  Node& start(const std::string& name, const PeerTransportOptions& options = {},
              std::uint16_t port = 0) {
    nodes_.push_back(std::make_unique<Node>(*port_, name, options));
    Node& node = *nodes_.back();
    node.turn = &turn_;
    const auto listening = node.transport.listen("127.0.0.1", port);
    EXPECT_TRUE(listening) << listening.error().message;
    return node;
  }
  Node& start_member(const std::string& name, const PeerTransportOptions& options = {},
                     std::uint16_t port = 0) {
    Node& node = start(name, options, port);
    node.transport.join_cluster(kCluster, node.self, node.boot, name + ":1");
    return node;
  }
  void stop(Node& node) {
    bool closed = false;
    node.transport.close([&] { closed = true; });
    EXPECT_TRUE(run_until([&] { return closed; }));
    std::erase_if(nodes_, [&](const auto& other) { return other.get() == &node; });
  }
  // Has every node send to every other.
  void introduce_all() {
    std::map<raft::ServerId, std::string> addresses;
    for (const auto& node : nodes_) addresses[node->self.id] = node->address();
    for (const auto& node : nodes_) node->transport.set_peers(addresses);
  }
  bool connect(Node& from, const Node& to) {
    from.transport.set_peers({{to.self.id, to.address()}});
    return run_until([&] { return from.transport.connected(to.self.id); });
  }
  bool goes_through(Node& from, Node& to) {
    const std::size_t count = to.received.size();
    from.send(to, 1);
    return run_until([&] { return to.received.size() > count; });
  }

  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace anchor::io
