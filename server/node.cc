#include "server/node.h"

#include <algorithm>
#include <map>
#include <utility>

#include "io/uv_support.h"
#include "server/server_name.h"
#include "server/system.h"

namespace anchor::server {
namespace {

// What a server that asks to join is told.
std::variant<raft::AdminAnswer, NotNow> as_join_answer(const Outcome& outcome) {
  if (const auto* done = std::get_if<AdminDone>(&outcome)) return done->answer;
  const auto* refused = std::get_if<NotApplied>(&outcome);
  if (refused == nullptr) return NotNow{"the leader was lost before it answered"};
  return NotNow{refused->reason == Refusal::kNoLeader ? "the cluster has no leader at present"
                                                      : "the cluster has too much to do"};
}

// As many as an election takes that goes well at the second attempt.
constexpr std::uint64_t kCampaignLines = 4;
constexpr Duration kCampaignPeriod = 60s;

// How long whoever is a member no more is still sent to, at least.
constexpr Duration kFarewell = 1s;

// Everybody would have to keep and to dial what a stranger says.
Result<void> check_addresses(const raft::AdminRequest& request) {
  const auto check = [](const auto& asks) {
    auto sound = check_dialled_address(asks.address);
    return sound ? check_dialled_address(asks.http_address) : sound;
  };
  const auto* add = std::get_if<raft::AddServer>(&request);
  if (add == nullptr) return check(std::get<raft::MoveServer>(request));
  auto sound = check_server_id(add->id.name());
  return sound ? check(*add) : sound;
}

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
      replica_(seeded(options.replica), std::move(opened.recovered), std::move(opened.state)),
      watches_(replica_.store(), http),
      disk_(loop, {.commit = [this](auto batches) { return store_->commit(batches); },
                   .on_durable = [this](raft::WriteId id) { durable(id); },
                   .on_failure = handlers.disk_failed}),
      snapshots_(loop, opened.snapshots, raft().state().cluster_id,
                 snapshot_handlers(std::move(handlers))),
      peers_(kFarewell + 2 * options.replica.raft.election_timeout) {
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
  ANCHOR_ASSERT(uv_timer_init(loop, &scrub_timer_) == 0);
  scrub_timer_.data = this;
  uv_timer_start(
      &scrub_timer_,
      [](uv_timer_t* timer) {
        auto* node = static_cast<Node*>(timer->data);
        node->snapshots_.scrub(node->replica_.store());
      },
      ceil_ms(options.scrub_interval), ceil_ms(options.scrub_interval));
  ANCHOR_ASSERT(uv_timer_init(loop, &beat_timer_) == 0);
  beat_timer_.data = this;
  uv_timer_start(
      &beat_timer_, [](uv_timer_t* timer) { static_cast<Node*>(timer->data)->watches_.beat(); },
      ceil_ms(WatchHub::kBeatInterval), ceil_ms(WatchHub::kBeatInterval));
  disk_watch_.emplace(
      loop, options_.directory, options_.disk_reserve_bytes,
      io::DiskWatch::Handlers{.needed_bytes = [this] { return replica_.store().snapshot_bytes(); },
                              .writing = [this] { return replica_.saves_snapshot(); },
                              .changed = [this](const io::DiskRoomFound& found) { take(found); }});
  const raft::State& state = raft().state();
  transport_.join_cluster(state.cluster_id, state.self, state.boot, options_.advertise);
  follow_configuration(boottime_now());
}

Node::~Node() {
  ANCHOR_ASSERT(timers_open_ == 0 && !disk_open_ && !disk_watch_open_ && !snapshots_open_);
}

std::optional<LeaderInfo> Node::leader() const {
  const auto known = raft().leader();
  return known ? address_of(known->peer.id) : std::nullopt;
}

std::optional<LeaderInfo> Node::address_of(const raft::ServerId& id) const {
  const raft::Member* member = raft().configuration().find(id);
  if (member == nullptr) return std::nullopt;
  return LeaderInfo{.id = id.name(), .http_address = member->http_address};
}

// --- Inputs -------------------------------------------------------------------------------------

void Node::take(KvRequest request, io::HttpTicket ticket) {
  if (request.redirect_target && !raft().is_leader()) {
    return http_.respond(ticket, render_redirect(request, leader()));
  }
  const RequestId id(++last_request_);
  Instant deadline = boottime_now() + options_.request_timeout;
  const auto* acquire = std::get_if<AcquireLock>(&request.body);
  if (acquire != nullptr) {
    deadline += acquire->wait;
    locking_.emplace(ticket, id);
  }
  waiting_.emplace(id.value(), Waiting{ticket, std::move(request.answer), {}, acquire != nullptr});
  inputs_.emplace_back(
      std::in_place_type<ClientRequest>, id, deadline,
      std::visit([](auto& body) { return RequestBody(std::move(body)); }, request.body));
}

void Node::abandon(io::HttpTicket ticket) {
  const auto locking = locking_.find(ticket);
  if (locking != locking_.end()) inputs_.emplace_back(ClientGone{locking->second});
}

void Node::end_waits() {
  watches_.end();
  waits_ended_ = true;
  for (const auto& [ticket, id] : locking_) inputs_.emplace_back(ClientGone{id});
}

// From now on means: from the first revision that was not there when it was asked for.
void Node::take(const WatchRequest& request, io::HttpTicket ticket) {
  if (request.from) return watches_.open(request, *request.from, ticket);
  const RequestId id(++last_request_);
  const KvAnswer answer{.error_style = ErrorStyle::kJson};
  waiting_.emplace(id.value(), Waiting{ticket, answer, request});
  inputs_.emplace_back(std::in_place_type<ClientRequest>, id,
                       boottime_now() + options_.request_timeout,
                       RequestBody(Read{.of = request.keys.key}));
}

void Node::take(raft::AdminRequest request, AdminCallback answered) {
  const RequestId id(++last_request_);
  administering_.emplace(id.value(), std::move(answered));
  inputs_.emplace_back(std::in_place_type<ClientRequest>, id,
                       boottime_now() + options_.request_timeout, std::move(request));
}

void Node::take(JoinRequest request, std::function<void(JoinReply)> answered) {
  const raft::State& state = raft().state();
  const auto not_now = [&](const std::string& reason) {
    answered({state.cluster_id, NotNow{state.self.id.name() + " " + reason}});
  };
  // Of another cluster's member, an id and an incarnation mean nothing here.
  const bool any = request.cluster_id == raft::ClusterId() &&
                   std::holds_alternative<raft::AddServer>(request.request);
  if (!any && request.cluster_id != state.cluster_id) return not_now("belongs to another cluster");
  if (const auto sound = check_addresses(request.request); !sound) {
    return not_now("takes no such address: " + sound.error().message);
  }
  if (removed()) return not_now("was removed from its cluster");
  take(std::move(request.request),
       [cluster_id = state.cluster_id, answered = std::move(answered)](const Outcome& outcome) {
         answered({cluster_id, as_join_answer(outcome)});
       });
}

void Node::take_removal(const io::PeerHello& peer, raft::Index configuration_index) {
  const raft::State& state = raft().state();
  peers_.told_removed(peer.peer.id);
  inputs_.emplace_back(PeerMessage{{.from = peer.peer,
                                    .from_boot = peer.boot,
                                    .to = state.self,
                                    .term = {},
                                    .body = raft::NotMember{configuration_index}}});
}

std::optional<io::PeerRefusal> Node::refuse(const io::PeerHello& hello) const {
  const std::string& id = hello.peer.id.name();
  if (left_out(hello)) {
    const raft::Index index = *raft().state().left_out_at(hello.peer);
    return io::PeerRefusal{id + " was removed from the cluster", index};
  }
  const raft::Member* known = raft().configuration().find(hello.peer.id);
  if (known != nullptr && hello.peer.incarnation < known->incarnation) {
    return io::PeerRefusal{id + " has been admitted anew since"};
  }
  // It is dialled there, if need be. Older versions say nothing.
  if (!hello.address.empty() && !check_dialled_address(hello.address)) {
    return io::PeerRefusal{id + " says that it is where nobody can connect to"};
  }
  return std::nullopt;
}

// A leader that goes is heard to the end, since it hands over.
bool Node::left_out(const io::PeerHello& hello) const {
  const auto known = raft().leader();
  return !(known && known->peer == hello.peer) && raft().state().left_out_at(hello.peer);
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
  Output output = replica_.step(now, stepping_);
  // First: it may have messages for a new member.
  follow_configuration(now);
  carry_out(std::move(output));
  // Of a state that may be wrong nothing is said.
  if (replica_.serves()) {
    watches_.notice();
  } else {
    watches_.end();
  }
}

void Node::send(const raft::Message& message) {
  const std::string* said = transport_.address_said_by(message.to);
  if (peers_.reach(raft(), message.to, said, raft().state().now)) {
    transport_.set_peers(peers_.addresses());
  }
  transport_.send(message);
}

void Node::carry_out(Output output) {
  if (output.persist) {
    std::uint64_t bytes = 0;
    for (const raft::Entry& entry : output.persist->entries) bytes += raft::entry_bytes(entry);
    disk_watch_->writing(bytes);
    disk_.write(std::move(*output.persist));
  }
  for (const raft::Message& message : output.messages) send(message);
  if (!output.messages_after_persist.empty()) {
    const auto ready = deferred_.hold(std::move(output.messages_after_persist));
    for (const raft::Message& message : ready) send(message);
  }
  carry_out_snapshots(output);
  for (const raft::Event& event : output.events) report(event);
  if (output.replies.empty()) return;
  const auto known_leader = leader();
  for (const Reply& reply : output.replies) answer(reply, known_leader);
}

void Node::carry_out_snapshots(Output& output) {
  if (output.snapshot_save) snapshots_.save(std::move(*output.snapshot_save));
  for (raft::SnapshotChunk& chunk : output.snapshot_chunks) snapshots_.read(std::move(chunk));
  for (raft::InstallSnapshot& part : output.snapshot_parts) snapshots_.receive(std::move(part));
  if (output.snapshots_kept) snapshots_.keep(std::move(*output.snapshots_kept));
}

io::SnapshotWorker::Handlers Node::snapshot_handlers(Handlers handlers) {
  const auto give = [this](auto input) { inputs_.emplace_back(std::move(input)); };
  return {.saved = give,
          .written = give,
          .received = give,
          .chunk_read = [this](const raft::Message& message) { send(message); },
          .damaged =
              [this](const codec::DamagedSnapshot& damaged) {
                log_.warn("a snapshot came damaged, and is fetched again: " + damaged.reason);
              },
          .failed = std::move(handlers.disk_failed),
          .state_damaged = std::move(handlers.memory_damaged)};
}

void Node::answer(const Reply& reply, const std::optional<LeaderInfo>& known_leader) {
  if (auto waiting = waiting_.extract(reply.id.value())) {
    return answer(std::move(waiting.mapped()), reply.outcome, known_leader);
  }
  const auto administering = administering_.extract(reply.id.value());
  ANCHOR_ASSERT(!administering.empty(), "each request is answered once");
  administering.mapped()(reply.outcome);
}

void Node::answer(Waiting waiting, const Outcome& outcome,
                  const std::optional<LeaderInfo>& known_leader) {
  if (waiting.locks) locking_.erase(waiting.ticket);
  const auto* lock = std::get_if<LockAnswer>(&outcome);
  const bool held = lock != nullptr && std::holds_alternative<LockHeld>(*lock);
  if (waits_ended_ && (held || waiting.watch)) {
    // It is to wait, or to watch, elsewhere.
    return http_.respond(waiting.ticket, render_error(shutting_down(), ErrorStyle::kJson));
  }
  const auto* read = std::get_if<ReadDone>(&outcome);
  if (waiting.watch && read != nullptr) {
    return watches_.open(*waiting.watch, read->revision.next(), waiting.ticket);
  }
  http_.respond(waiting.ticket, render(outcome, waiting.answer, known_leader));
}

void Node::follow_configuration(Instant now) {
  const bool changed = peers_.follow(raft(), now);
  if (changed) transport_.set_peers(peers_.addresses());
  // Whoever was removed is answered for a while, and may hear of it; then it is to dial again, and
  // is told.
  const raft::Index committed = raft().log().configuration_at(raft().commit_index()).index;
  auto known = raft().leader();
  if (!changed && committed == ended_up_to_ && known == ended_under_) return;
  ended_up_to_ = committed;
  ended_under_ = std::move(known);
  transport_.end_connections([this](const io::PeerHello& hello) {
    return left_out(hello) && !peers_.addresses().contains(hello.peer.id);
  });
}

void Node::durable(raft::WriteId id) {
  for (const raft::Message& message : deferred_.durable(id)) send(message);
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
  if (std::holds_alternative<raft::StateDistrusted>(event)) {
    return log_.error(raft::describe(event), fields);
  }
  log_.info(raft::describe(event), fields);
}

void Node::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  disk_.close([this] {
    disk_open_ = false;
    handle_closed();
  });
  disk_watch_->close([this] {
    disk_watch_open_ = false;
    handle_closed();
  });
  snapshots_.close([this] {
    snapshots_open_ = false;
    handle_closed();
  });
  for (uv_timer_t* timer : {&timer_, &scrub_timer_, &beat_timer_}) {
    uv_close(io::as_uv_handle(*timer), [](uv_handle_t* handle) {
      auto* node = static_cast<Node*>(handle->data);
      --node->timers_open_;
      node->handle_closed();
    });
  }
}

void Node::handle_closed() {
  if (timers_open_ > 0 || disk_open_ || disk_watch_open_ || snapshots_open_) return;
  // It may destroy the node.
  const auto call = std::move(closed_);
  call();
}

}  // namespace anchor::server
