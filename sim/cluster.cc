#include "sim/cluster.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/codec/message_codec.h"
#include "core/raft/configuration.h"
#include "sim/clock_checks.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

constexpr raft::ClusterId kClusterId{0xa9c402};

// Inputs that arrive within this time are one batch, at most: as in a turn of a busy loop.
constexpr Duration kTurnMost = 60us;

raft::ServerId id_of(std::size_t number) {
  return raft::ServerId("n" + std::to_string(number + 1));
}

raft::Configuration configuration_of(std::size_t nodes) {
  std::vector<raft::Member> founders;
  for (std::size_t number = 0; number < nodes; ++number) {
    founders.push_back({.id = id_of(number), .incarnation = {}, .address = {}, .http_address = {}});
  }
  return raft::founding_configuration(std::move(founders));
}

// What founding leaves on every founder's disk.
Disk founded(std::size_t number, const raft::Configuration& configuration) {
  const codec::StableState stable{.cluster_id = kClusterId,
                                  .self = {.id = id_of(number), .incarnation = {}},
                                  .boot = {},
                                  .hard_state = {.term = raft::Term(1), .vote = {}}};
  raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
  entry.payload = std::make_shared<const raft::Configuration>(configuration);
  return Disk(stable, {std::move(entry)});
}

}  // namespace

Node::Node(std::size_t its_number, DriftingClock its_clock)
    : number(its_number), id(id_of(its_number)), clock(its_clock) {}

Cluster::Cluster(const Mix& mix, Choices& choices, FaultCounts& faults, Trace trace)
    : mix_(mix),
      choices_(choices),
      faults_(faults),
      trace_(std::move(trace)),
      images_(mix.nodes + mix.spares),
      network_(mix.nodes + mix.spares, mix.faults, choices, faults),
      checker_(images_),
      history_(checker_, mix.faults.drift_ppm) {
  const raft::Configuration configuration = configuration_of(mix.nodes);
  nodes_.reserve(images_.size());
  for (std::size_t number = 0; number < images_.size(); ++number) {
    nodes_.emplace_back(number, DriftingClock(draw_clock_offset(choices, number),
                                              draw_drift_ppm(mix.faults, choices, number)));
    if (number < mix.nodes) give_disk(nodes_.back(), founded(number, configuration));
  }
  for (std::size_t number = 0; number < mix.nodes; ++number) restart(number);
}

void Cluster::give_disk(Node& node, Disk disk) {
  node.disk.emplace(std::move(disk));
  images_[node.number] = &node.disk->image();
}

void Cluster::run_until(Instant end) {
  while (!queue_.empty() && queue_.next_time() <= end) {
    auto [at, event] = queue_.take();
    now_ = at;
    checker_.set_time(now_);
    std::visit([&](const auto& kind) { happen(kind); }, event);
  }
  now_ = end;
}

void Cluster::after(Duration delay, std::function<void()> action) {
  queue_.schedule(now_ + delay, Alarm{[this, action = std::move(action)] {
                    ++events_;
                    note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
                    action();
                  }});
}

// --- The process --------------------------------------------------------------------------------

void Cluster::wake(Node& node, Instant at) {
  if (node.wake && *node.wake <= at) return;
  node.wake = at;
  queue_.schedule(at, Turn{node.number, ++node.wake_ordinal});
}

void Cluster::give(Node& node, Input input) {
  node.inputs.push_back(std::move(input));
  wake(node, now_ + choices_.between(0us, kTurnMost, Stream::kTurn, node.number));
}

void Cluster::happen(const Turn& turn) {
  Node& node = nodes_[turn.node];
  if (turn.ordinal != node.wake_ordinal || !node.wake) return;
  node.wake.reset();
  if (!node.up() || node.paused) return;
  ++events_;
  if (node.persisted) {
    const raft::WriteId durable = *std::exchange(node.persisted, std::nullopt);
    send(node, node.deferred.durable(durable));
    node.inputs.push_back(Persisted{durable});
  }
  step(node);
}

void Cluster::step(Node& node) {
  ++steps_;
  Replica& replica = *node.replica;
  const std::vector<Input> inputs = std::exchange(node.inputs, {});
  Output output = replica.step(node.clock.at(now_), inputs);
  checker_.stepped(node.number, replica, output);
  check_clocks(nodes_, node, output, checker_, mix_, now_);

  note(static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^ node.number << 56);
  note(replica.raft().term().value() ^ replica.raft().commit_index().value() << 32 ^
       replica.raft().log().last().index.value() << 16);
  note(replica.store().digest() ^ replica.applied_index().value());
  carry_out(node, std::move(output));
  if (!node.up()) return;
  node.wake.reset();
  if (const auto deadline = replica.deadline()) wake(node, node.clock.when(*deadline, now_));
}

void Cluster::carry_out(Node& node, Output output) {
  for (const raft::Event& event : output.events) {
    if (std::holds_alternative<raft::BecameLeader>(event)) ++elections_;
    if (trace_) {
      trace(node,
            "term " + std::to_string(raft::term_of(event).value()) + ": " + raft::describe(event));
    }
  }
  constexpr std::uint64_t kPoints = 4;
  std::uint64_t crash_at = kPoints;
  if (!spared(node) &&
      choices_.chance(mix_.faults.crash_in_step_ppm, Stream::kCrashPoint, node.number)) {
    crash_at = choices_.below(kPoints, Stream::kCrashPoint, node.number);
  }
  if (crash_point(node, 0, crash_at)) return;
  if (output.persist) {
    node.disk->submit(std::move(*output.persist));
    start_disk(node);
  }
  if (crash_point(node, 1, crash_at)) return;
  send(node, output.messages);
  send(node, node.deferred.hold(std::move(output.messages_after_persist)));
  work_on_snapshots(node, output);
  if (crash_point(node, 2, crash_at)) return;
  for (const Reply& reply : output.replies) answer(node, reply);
  crash_point(node, 3, crash_at);
}

bool Cluster::crash_point(Node& node, std::uint64_t point, std::uint64_t chosen) {
  if (point != chosen) return false;
  ++faults_.crashes_in_step;
  crash(node.number);
  if (crashed_) crashed_(node.number);
  return true;
}

void Cluster::answer(Node& node, const Reply& reply) {
  if (const auto admin = node.admin_requests.extract(reply.id)) {
    note(reply.outcome.index());
    return admin.mapped()(&reply.outcome);
  }
  const auto found = node.requests.find(reply.id);
  ANCHOR_ASSERT(found != node.requests.end(), "each request is answered once");
  const OperationId operation = found->second;
  node.requests.erase(found);
  note(reply.outcome.index());
  if (const auto* read = std::get_if<ReadDone>(&reply.outcome)) {
    note(read->item ? read->item->mod_revision().value() : 0);
    note(read->revision.value());
    note(static_cast<std::uint64_t>(read->age.value_or(Duration(-1)).count()));
  } else if (const auto* applied = std::get_if<WriteApplied>(&reply.outcome)) {
    note(hash_bytes(kv::encode_result(applied->result).view(), 0));
  }
  history_.returned(operation, reply.outcome, now_);
  if (answer_) answer_(operation, &reply.outcome);
}

RequestId Cluster::give_request(Node& node, RequestBody body) {
  ANCHOR_ASSERT(node.up());
  const RequestId id(++last_request_);
  const Instant deadline =
      node.clock.at(now_) + choices_.between(500ms, 6s, Stream::kClient, node.number);
  give(node, ClientRequest{.id = id, .deadline = deadline, .body = std::move(body)});
  return id;
}

OperationId Cluster::submit(std::size_t number, std::variant<kv::Command, ReadKey> request) {
  Node& node = nodes_[number];
  const OperationId operation = history_.call(request);
  RequestBody body = std::visit([](auto& kind) { return RequestBody(std::move(kind)); }, request);
  node.requests.emplace(give_request(node, std::move(body)), operation);
  return operation;
}

void Cluster::administer(std::size_t number, raft::AdminRequest request, AdminCallback callback) {
  Node& node = nodes_[number];
  node.admin_requests.emplace(give_request(node, std::move(request)), std::move(callback));
}

// --- The disk -----------------------------------------------------------------------------------

void Cluster::start_disk(Node& node) {
  if (!node.disk->idle_with_work()) return;
  node.disk->begin();
  const Duration latency = disk_latency(node, Stream::kDiskLatency);
  queue_.schedule(now_ + latency, DiskDone{node.number, node.life});
}

Duration Cluster::disk_latency(const Node& node, Stream stream) {
  const Faults& faults = mix_.faults;
  Duration most = faults.disk_most;
  if (node.slow_disk) most = std::max(most, faults.slow_disk_most);
  if (spared(node)) most = faults.disk_least;
  return choices_.between(faults.disk_least, most, stream, node.number);
}

void Cluster::happen(const DiskDone& done) {
  Node& node = nodes_[done.node];
  if (done.life != node.life) return;
  ++events_;
  node.persisted = node.disk->complete(
      [&](const raft::PersistBatch& batch) { checker_.writing(node.number, batch); });
  start_disk(node);
  wake(node, now_ + choices_.between(0us, kTurnMost, Stream::kTurn, node.number));
}

void Cluster::work_on_snapshots(Node& node, Output& output) {
  SnapshotDisk& snapshots = node.disk->snapshots();
  if (output.snapshot_save) {
    snapshots.begin_save(std::move(*output.snapshot_save));
    ++faults_.snapshots_saved;
  }
  for (raft::SnapshotChunk& chunk : output.snapshot_chunks) {
    auto& part = std::get<raft::InstallSnapshot>(chunk.message.body);
    part.chunk = snapshots.read(part, chunk.max_bytes);
    send(node, {chunk.message});
  }
  for (const raft::InstallSnapshot& part : output.snapshot_parts) {
    give(node, SnapshotWritten{part.file, snapshots.receive(part)});
  }
  if (output.snapshots_kept) snapshots.prune(*output.snapshots_kept);
  go_on_with_snapshots(node);
}

void Cluster::go_on_with_snapshots(Node& node) {
  if (node.snapshot_work || !node.disk->snapshots().busy()) return;
  node.snapshot_work = true;
  const Duration latency = disk_latency(node, Stream::kSnapshotWork);
  queue_.schedule(now_ + latency, SnapshotWork{node.number, node.life});
}

void Cluster::happen(const SnapshotWork& work) {
  Node& node = nodes_[work.node];
  if (work.life != node.life) return;
  ++events_;
  node.snapshot_work = false;
  for (SnapshotDisk::Done& done : node.disk->step_snapshots()) {
    if (auto* saved = std::get_if<SnapshotSaved>(&done)) {
      give(node, std::move(*saved));
    } else if (auto* received = std::get_if<SnapshotReceived>(&done)) {
      ++faults_.snapshots_received;
      give(node, std::move(*received));
    } else {
      give(node, SnapshotWritten{std::get<SnapshotDisk::Damaged>(done).file, 0});
    }
  }
  go_on_with_snapshots(node);
}

// --- The network --------------------------------------------------------------------------------

void Cluster::send(Node& node, const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages) {
    checker_.sending(node.number, message);
    const Bytes frame = codec::encode_message(kClusterId, message);
    std::uint64_t header = 0;
    std::memcpy(&header, frame.data(), sizeof header);
    note(header);
    const auto to = static_cast<std::size_t>(std::ranges::find(nodes_, message.to.id, &Node::id) -
                                             nodes_.begin());
    ANCHOR_ASSERT(to < nodes_.size());
    for (Delivery& delivery : network_.send(node.number, to, frame, now_)) {
      const Instant at = delivery.at;
      queue_.schedule(at, Arrival{node.number, to, std::move(delivery)});
    }
  }
}

void Cluster::happen(const Arrival& arrival) {
  Node& node = nodes_[arrival.to];
  if (!node.up() || !network_.alive(arrival.from, arrival.to, arrival.delivery)) return;
  ++events_;
  // What was damaged on the way must be found out here, and not be taken for anything.
  auto message = codec::decode_message(kClusterId, arrival.delivery.frame);
  if (message) give(node, PeerMessage{std::move(*message)});
}

// --- Faults -------------------------------------------------------------------------------------

void Cluster::crash(std::size_t number) {
  Node& node = nodes_[number];
  if (!node.up()) return;
  trace(node, "crashes");
  const auto choose = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kDiskAtCrash, number);
  };
  const auto surviving = static_cast<Surviving>(choose(3));
  const bool power_lost = choose(2) == 0;
  node.disk->crash(surviving, power_lost, choose);
  if (power_lost) node.clock.restart(now_, draw_clock_offset(choices_, number));
  node.snapshot_work = false;
  node.replica.reset();
  node.paused = false;
  node.inputs.clear();
  node.persisted.reset();
  node.wake.reset();
  node.deferred.clear();
  ++node.life;
  for (const auto& [id, operation] : std::exchange(node.requests, {})) {
    if (answer_) answer_(operation, nullptr);
  }
  for (const auto& [id, callback] : std::exchange(node.admin_requests, {})) callback(nullptr);
}

void Cluster::restart(std::size_t number) {
  Node& node = nodes_[number];
  if (node.up() || !node.disk) return;
  const codec::StableState stored = node.disk->image().stable;
  codec::RecoveredMember recovered = node.disk->boot();
  trace(node, "starts, boot " + std::to_string(recovered.raft.boot.value()));
  node.replica.emplace(draw_replica_options(mix_, choices_, number), std::move(recovered.raft),
                       std::move(recovered.store));
  const raft::State& state = node.replica->raft().state();
  const DiskImage& image = node.disk->image();
  const bool same_state =
      state.hard_state == stored.hard_state || state.hard_state.term > stored.hard_state.term;
  check(state.hard_state.longest_promise == stored.hard_state.longest_promise && same_state &&
            state.boot == stored.boot.next() && state.log.last().index == image.last() &&
            state.commit_index >= image.snapshot.index,
        "recovers-what-was-stored", node.id.name());
  checker_.booted(number, *node.replica);
  wake(node, now_);
}

void Cluster::join(std::size_t number, const raft::Configuration& members) {
  Node& node = nodes_[number];
  ANCHOR_ASSERT(!node.disk && members.find(node.id) != nullptr);
  give_disk(node, Disk({.cluster_id = kClusterId,
                        .self = members.find(node.id)->peer(),
                        .boot = {},
                        .hard_state = {}},
                       members));
  trace(node, "joins");
  restart(number);
}

void Cluster::wipe(std::size_t number) {
  Node& node = nodes_[number];
  crash(number);
  trace(node, "is wiped");
  images_[number] = nullptr;
  node.disk.reset();
  checker_.wiped(number);
}

void Cluster::pause(std::size_t number) {
  trace(nodes_[number], "pauses");
  nodes_[number].paused = true;
}

void Cluster::resume(std::size_t number) {
  Node& node = nodes_[number];
  if (!std::exchange(node.paused, false) || !node.up()) return;
  trace(node, "goes on");
  node.wake.reset();
  wake(node, now_);
}

void Cluster::jump_clock(std::size_t number, Duration forward) {
  Node& node = nodes_[number];
  trace(node, "clock jumps " + std::to_string(forward.count()) + " us");
  node.clock.jump(now_, forward);
  if (!node.up()) return;
  // Timers run on another clock, and are late at worst: it notices at its next turn.
  wake(node, now_ + choices_.between(0us, 10ms, Stream::kTurn, number));
}

void Cluster::reset_connection(std::size_t from, std::size_t to) {
  network_.reset(from, to);
  if (nodes_[from].up()) give(nodes_[from], PeerUnreachable{nodes_[to].id});
}

void Cluster::trace(const Node& node, std::string_view what) {
  if (trace_) trace_(now_, node.id.name() + " " + std::string(what));
}

}  // namespace anchor::sim
