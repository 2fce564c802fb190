#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/data_directory.h"
#include "io/http_server.h"
#include "io/kj_event_port.h"
#include "io/peer_transport.h"
#include "server/founder.h"
#include "server/joiner.h"
#include "server/log.h"
#include "server/log_limit.h"
#include "server/node.h"
#include "server/options.h"
#include "server/start_up.h"

namespace anchor::server {

// The process: the loop and all that lives on it. First a founder or a joiner, if the directory is
// empty; then a node; at last it drains and ends.
class Server final : public io::PeerTransportHandler, public io::HttpHandler {
 public:
  Server(const Options& options, StartUp start_up, Log& log);
  ~Server() override;

  // Runs until the process is told to end. Returns its exit code.
  int run();

 private:
  // --- From peers
  // ---------------------------------------------------------------------------------
  void on_message(raft::Message message) override;
  void on_accept_failed(const Error& error) override;
  void on_connect_failed(const raft::ServerId& peer, const Error& error) override;
  void on_peer_unreachable(const raft::ServerId& peer) override;
  std::optional<io::PeerRefusal> refuse(const io::PeerHello& hello,
                                        const raft::ServerId& receiver) override;
  void on_refused(const raft::ServerId& peer, const std::string& reason) override;
  void on_removed(const io::PeerHello& peer, raft::Index configuration_index) override;
  void on_cut_off(const std::string& address, const std::string& reason) override;
  Bytes on_founding_message(const Bytes& message) override;
  void on_join_message(const Bytes& message, std::function<void(Bytes)> reply) override;

  // --- From clients
  // -------------------------------------------------------------------------------
  void handle(const io::HttpRequest& request, io::HttpTicket ticket) override;
  void abandoned(io::HttpTicket ticket) override {
    if (node_) node_->abandon(ticket);
  }
  io::HttpResponse refuse(const io::HttpRefusal& refusal, const io::HttpRequest* partial) override;
  std::optional<ApiError> takes_no_requests() const;
  void answer_members(io::HttpTicket ticket);
  void answer_settings(io::HttpTicket ticket);
  void answer(KvRequest request, io::HttpTicket ticket);
  void answer(const WatchRequest& request, io::HttpTicket ticket);
  void answer(const raft::AdminRequest& request, io::HttpTicket ticket);
  std::vector<HealthCheck> health() const;
  NodeStatus status() const;

  bool listen();
  void begin();
  void become_founder(FoundCluster beginning);
  void become_joiner(JoinCluster beginning);
  void become_member(io::OpenedLogStore opened);
  void take_founding();
  void take_joining();
  void follow_own_address();
  void watch_signals();
  void turn();
  Instant loop_now() const { return Instant(std::chrono::milliseconds(uv_now(&loop_))); }
  void tell_left_out();
  void warn_once(const raft::ServerId& peer, const std::string& trouble);

  void on_signal(int signal);
  // Serves on for a while, in which it refuses whatever is new ...
  void begin_drain();
  void hand_over();
  void end_grace();
  void stop_listening();
  // ... then ends the process after what is in flight.
  void drain();
  void close_all();
  // At once: nothing that follows could be trusted.
  [[noreturn]] void fail(int code, const std::string& message);

  const Options options_;
  const std::string id_;
  Log& log_;
  LogLimit cut_offs_;
  LogLimit accept_failures_;
  uv_loop_t loop_{};
  io::DataDirectory directory_;
  std::optional<Beginning> beginning_;

  std::optional<io::KjEventPort> port_;
  std::optional<io::PeerTransport> transport_;
  std::optional<io::HttpServer> http_;
  std::unique_ptr<Founder> founder_;
  // Of a server that is no member yet, or has moved.
  std::unique_ptr<Joiner> joiner_;
  std::unique_ptr<Node> node_;
  // Founded, or joined, in this turn.
  std::optional<FoundingProposal> founded_;
  std::optional<Joined> joined_;

  uv_prepare_t prepare_{};
  uv_check_t check_{};
  uv_idle_t again_{};
  uv_signal_t terminate_{};
  uv_signal_t interrupt_{};
  uv_timer_t drain_timer_{};
  bool draining_ = false;
  // While it drains: its leadership is on its way to another; it has served for long enough.
  bool handing_over_ = false;
  bool grace_over_ = false;
  // What was said last of a peer: it is tried again and again, and said once.
  std::map<raft::ServerId, std::string> last_troubles_;
};

}  // namespace anchor::server
