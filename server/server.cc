#include "server/server.h"

#include <unistd.h>

#include <csignal>
#include <iostream>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/founding_codec.h"
#include "io/uv_support.h"
#include "server/descriptors.h"
#include "server/system.h"
#include "server/version.h"

namespace anchor::server {
namespace {

using io::as_uv_handle;

// From the signal on, for clients and whoever balances them to hear that this node goes away.
constexpr Duration kDrainGrace = 1s;
// After that, for clients' requests in flight, before they are cut off.
constexpr Duration kDrainTimeout = 10s;

// Anybody may connect and be cut off, as often as they like.
constexpr std::uint64_t kCutOffLines = 5;
constexpr Duration kCutOffPeriod = 10s;
constexpr Duration kAcceptFailurePeriod = 60s;

Server* server_of(const void* handle) {
  return static_cast<Server*>(static_cast<const uv_handle_t*>(handle)->data);
}

}  // namespace

Server::Server(const Options& options, StartUp start_up, Log& log)
    : options_(options),
      id_(start_up.id),
      log_(log),
      cut_offs_(kCutOffLines, kCutOffPeriod),
      accept_failures_(1, kAcceptFailurePeriod),
      directory_(std::move(start_up.directory)),
      beginning_(std::move(start_up.beginning)) {
  ANCHOR_ASSERT(uv_loop_init(&loop_) == 0);
  port_.emplace(&loop_);
  transport_.emplace(*port_, io::PeerTransportOptions{.seed = fresh_seed()}, *this);
  http_.emplace(&loop_,
                io::HttpServerOptions{
                    .connection_count = http_connection_count(raise_descriptor_limit()),
                    .accept_failed = [this](const Error& error) { on_accept_failed(error); }},
                *this);
  uv_prepare_init(&loop_, &prepare_);
  uv_check_init(&loop_, &check_);
  uv_idle_init(&loop_, &again_);
  uv_signal_init(&loop_, &terminate_);
  uv_signal_init(&loop_, &interrupt_);
  uv_timer_init(&loop_, &drain_timer_);
  for (uv_handle_t* handle :
       {as_uv_handle(prepare_), as_uv_handle(check_), as_uv_handle(again_),
        as_uv_handle(terminate_), as_uv_handle(interrupt_), as_uv_handle(drain_timer_)}) {
    handle->data = this;
  }
}

Server::~Server() = default;

int Server::run() {
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { server_of(handle)->turn(); });
  uv_check_start(&check_, [](uv_check_t* handle) { server_of(handle)->turn(); });
  const bool listening = listen();
  if (listening) {
    begin();
  } else {
    close_all();
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  // Everything has closed its handles; what is left is freed in the order of its dependencies.
  node_.reset();
  founder_.reset();
  http_.reset();
  transport_.reset();
  port_.reset();
  ANCHOR_ASSERT(uv_loop_close(&loop_) == 0);
  if (!listening) return kExitFailed;
  log_.info("stopped");
  return 0;
}

void Server::begin() {
  watch_signals();
  Beginning beginning = std::move(*std::exchange(beginning_, std::nullopt));
  if (auto* resume = std::get_if<ResumeMember>(&beginning)) {
    become_member(std::move(resume->opened));
  } else {
    become_founder(std::move(std::get<FoundCluster>(beginning)));
  }
}

bool Server::listen() {
  const auto complain = [&](const char* flag, const Error& error) {
    std::cerr << "anchor: " << flag << ": " << error.message << '\n';
    return false;
  };
  if (auto listening = transport_->listen(options_.listen, options_.port); !listening) {
    return complain("--port", listening.error());
  }
  if (auto listening = http_->listen(options_.http_listen, options_.http_port); !listening) {
    return complain("--http-port", listening.error());
  }
  Fields fields;
  fields.add("version", version());
  fields.add("dir", directory_.path());
  fields.add("peer_address", options_.advertise);
  fields.add("http_address", options_.http_advertise);
  log_.info("started", fields);
  return true;
}

// --- Being a founder, and a member --------------------------------------------------------------

void Server::become_founder(FoundCluster beginning) {
  founder_ = std::make_unique<Founder>(
      &loop_, std::move(beginning), directory_, *transport_, log_,
      Founder::Handlers{
          // Not now: it is the founder who calls.
          .founded = [this](const FoundingProposal& proposal) { founded_ = proposal; },
          .exit = [this](int code, const std::string& message) { fail(code, message); }});
  founder_->start();
}

void Server::take_founding() {
  const FoundingProposal proposal = *std::exchange(founded_, std::nullopt);
  auto opened = store_founder(directory_, id_, proposal);
  if (!opened) fail(kExitStorage, opened.error().message);
  log_.info("founded a cluster with " + std::to_string(proposal.founders.size()) + " servers");
  if (proposal.founders.size() == 1) {
    log_.warn("this cluster has one server: if its disk is lost, everything is");
  }
  become_member(std::move(*opened));
  // It stays to the end: answers to what it asked may still come in.
  founder_->close();
}

void Server::become_member(io::OpenedLogStore opened) {
  const auto& recovered = opened.recovered;
  Fields fields;
  fields.add("boot", recovered.boot.value());
  fields.add("term", recovered.hard_state.term.value());
  fields.add("entries", recovered.entries.size());
  log_.info("member of a cluster", fields);
  const Node::Options options{
      .replica = {.raft = {.election_timeout = options_.election_timeout,
                           .heartbeat_interval = options_.heartbeat_interval},
                  .leader_wait = 4 * options_.election_timeout}};
  node_ = std::make_unique<Node>(&loop_, options, std::move(opened), *transport_, *http_, log_,
                                 Node::Handlers{.disk_failed = [this](const Error& error) {
                                   fail(kExitStorage, error.message);
                                 }});
}

// One turn: all that has arrived is one step, and all that comes of it leaves.
void Server::turn() {
  port_->drain();
  if (founded_) take_founding();
  if (node_) node_->turn();
  http_->flush();
  port_->drain();
  tell_left_out();
  // Requests that had to wait for room in a connection.
  const bool more = node_ && node_->has_inputs();
  if (more) {
    uv_idle_start(&again_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&again_);
  }
}

// --- From peers ---------------------------------------------------------------------------------

void Server::on_message(raft::Message message) {
  if (node_) node_->take(std::move(message));
}

void Server::on_accept_failed(const Error& error) {
  if (accept_failures_.admits(loop_now())) log_.warn(error.message);
}

void Server::on_connect_failed(const raft::ServerId& peer, const Error& error) {
  warn_once(peer, error.message);
}

void Server::on_peer_unreachable(const raft::ServerId& peer) {
  last_troubles_.erase(peer);
  log_.warn("lost the connection to " + peer.name());
  if (node_) node_->take_unreachable(peer);
}

std::optional<std::string> Server::refuse(const io::PeerHello& hello,
                                          const raft::ServerId& receiver) {
  if (!node_) return id_ + " belongs to no cluster yet";
  const raft::State& state = node_->raft().state();
  const raft::Configuration& configuration = node_->raft().configuration();
  if (receiver != state.self.id) return "this is " + id_ + ", not " + receiver.name();
  if (hello.cluster_id != state.cluster_id) {
    // It takes this server for a member of its own cluster, whose disk was lost, then: what was
    // founded here meanwhile must not be taken for that cluster.
    if (configuration.members.size() == 1) {
      fail(kExitIdentity, hello.peer.id.name() +
                              " belongs to another cluster, which has a member " + id_ +
                              ": this directory is not that member's. Remove " + id_ +
                              " from that cluster, and let it join again with an empty directory");
    }
    return id_ + " belongs to another cluster";
  }
  const raft::Member* known = configuration.find(hello.peer.id);
  if (known != nullptr && hello.peer.incarnation < known->incarnation) {
    return hello.peer.id.name() + " has been admitted anew since";
  }
  return std::nullopt;
}

void Server::on_refused(const raft::ServerId& peer, const std::string& reason) {
  warn_once(peer, peer.name() + " refuses messages from this server: " + reason);
}

void Server::warn_once(const raft::ServerId& peer, const std::string& trouble) {
  std::string& last = last_troubles_[peer];
  if (last == trouble) return;
  last = trouble;
  log_.warn(trouble);
}

void Server::on_cut_off(const std::string& address, const std::string& reason) {
  if (!cut_offs_.admits(loop_now())) return;
  log_.warn("cut off a connection from " + address + ": " + reason);
}

void Server::tell_left_out() {
  const std::uint64_t count = cut_offs_.take_left_out(loop_now());
  if (count > 0) log_.warn("cut off more connections", Fields().add("count", count));
}

Bytes Server::on_founding_message(const Bytes& message) {
  if (founder_ && !node_) return founder_->answer(message);
  const auto request = codec::decode_founding_request(message);
  if (!node_ || !request) {
    return codec::encode_founding_reply(FoundingRefused{"not a founding request"});
  }
  const raft::State& state = node_->raft().state();
  return codec::encode_founding_reply(
      answer_as_member(state.cluster_id, state.self.id, node_->raft().configuration(), *request));
}

// --- From clients -------------------------------------------------------------------------------

void Server::handle(const io::HttpRequest& request, io::HttpTicket ticket) {
  ParsedRequest parsed = parse_request(request);
  if (auto* kv = std::get_if<KvRequest>(&parsed)) return answer(std::move(*kv), ticket);
  if (auto* response = std::get_if<io::HttpResponse>(&parsed)) {
    return http_->respond(ticket, std::move(*response));
  }
  if (const auto* wanted = std::get_if<HealthRequest>(&parsed)) {
    const bool live = wanted->kind == HealthRequest::Kind::kLive;
    // That it answers is what it says: the loop turns.
    const auto checks = live ? std::vector<HealthCheck>{{.name = "loop"}} : health();
    return http_->respond(ticket, render_health(checks, wanted->excluded));
  }
  http_->respond(ticket, render_status(status()));
}

void Server::answer(KvRequest request, io::HttpTicket ticket) {
  if (draining_ || !node_) {
    const auto leader = node_ ? node_->leader() : std::nullopt;
    const ErrorStyle style = request.answer.error_style;
    return http_->respond(ticket,
                          draining_ ? render_shutting_down(style, leader) : render_founding(style));
  }
  node_->take(std::move(request), ticket);
}

io::HttpResponse Server::refuse(const io::HttpRefusal& refusal, const io::HttpRequest* partial) {
  return render_refusal(refusal, partial);
}

std::vector<HealthCheck> Server::health() const {
  std::vector<HealthCheck> checks;
  if (node_) {
    checks = node_->health();
  } else {
    checks.push_back({.name = "member", .failure = "waiting to found a cluster"});
  }
  checks.push_back({.name = "shutdown"});
  if (draining_) checks.back().failure = "shutting down";
  return checks;
}

NodeStatus Server::status() const {
  if (node_) return node_->status();
  return {.node_id = id_, .version = version()};
}

// --- The end ------------------------------------------------------------------------------------

void Server::watch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is a failed write like any other.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto handler = [](uv_signal_t* handle, int signal) {
    server_of(handle)->on_signal(signal);
  };
  uv_signal_start(&terminate_, handler, SIGTERM);
  uv_signal_start(&interrupt_, handler, SIGINT);
}

void Server::on_signal(int signal) {
  if (draining_) {
    log_.warn("stopped at once by a second signal");
    log_.flush();
    ::_exit(128 + signal);
  }
  log_.info("shutting down");
  begin_drain();
}

void Server::begin_drain() {
  draining_ = true;
  http_->begin_drain();
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->drain(); }, ceil_ms(kDrainGrace), 0);
}

void Server::drain() {
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->close_all(); },
      ceil_ms(kDrainTimeout), 0);
  http_->drain([this] { close_all(); });
}

void Server::close_all() {
  if (uv_is_closing(as_uv_handle(drain_timer_)) != 0) return;
  for (uv_handle_t* handle : {as_uv_handle(terminate_), as_uv_handle(interrupt_),
                              as_uv_handle(drain_timer_), as_uv_handle(again_)}) {
    uv_close(handle, nullptr);
  }
  // Once there is a node, the founder is closed already.
  if (founder_ && !node_) founder_->close();
  const auto close_shell = [this] {
    http_->close([this] {
      transport_->close([this] {
        uv_close(as_uv_handle(prepare_), nullptr);
        uv_close(as_uv_handle(check_), nullptr);
        port_->close([] {});
      });
    });
  };
  if (node_) {
    node_->close(close_shell);
  } else {
    close_shell();
  }
}

void Server::fail(int code, const std::string& message) {
  log_.error(message);
  log_.flush();
  ::_exit(code);
}

}  // namespace anchor::server
