#include "server/node.h"

#include <algorithm>
#include <map>
#include <utility>

#include "io/uv_support.h"
#include "server/system.h"
#include "server/version.h"

namespace anchor::server {
namespace {

// As many as an election takes that goes well at the second attempt.
constexpr std::uint64_t kCampaignLines = 4;
constexpr Duration kCampaignPeriod = 60s;

Replica::Options seeded(Replica::Options options) {
  options.seed = fresh_seed();
  return options;
}

}  // namespace

Node::Node(uv_loop_t* loop, const Options& options, io::OpenedLogStore opened,
           io::PeerTransport& transport, io::HttpServer& http, Log& log, Handlers handlers)
    : options_(options),
      transport_(transport),
      http_(http),
      log_(log),
      campaigns_(kCampaignLines, kCampaignPeriod),
      store_(std::move(opened.store)),
      replica_(seeded(options.replica), std::move(opened.recovered)),
      disk_(loop, {.commit = [this](auto batches) { return store_->commit(batches); },
                   .on_durable = [this](raft::WriteId id) { durable(id); },
                   .on_failure = std::move(handlers.disk_failed)}) {
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
  const raft::State& state = raft().state();
  transport_.join_cluster(state.cluster_id, state.self, state.boot);
  std::map<raft::ServerId, std::string> addresses;
  for (const raft::Member& member : raft().configuration().members) {
    if (member.id != state.self.id) addresses.emplace(member.id, member.address);
  }
  transport_.set_peers(addresses);
}

Node::~Node() {
  ANCHOR_ASSERT(!timer_open_ && !disk_open_);
}

std::optional<LeaderInfo> Node::leader() const {
  const auto known = raft().leader();
  if (!known) return std::nullopt;
  const raft::Member* member = raft().configuration().find(known->peer.id);
  return LeaderInfo{.id = known->peer.id.name(),
                    .http_address = member == nullptr ? "" : member->http_address};
}

void Node::take(KvRequest request, io::HttpTicket ticket) {
  if (request.redirect_target && !raft().is_leader()) {
    return http_.respond(ticket, render_redirect(request, leader()));
  }
  const RequestId id(++last_request_);
  waiting_.emplace(id.value(), Waiting{ticket, std::move(request.answer)});
  inputs_.emplace_back(std::in_place_type<ClientRequest>, id,
                       boottime_now() + options_.request_timeout, std::move(request.body));
}

// --- Steps --------------------------------------------------------------------------------------

void Node::turn() {
  if (closing_ || (inputs_.empty() && !due_)) return;
  // Read after the batch's last input was taken in.
  const Instant now = boottime_now();
  step(now);
  arm_timer(now);
}

void Node::step(Instant now) {
  due_ = false;
  stepping_.clear();
  stepping_.swap(inputs_);
  carry_out(replica_.step(now, stepping_));
}

void Node::carry_out(Output output) {
  if (output.persist) disk_.write(std::move(*output.persist));
  for (const raft::Message& message : output.messages) transport_.send(message);
  if (!output.messages_after_persist.empty()) {
    const auto ready = deferred_.hold(std::move(output.messages_after_persist));
    for (const raft::Message& message : ready) transport_.send(message);
  }
  for (const raft::Event& event : output.events) report(event);
  if (output.replies.empty()) return;
  const auto known_leader = leader();
  for (const Reply& reply : output.replies) {
    const auto waiting = waiting_.extract(reply.id.value());
    ANCHOR_ASSERT(!waiting.empty(), "each request is answered once");
    http_.respond(waiting.mapped().ticket,
                  render(reply.outcome, waiting.mapped().answer, known_leader));
  }
}

void Node::durable(raft::WriteId id) {
  for (const raft::Message& message : deferred_.durable(id)) transport_.send(message);
  inputs_.emplace_back(std::in_place_type<Persisted>, id);
}

// libuv's timers run on CLOCK_MONOTONIC, the core's time on CLOCK_BOOTTIME: the difference counts,
// and whoever wakes early steps and arms again.
void Node::arm_timer(Instant now) {
  const auto deadline = replica_.deadline();
  if (!deadline) {
    uv_timer_stop(&timer_);
    return;
  }
  uv_update_time(timer_.loop);
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<Node*>(timer->data)->due_ = true; },
      ceil_ms(*deadline - now), 0);
}

void Node::report(const raft::Event& event) {
  Fields fields;
  if (std::holds_alternative<raft::CampaignStarted>(event)) {
    // Without a quorum it asks on and on, twice a second: that is told now and again.
    const Instant now = boottime_now();
    if (!campaigns_.admits(now)) return;
    if (const auto count = campaigns_.take_left_out(now); count > 0) fields.add("left_out", count);
  } else {
    // Anything else ends that story.
    campaigns_ = LogLimit(kCampaignLines, kCampaignPeriod);
  }
  fields.add("term", raft::term_of(event).value());
  fields.add("index", raft().log().last().index.value());
  log_.info(raft::describe(event), fields);
}

void Node::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  disk_.close([this] {
    disk_open_ = false;
    handle_closed();
  });
  uv_close(io::as_uv_handle(timer_), [](uv_handle_t* handle) {
    auto* node = static_cast<Node*>(handle->data);
    node->timer_open_ = false;
    node->handle_closed();
  });
}

void Node::handle_closed() {
  if (timer_open_ || disk_open_) return;
  // It may destroy the node.
  const auto call = std::move(closed_);
  call();
}

// --- What it tells ------------------------------------------------------------------------------

NodeStatus::Role Node::role() const {
  if (raft().is_leader()) return NodeStatus::Role::kLeader;
  if (!raft().state().is_voter()) return NodeStatus::Role::kLearner;
  const bool candidate = std::holds_alternative<raft::Candidate>(raft().role());
  return candidate ? NodeStatus::Role::kCandidate : NodeStatus::Role::kFollower;
}

NodeStatus::PeerStatus Node::peer_status(const raft::Member& member, Instant now) const {
  const bool self = member.id == raft().state().self.id;
  NodeStatus::PeerStatus peer{.id = member.id.name(),
                              .address = member.address,
                              .http_address = member.http_address,
                              .connected = self || transport_.connected(member.id)};
  const auto known = raft().leader();
  if (self) {
    peer.role = role();
  } else if (known && known->peer.id == member.id) {
    peer.role = NodeStatus::Role::kLeader;
  } else if (!raft().configuration().is_voter(member.id)) {
    peer.role = NodeStatus::Role::kLearner;
  }
  const auto* leading = std::get_if<raft::Leader>(&raft().role());
  if (leading == nullptr) return peer;
  if (self) {
    peer.match_index = raft().log().durable_index().value();
    peer.last_contact_ms = 0;
    return peer;
  }
  const raft::Progress& progress = leading->followers.at(member.id);
  peer.match_index = progress.match.value();
  peer.last_contact_ms = ceil_ms(now - progress.last_heard);
  return peer;
}

NodeStatus Node::status() const {
  const raft::State& state = raft().state();
  NodeStatus status{.node_id = state.self.id.name(),
                    .role = role(),
                    .term = raft().term().value(),
                    .commit_index = raft().commit_index().value(),
                    .applied_index = replica_.applied_index().value(),
                    .revision = replica_.store().revision().value(),
                    .digest = replica_.store().digest(),
                    .fsync_p99_us = static_cast<std::uint64_t>(disk_.commit_p99().count()),
                    .version = version(),
                    .cluster_id = state.cluster_id.value(),
                    .boot = state.boot.value()};
  if (const auto known = leader()) {
    status.leader_id = known->id;
    status.leader_http_address = known->http_address;
  }
  const Instant now = boottime_now();
  for (const raft::Member& member : raft().configuration().members) {
    status.peers.push_back(peer_status(member, now));
  }
  if (const auto* leading = std::get_if<raft::Leader>(&raft().role())) {
    for (const auto& [id, progress] : leading->followers) {
      status.replication_lag[id.name()] = raft().log().last().index - progress.match;
    }
  }
  return status;
}

std::vector<HealthCheck> Node::health() const {
  std::vector<HealthCheck> checks{{.name = "leader"}, {.name = "log"}, {.name = "storage"}};
  if (!raft().leader()) checks[0].failure = "no leader is known";
  // Until an entry of this term is committed here, what the cluster holds may not have arrived.
  const auto committed = raft().log().term_at(raft().commit_index());
  if (committed != raft().term()) checks[1].failure = "catching up with the leader";
  constexpr auto kStalled = 5s;
  const auto oldest = disk_.oldest_pending_since();
  if (oldest && io::DiskWriter::Clock::now() - *oldest > kStalled) {
    checks[2].failure = "the disk has been silent for more than 5 s";
  }
  return checks;
}

}  // namespace anchor::server
