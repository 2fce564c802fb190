#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/deferred_messages.h"
#include "core/replica.h"
#include "io/disk_writer.h"
#include "io/http_connection.h"
#include "io/http_server.h"
#include "io/log_store.h"
#include "io/peer_transport.h"
#include "server/log.h"
#include "server/log_limit.h"
#include "server/routes.h"
#include "server/status_json.h"

namespace anchor::server {

// A member of a cluster: the replica, and what carries out its output. All inputs of a turn of the
// loop are one step.
class Node {
 public:
  struct Options {
    Replica::Options replica{};
    // How long a request may take: less than clients wait by habit, so that they hear the outcome.
    Duration request_timeout = 4s;
  };
  struct Handlers {
    // A write to the disk failed: the process must end.
    std::function<void(const Error&)> disk_failed;
  };

  // Joins the transport to the member's cluster. All references outlive it.
  Node(uv_loop_t* loop, const Options& options, io::OpenedLogStore opened,
       io::PeerTransport& transport, io::HttpServer& http, Log& log, Handlers handlers);
  // Requires: closed.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const raft::Raft& raft() const { return replica_.raft(); }
  std::optional<LeaderInfo> leader() const;

  // --- Inputs, gathered until the next turn
  // -------------------------------------------------------
  void take(raft::Message message) {
    inputs_.emplace_back(std::in_place_type<PeerMessage>, std::move(message));
  }
  void take_unreachable(const raft::ServerId& peer) {
    inputs_.emplace_back(std::in_place_type<PeerUnreachable>, peer);
  }
  void take(KvRequest request, io::HttpTicket ticket);

  // Steps if there is a reason to. Called in each turn of the loop.
  void turn();
  // There are inputs that the next turn will take in.
  bool has_inputs() const { return !closing_ && !inputs_.empty(); }

  NodeStatus status() const;
  std::vector<HealthCheck> health() const;

  // Waits for the disk, then calls `closed` when the loop holds nothing of it any more.
  void close(std::function<void()> closed);

 private:
  struct Waiting {
    io::HttpTicket ticket;
    KvAnswer answer;
  };

  void step(Instant now);
  void carry_out(Output output);
  void durable(raft::WriteId id);
  void arm_timer(Instant now);
  void report(const raft::Event& event);
  void handle_closed();
  NodeStatus::Role role() const;
  NodeStatus::PeerStatus peer_status(const raft::Member& member, Instant now) const;

  const Options options_;
  io::PeerTransport& transport_;
  io::HttpServer& http_;
  Log& log_;
  LogLimit campaigns_;

  std::unique_ptr<io::LogStore> store_;
  Replica replica_;
  io::DiskWriter disk_;
  DeferredMessages deferred_;

  std::vector<Input> inputs_;
  std::vector<Input> stepping_;
  uv_timer_t timer_{};
  bool due_ = true;
  bool closing_ = false;
  bool timer_open_ = true;
  bool disk_open_ = true;
  std::function<void()> closed_;

  std::uint64_t last_request_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
};

}  // namespace anchor::server
