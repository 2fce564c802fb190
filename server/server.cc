#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <utility>

#include "core/base/assert.h"
#include "io/uv_support.h"
#include "server/descriptors.h"
#include "server/system.h"
#include "server/version.h"

namespace anchor::server {
namespace {

using io::as_uv_handle;

// Anybody may connect and be cut off, as often as they like.
constexpr std::uint64_t kCutOffLines = 5;
constexpr Duration kCutOffPeriod = 10s;
constexpr Duration kAcceptFailurePeriod = 60s;

// Snapshots that are small and many must not make a leader refuse what is in flight.
constexpr std::uint64_t kLeastLogBytes = 256 << 20;

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
  joiner_.reset();
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
    follow_own_address();
  } else if (auto* join = std::get_if<JoinCluster>(&beginning)) {
    become_joiner(std::move(*join));
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

void Server::become_joiner(JoinCluster beginning) {
  log_.info("asks to join the cluster of its peers");
  joiner_ = std::make_unique<Joiner>(
      &loop_, std::move(beginning.options), "joining", *transport_, log_,
      Joiner::Handlers{// Not now: it is the joiner who calls.
                       .joined = [this](const Joined& joined) { joined_ = joined; },
                       .rejected =
                           [this](const std::string& why) {
                             fail(kExitIdentity, why + ": 'anchorctl member remove " + id_ +
                                                     "' does that; then start this server again");
                           }});
  joiner_->start();
}

void Server::take_joining() {
  const Joined joined = *std::exchange(joined_, std::nullopt);
  auto opened = store_joiner(directory_, joined);
  if (!opened) fail(kExitStorage, opened.error().message);
  log_.info("joined a cluster of " + std::to_string(joined.configuration->members.size()) +
            " servers");
  become_member(std::move(*opened));
  // It stays to the end, as a founder does.
  joiner_->close();
}

// A member that has moved says so. It cannot wait for the others, which look for it elsewhere.
void Server::follow_own_address() {
  const raft::State& state = node_->raft().state();
  const raft::Member* self = state.configuration().find(state.self.id);
  if (self == nullptr || self->incarnation != state.self.incarnation) return;
  if (self->address == options_.advertise && self->http_address == options_.http_advertise) return;
  log_.info("has moved from " + self->address + " to " + options_.advertise,
            Fields().add("http_address", options_.http_advertise));
  Joining::Options moving{
      .request = {.cluster_id = state.cluster_id,
                  .request = raft::MoveServer{.member = state.self,
                                              .address = options_.advertise,
                                              .http_address = options_.http_advertise}},
      .peers = {},
      .seed = fresh_seed()};
  for (const raft::Member& member : state.configuration().members) {
    if (member.id != state.self.id) moving.peers.push_back(member.address);
  }
  // Where the others are, if they have moved as well.
  for (const std::string& peer : options_.peers) {
    if (std::ranges::find(moving.peers, peer) == moving.peers.end() && peer != options_.advertise) {
      moving.peers.push_back(peer);
    }
  }
  // For who leads alone; else its own replica hardly knows a leader.
  moving.peers.push_back(Joiner::kSelf);
  joiner_ = std::make_unique<Joiner>(
      &loop_, std::move(moving), "moving", *transport_, log_,
      Joiner::Handlers{
          .joined =
              [this](const Joined&) { log_.info("the cluster knows this server's new address"); },
          .rejected = [this](const std::string& why) { log_.warn("moving: " + why); },
          .ask_self =
              [this](JoinRequest request, std::function<void(JoinReply)> answered) {
                node_->take(std::move(request), std::move(answered));
              }});
  joiner_->start();
}

void Server::become_member(io::OpenedLogStore opened) {
  const auto& recovered = opened.recovered;
  Fields fields;
  fields.add("boot", recovered.boot.value());
  fields.add("term", recovered.hard_state.term.value());
  fields.add("entries", recovered.entries.size());
  if (!recovered.snapshots.empty()) {
    fields.add("snapshot", recovered.snapshots.back().position.index.value());
  }
  log_.info("member of a cluster", fields);
  for (const codec::DamagedSnapshot& damaged : opened.damaged_snapshots) {
    log_.warn("a snapshot is damaged, and an older one is used: " + damaged.name + ": " +
              damaged.reason);
  }
  const Node::Options options{
      .replica = {.raft = {.election_timeout = options_.election_timeout,
                           .heartbeat_interval = options_.heartbeat_interval,
                           .max_clock_drift_ppm = options_.max_clock_drift_ppm,
                           .trailing_bytes = options_.snapshot_bytes / 8,
                           .log_bytes = std::max(8 * options_.snapshot_bytes, kLeastLogBytes)},
                  .leader_wait = 4 * options_.election_timeout,
                  .snapshot_bytes = options_.snapshot_bytes,
                  .digest_interval = options_.digest_interval,
                  .first_settings = options_.first_settings},
      .scrub_interval = options_.scrub_interval,
      .disk_reserve_bytes = options_.disk_reserve_bytes,
      .directory = options_.dir,
      .advertise = options_.advertise};
  node_ = std::make_unique<Node>(
      &loop_, options, std::move(opened), *transport_, *http_, log_,
      Node::Handlers{
          .disk_failed = [this](const Error& error) { fail(kExitStorage, error.message); },
          .memory_damaged =
              [this] {
                fail(kExitMemory,
                     "the state in memory is not what was written there: start the server "
                     "again, and test its memory");
              }});
}

// One turn: all that has arrived is one step, and all that comes of it leaves.
void Server::turn() {
  port_->drain();
  if (founded_) take_founding();
  if (joined_) take_joining();
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

// --- From clients -------------------------------------------------------------------------------

void Server::handle(const io::HttpRequest& request, io::HttpTicket ticket) {
  ParsedRequest parsed = parse_request(request);
  if (auto* kv = std::get_if<KvRequest>(&parsed)) return answer(std::move(*kv), ticket);
  if (const auto* watch = std::get_if<WatchRequest>(&parsed)) return answer(*watch, ticket);
  if (const auto* admin = std::get_if<raft::AdminRequest>(&parsed)) {
    return answer(*admin, ticket);
  }
  if (auto* response = std::get_if<io::HttpResponse>(&parsed)) {
    return http_->respond(ticket, std::move(*response));
  }
  if (const auto* wanted = std::get_if<HealthRequest>(&parsed)) {
    const bool live = wanted->kind == HealthRequest::Kind::kLive;
    // That it answers is what it says: the loop turns.
    const auto checks = live ? std::vector<HealthCheck>{{.name = "loop"}} : health();
    return http_->respond(ticket, render_health(checks, wanted->excluded));
  }
  if (std::holds_alternative<MembersRequest>(parsed)) return answer_members(ticket);
  if (std::holds_alternative<SettingsRequest>(parsed)) return answer_settings(ticket);
  http_->respond(ticket, render_status(status()));
}

// Why requests are not for this node now.
std::optional<ApiError> Server::takes_no_requests() const {
  if (draining_) return shutting_down();
  if (!node_) return in_no_cluster();
  if (node_->removed()) return removed_from_cluster();
  return std::nullopt;
}

// Whoever was removed does not know who is a member now.
void Server::answer_members(io::HttpTicket ticket) {
  if (node_ && !node_->removed()) return http_->respond(ticket, render_members(node_->members()));
  http_->respond(ticket,
                 render_error(node_ ? removed_from_cluster() : in_no_cluster(), ErrorStyle::kJson));
}

void Server::answer_settings(io::HttpTicket ticket) {
  if (const auto error = takes_no_requests()) {
    return http_->respond(ticket, render_error(*error, ErrorStyle::kJson));
  }
  if (!node_->serves()) {
    return http_->respond(ticket, render_error(state_distrusted(), ErrorStyle::kJson));
  }
  http_->respond(ticket, render_settings(node_->settings()));
}

void Server::answer(KvRequest request, io::HttpTicket ticket) {
  if (const auto error = takes_no_requests()) {
    const auto leader = node_ ? node_->leader() : std::nullopt;
    return http_->respond(ticket, render_error(*error, request.answer.error_style, leader));
  }
  if (request.answer.large && http_->crowded()) {
    return http_->respond(ticket, render_error(crowded(), request.answer.error_style));
  }
  node_->take(std::move(request), ticket);
}

void Server::answer(const WatchRequest& request, io::HttpTicket ticket) {
  auto error = takes_no_requests();
  if (!error && !node_->serves()) error = state_distrusted();
  if (!error && http_->crowded()) error = crowded();
  if (!error) return node_->take(request, ticket);
  const auto leader = node_ ? node_->leader() : std::nullopt;
  http_->respond(ticket, render_error(*error, ErrorStyle::kJson, leader));
}

void Server::answer(const raft::AdminRequest& request, io::HttpTicket ticket) {
  if (const auto error = takes_no_requests()) {
    const auto leader = node_ ? node_->leader() : std::nullopt;
    return http_->respond(ticket, render_admin_error(*error, leader));
  }
  node_->take(request, [this, request, ticket](const Outcome& outcome) {
    auto leader = node_->leader();
    if (const auto* done = std::get_if<AdminDone>(&outcome)) {
      const auto* to = std::get_if<raft::LeadershipTransferred>(&done->answer);
      if (to != nullptr) leader = node_->address_of(to->leader);
    }
    http_->respond(ticket, render_admin(request, outcome, leader));
  });
}

io::HttpResponse Server::refuse(const io::HttpRefusal& refusal, const io::HttpRequest* partial) {
  return render_refusal(refusal, partial);
}

std::vector<HealthCheck> Server::health() const {
  std::vector<HealthCheck> checks;
  if (node_) {
    checks = node_->health();
  } else {
    checks.push_back(
        {.name = "member",
         .failure = joiner_ ? "waiting to join a cluster" : "waiting to found a cluster"});
  }
  checks.push_back({.name = "shutdown"});
  if (draining_) checks.back().failure = "shutting down";
  return checks;
}

NodeStatus Server::status() const {
  if (node_) return node_->status();
  return {.node_id = id_, .version = version()};
}

}  // namespace anchor::server
