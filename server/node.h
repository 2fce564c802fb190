#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/deferred_messages.h"
#include "core/joining.h"
#include "core/peer_book.h"
#include "core/replica.h"
#include "io/disk_reserve.h"
#include "io/disk_writer.h"
#include "io/http_connection.h"
#include "io/http_server.h"
#include "io/log_store.h"
#include "io/peer_transport.h"
#include "io/snapshot_worker.h"
#include "server/log.h"
#include "server/log_limit.h"
#include "server/members_json.h"
#include "server/routes.h"
#include "server/status_json.h"
#include "server/watch_hub.h"

namespace anchor::server {

// What became of an administrator's request.
using AdminCallback = std::function<void(const Outcome&)>;

// A member of a cluster: the replica, and what carries out its output. All inputs of a turn of the
// loop are one step.
class Node {
 public:
  struct Options {
    Replica::Options replica{};
    // How long a request may take: less than clients wait by habit, so that they hear the outcome.
    Duration request_timeout = 4s;
    // So often the state is held against its digest, so that damage in memory is found.
    Duration scrub_interval = std::chrono::minutes(10);
    // So much of the disk's room is kept back in `directory`.
    std::uint64_t disk_reserve_bytes = 256 << 20;
    std::string directory;
    // Where other servers reach this one.
    std::string advertise;
  };
  struct Handlers {
    // A write to the disk failed: the process must end.
    std::function<void(const Error&)> disk_failed;
    // The state in memory is not what was written there: the process must end.
    std::function<void()> memory_damaged;
  };

  // Joins the transport to the member's cluster. All references outlive it.
  Node(uv_loop_t* loop, const Options& options, io::OpenedLogStore opened,
       io::PeerTransport& transport, io::HttpServer& http, Log& log, Handlers handlers);
  // Requires: closed.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const raft::Raft& raft() const { return replica_.raft(); }
  // None: unknown, or where it is.
  std::optional<LeaderInfo> leader() const;
  // Where the newest configuration has a member.
  std::optional<LeaderInfo> address_of(const raft::ServerId& id) const;
  // It is a member no more, for good.
  bool removed() const { return raft().state().removed; }

  // --- Inputs, gathered until the next turn
  // -------------------------------------------------------
  void take(raft::Message message) {
    inputs_.emplace_back(std::in_place_type<PeerMessage>, std::move(message));
  }
  void take_unreachable(const raft::ServerId& peer) {
    inputs_.emplace_back(std::in_place_type<PeerUnreachable>, peer);
  }
  // `peer` says that this server is a member no more.
  void take_removal(const io::PeerHello& peer, raft::Index configuration_index);
  void take(KvRequest request, io::HttpTicket ticket);
  void take(const WatchRequest& request, io::HttpTicket ticket);
  // The client has gone: if it waits for a lock, it waits no more.
  void abandon(io::HttpTicket ticket);
  // `answered` is called once, in a later turn.
  void take(raft::AdminRequest request, AdminCallback answered);
  // Another server's, which is no member or cannot be reached by any. The same.
  void take(JoinRequest request, std::function<void(JoinReply)> answered);

  // Why the server that says hello is not to be heard; null if it is.
  std::optional<io::PeerRefusal> refuse(const io::PeerHello& hello) const;

  // Steps if there is a reason to. Called in each turn of the loop.
  void turn();
  // There are inputs that the next turn will take in.
  bool has_inputs() const { return !closing_ && !inputs_.empty(); }

  NodeStatus status() const;
  ClusterMembers members() const;
  // As this node has them.
  const kv::Settings& settings() const { return replica_.store().settings(); }
  bool serves() const { return replica_.serves(); }
  std::vector<HealthCheck> health() const;

  // Ends all watches, and lets nobody wait for a lock any more: clients are to go elsewhere.
  void end_waits();
  std::size_t watch_count() const { return watches_.size(); }

  // Waits for the disk, then calls `closed` when the loop holds nothing of it any more.
  void close(std::function<void()> closed);

 private:
  struct Waiting {
    io::HttpTicket ticket;
    KvAnswer answer;
    // It only asks from which revision on this is to be watched.
    std::optional<WatchRequest> watch{};
    bool locks = false;
  };

  void step(Instant now);
  void send(const raft::Message& message);
  void carry_out(Output output);
  void carry_out_snapshots(Output& output);
  io::SnapshotWorker::Handlers snapshot_handlers(Handlers handlers);
  void answer(Waiting waiting, const Outcome& outcome, const std::optional<LeaderInfo>& leader);
  void answer(const Reply& reply, const std::optional<LeaderInfo>& known_leader);
  void follow_configuration(Instant now);
  bool left_out(const io::PeerHello& hello) const;
  void durable(raft::WriteId id);
  void arm_timer(Instant now);
  void report(const raft::Event& event);
  void take(const io::DiskRoomFound& found);
  void handle_closed();
  // In the file node_status.cc.
  NodeStatus::Role role() const;
  NodeStatus::PeerStatus peer_status(const raft::Member& member, Instant now) const;
  std::optional<ClusterMembers::Change> change() const;
  std::optional<ClusterMembers::Change> catching_up() const;

  const Options options_;
  io::PeerTransport& transport_;
  io::HttpServer& http_;
  Log& log_;
  LogLimit campaigns_;

  std::unique_ptr<io::LogStore> store_;
  Replica replica_;
  WatchHub watches_;
  io::DiskWriter disk_;
  io::SnapshotWorker snapshots_;
  std::optional<io::DiskWatch> disk_watch_;
  DeferredMessages deferred_;

  std::vector<Input> inputs_;
  std::vector<Input> stepping_;
  uv_timer_t timer_{};
  uv_timer_t scrub_timer_{};
  uv_timer_t beat_timer_{};
  bool due_ = true;
  bool waits_ended_ = false;
  bool closing_ = false;
  int timers_open_ = 3;
  bool disk_open_ = true;
  bool disk_watch_open_ = true;
  bool snapshots_open_ = true;
  std::function<void()> closed_;

  PeerBook peers_;
  // Up to this configuration, connections of members that it has left out are ended, once they are
  // not answered any more.
  raft::Index ended_up_to_;
  std::optional<raft::KnownLeader> ended_under_;

  std::uint64_t last_request_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  // Those of them that may wait for a lock, by where they came from.
  std::map<io::HttpTicket, RequestId> locking_;
  std::unordered_map<std::uint64_t, AdminCallback> administering_;
};

}  // namespace anchor::server
