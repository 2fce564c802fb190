#include "sim/cluster.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/raft/configuration.h"
#include "core/raft/snapshot.h"
#include "sim/clock_checks.h"
#include "sim/violation.h"
#include "sim/vote_checks.h"

namespace anchor::sim {
namespace {

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
Disk founded(raft::ClusterId cluster, std::size_t number,
             const raft::Configuration& configuration) {
  const codec::StableState stable{.cluster_id = cluster,
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
      checker_(images_, states_sound(mix) && clocks_sound(mix)
                            ? std::optional(mix.raft.max_clock_drift_ppm)
                            : std::nullopt),
      history_(checker_, mix.faults.drift_ppm) {
  const raft::Configuration configuration = configuration_of(mix.nodes);
  nodes_.reserve(images_.size());
  for (std::size_t number = 0; number < images_.size(); ++number) {
    const Duration offset = draw_clock_offset(choices, number);
    const std::int32_t drift_ppm = draw_drift_ppm(mix.faults, choices, number);
    nodes_.emplace_back(number, DriftingClock(offset, drift_ppm));
    if (number < mix.nodes) give_disk(nodes_.back(), founded(kClusterId, number, configuration));
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

// Inputs that arrive within this time are one batch, at most: as in a turn of a busy loop.
void Cluster::wake_within_turn(Node& node) {
  constexpr Duration kTurnMost = 60us;
  wake(node, now_ + choices_.between(0us, kTurnMost, Stream::kTurn, node.number));
}

void Cluster::give(Node& node, Input input) {
  node.inputs.push_back(std::move(input));
  wake_within_turn(node);
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

// A step may leave some of its work to the next, but not for ever the same: a process would turn
// round and do nothing else.
void Cluster::check_busy(Node& node, bool idle) {
  constexpr std::uint32_t kMost = 100'000;
  const bool again = idle && std::exchange(node.stepped, now_) == now_;
  node.idle_steps = again ? node.idle_steps + 1 : 0;
  if (node.idle_steps < kMost) return;
  violated(ExitCode::kLiveness, "due-for-ever", node.id.name() + " is due again at once");
}

// Whose state may be wrong reads nothing to anybody.
void Cluster::check_silence(const Node& node, bool served, const Output& output) const {
  if (states_sound(mix_)) check(node.replica->serves(), "distrusts-itself", node.id.name());
  if (served || node.replica->serves()) return;
  for (const Reply& reply : output.replies) {
    const bool reads = std::holds_alternative<ReadDone>(reply.outcome) ||
                       std::holds_alternative<RangeRead>(reply.outcome);
    check(!reads, "answers-though-distrusted", node.id.name());
  }
}

void Cluster::step(Node& node) {
  ++steps_;
  Replica& replica = *node.replica;
  const std::vector<Input> inputs = std::exchange(node.inputs, {});
  check_busy(node, inputs.empty());
  const bool served = replica.serves();
  Output output = replica.step(node.clock.at(now_), inputs);
  check_silence(node, served, output);
  if (std::ranges::any_of(output.events, [](const raft::Event& event) {
        return std::holds_alternative<raft::SnapshotInstalled>(event);
      })) {
    node.damaged = false;
  }
  node.peers.follow(replica.raft(), now_);
  const raft::Raft& raft = replica.raft();
  const bool room = raft::room_of_log(raft.state()) == raft::LogRoom::kAmple;
  if (raft.is_leader() && !room) writes_slowed_ = now_;
  checker_.stepped(node.number, replica, output, node.damaged);
  check_clocks(nodes_, node, output, checker_, mix_, now_);
  check_refusals(node, inputs, output);

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
    if (std::holds_alternative<raft::SnapshotInstalled>(event)) ++node.snapshots_installed;
    if (trace_) {
      trace(node,
            "term " + std::to_string(raft::term_of(event).value()) + ": " + raft::describe(event));
    }
  }
  constexpr std::uint64_t kPoints = 4;
  const std::uint64_t crash_at =
      spared(node)
          ? kPoints
          : draw_crash_point(mix_.faults, !output.events.empty(), kPoints, choices_, node.number);
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
  node.watches = {};
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
  start_damaged(node, recovered.store);
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
  if (node.short_of_disk) give(node, DiskRoom{true});
  node.peers = PeerBook(Node::kFarewell);
  node.said.clear();
  node.peers.follow(node.replica->raft(), now_);
  wake(node, now_);
}

// Either its revision differs from now on, or only what the next session is called.
void Cluster::start_damaged(Node& node, kv::Store& store) {
  const raft::Index index = node.disk->image().snapshot.index;
  node.damaged = node.damaged && !checker_.is_state(index, store.digest());
  if (!std::exchange(node.starts_damaged, false)) return;
  node.damaged = true;
  if (choices_.below(2, Stream::kFault) == 0) {
    store.apply(kv::Put{"damaged", Bytes(), kv::Always{}});
  } else {
    store.apply(kv::OpenSession{});
  }
}

// Or is still to get a state that is right: from a leader whose own had been damaged meanwhile it
// would get that one.
bool Cluster::any_damaged() const {
  return std::ranges::any_of(nodes_, [](const Node& node) {
    if (node.damaged || node.starts_damaged || (node.up() && !node.replica->serves())) return true;
    const DiskImage& image = node.disk->image();
    return image.stable.hard_state.distrusted > image.snapshot.index;
  });
}

std::optional<std::size_t> Cluster::leader(const std::vector<bool>* among) const {
  std::optional<std::size_t> found;
  raft::Term latest;
  for (const Node& node : nodes_) {
    if (among != nullptr && !(*among)[node.number]) continue;
    if (!node.up() || !node.replica->raft().is_leader()) continue;
    const raft::Term term = node.replica->raft().term();
    if (found && term <= latest) continue;
    found = node.number;
    latest = term;
  }
  return found;
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

void Cluster::set_short_of_disk(std::size_t number, bool now) {
  Node& node = nodes_[number];
  if (std::exchange(node.short_of_disk, now) == now) return;
  trace(node, now ? "is short of disk" : "has room on its disk");
  if (node.up()) give(node, DiskRoom{now});
}

void Cluster::jump_clock(std::size_t number, Duration forward) {
  Node& node = nodes_[number];
  trace(node, "clock jumps " + std::to_string(forward.count()) + " us");
  node.clock.jump(now_, forward);
  if (!node.up()) return;
  // Timers run on another clock, and are late at worst: it notices at its next turn.
  wake(node, now_ + choices_.between(0us, 10ms, Stream::kTurn, number));
}

void Cluster::trace(const Node& node, std::string_view what) {
  if (trace_) trace_(now_, node.id.name() + " " + std::string(what));
}

}  // namespace anchor::sim
