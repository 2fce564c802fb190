#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/raft/quorum.h"
#include "core/raft/snapshot.h"
#include "sim/choices.h"
#include "sim/fault_injector.h"
#include "sim/operator.h"
#include "sim/watchers.h"
#include "sim/workload.h"

namespace anchor::sim {
namespace {

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options),
        choices_(options.seed),
        mix_(draw_mix(options, choices_)),
        cluster_(mix_, choices_, counts_, options.trace),
        workload_(mix_, cluster_, choices_),
        watchers_(mix_, cluster_, choices_),
        injector_(mix_, cluster_, workload_, choices_, counts_),
        operator_(mix_, cluster_, choices_, counts_) {}

  void run() {
    injector_.start();
    operator_.start();
    workload_.start();
    if (states_sound(mix_)) watchers_.start();
    cluster_.run_until(Instant(options_.time));
    operator_.stop();
    // A request to change the members that is still on its way, or waits for an answer, could make
    // somebody indispensable who is about to break for good.
    if (mix_.faults.changes.every != Duration{}) cluster_.run_until(cluster_.now() + 12s);
    injector_.stop();
    check_liveness();
  }

  SimulationResult result() const {
    const History& history = cluster_.history();
    return {.violation = {},
            .nodes = cluster_.size(),
            .events = cluster_.event_count(),
            .steps = cluster_.step_count(),
            .elections = cluster_.elections(),
            .simulated = cluster_.now() - Instant(),
            .faults = counts_,
            .writes = history.write_count(),
            .reads = history.read_count(),
            .refused = history.refused_count(),
            .unknown = history.unknown_count(),
            .hash = cluster_.hash()};
  }

 private:
  static Mix draw_mix(const SimulationOptions& options, Choices& choices) {
    ANCHOR_ASSERT(options.profile != nullptr);
    Mix mix = options.profile->draw(choices);
    if (options.nodes) mix.nodes = *options.nodes;
    return mix;
  }

  void check_liveness();
  std::vector<bool> choose_core();
  bool decides(const std::vector<bool>& core) const;
  // Those of the core that the leader counts as members.
  std::vector<bool> members_of(const std::vector<bool>& core) const;
  void break_the_rest(const std::vector<bool>& core);
  void heal(const std::vector<bool>& core);
  void keep_one_away(std::vector<bool>& core);
  template <typename Done>
  void wait_until(const Done& done, Duration longest);
  bool settled(const std::vector<bool>& core) const;
  bool takes_writes(const std::vector<bool>& core) const;
  const Replica* find_leader(const std::vector<bool>& core) const;
  const raft::Raft& core_leader(const std::vector<bool>& core) const;
  Duration sending_time(const std::vector<bool>& core) const;
  std::uint64_t snapshots_installed(const std::vector<bool>& core) const;
  void check_caught_up(const std::vector<bool>& core) const;
  void check_takes_write(const std::vector<bool>& core);
  void check_what_is_idle_ends(const std::vector<bool>& core);

  const SimulationOptions& options_;
  Choices choices_;
  const Mix mix_;
  FaultCounts counts_;
  Cluster cluster_;
  Workload workload_;
  Watchers watchers_;
  FaultInjector injector_;
  Operator operator_;
};

void check_live(bool holds, const char* invariant, const std::string& detail) {
  if (!holds) violated(ExitCode::kLiveness, invariant, detail);
}

void Simulation::check_liveness() {
  std::vector<bool> core = choose_core();
  break_the_rest(core);
  heal(core);
  if (choices_.below(2, Stream::kHeal) == 0) keep_one_away(core);
  const Duration timeout = longest_election_timeout(mix_);
  // Who led in what is over finds out; then long enough for what clients and nodes still wait for,
  // for elections, and to catch up. Mostly it takes much less.
  // A late TimeoutNow may still make somebody campaign.
  cluster_.run_until(cluster_.now() + 4 * timeout + mix_.faults.straggler_most);
  wait_until([&] { return settled(core); }, 40 * timeout + 10s + sending_time(core));

  // Whoever was elected just now sends a snapshot to one that is gone, and keeps its log for it as
  // long as it may still answer.
  cluster_.run_until(cluster_.now() + 2 * timeout);

  const raft::Raft& leader = core_leader(core);
  const raft::Term term = leader.term();
  const raft::ServerId id = leader.state().self.id;
  const std::uint64_t snapshots = snapshots_installed(core);
  workload_.demand(members_of(core));
  watchers_.demand(members_of(core));
  cluster_.run_until(cluster_.now() + 10 * timeout + 1s);
  const raft::Raft& still = core_leader(core);
  check_live(still.term() == term && still.state().self.id == id, "stable-leader",
             id.name() + " led in term " + std::to_string(term.value()) +
                 ", and with nothing more broken, then " + still.state().self.id.name() +
                 " in term " + std::to_string(still.term().value()));
  workload_.stop();
  wait_until([&] { return workload_.idle() && settled(core) && takes_writes(core); }, 10s);
  check_live(workload_.idle(), "every-request-answered", "a request got no answer");
  check_live(workload_.demanded() > workload_.slowed() && workload_.unserved() == 0,
             "healthy-core-serves",
             std::to_string(workload_.unserved()) + " of " + std::to_string(workload_.demanded()) +
                 " requests were not served, and " + std::to_string(workload_.slowed()) +
                 " while the leader slowed writes down");
  const bool room = mix_.raft.log_bytes == raft::Options{}.log_bytes;
  check_live(!room || snapshots_installed(core) == snapshots, "healthy-core-keeps-up",
             "a server was sent a snapshot though nothing was broken any more");
  check_caught_up(core);
  wait_until([&] { return watchers_.all_shown(); }, 10s);
  check_live(!states_sound(mix_) || watchers_.all_shown(), "watchers-shown-all",
             "a watcher has not been shown what there is");
  check_live(takes_writes(core), "healthy-core-takes-writes",
             "the leader's log is near its bound, though everybody has caught up");
  if (workload_.slowed() > 0) check_takes_write(core);
  check_what_is_idle_ends(core);
}

// What it takes to send everybody a snapshot, and then another, at the pace that is allowed, and
// with no more on its way than is allowed; chunks that get lost are sent again after a silence.
Duration Simulation::sending_time(const std::vector<bool>& core) const {
  std::uint64_t largest = 0;
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (!core[node]) continue;
    for (const raft::SnapshotFile& file : cluster_.node(node).replica->raft().state().snapshots) {
      largest = std::max(largest, file.size_bytes);
    }
  }
  const std::uint64_t microseconds =
      2 * cluster_.size() * largest * 1'000'000 / mix_.raft.snapshot_bytes_per_second;
  const std::uint64_t at_once =
      std::max(mix_.raft.snapshot_chunk_bytes, mix_.raft.snapshot_window_bytes);
  const auto rounds = static_cast<Duration::rep>(2 * largest / at_once);
  const Duration round = 2 * mix_.faults.delay_most + 2 * mix_.raft.heartbeat_interval;
  return Duration(static_cast<Duration::rep>(microseconds)) + rounds * round;
}

std::uint64_t Simulation::snapshots_installed(const std::vector<bool>& core) const {
  std::uint64_t sum = 0;
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (core[node]) sum += cluster_.node(node).snapshots_installed;
  }
  return sum;
}

template <typename Done>
void Simulation::wait_until(const Done& done, Duration longest) {
  const Instant end = cluster_.now() + longest;
  while (cluster_.now() < end && !done()) {
    cluster_.run_until(std::min(end, cluster_.now() + mix_.raft.election_timeout));
  }
}

// All members in the core follow one leader in its term, and have applied all that it has; and no
// change of the members is under way.
bool Simulation::settled(const std::vector<bool>& core) const {
  const Replica* leader = find_leader(core);
  if (leader == nullptr || leader->raft().configuration().joint()) return false;
  const std::vector<bool> members = members_of(core);
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (!members[node]) continue;
    const Node& member = cluster_.node(node);
    if (leader->raft().configuration().find(member.id)->awaits_promotion) return false;
    const Replica& replica = *member.replica;
    if (member.damaged || !replica.serves()) return false;
    if (replica.raft().term() != leader->raft().term() ||
        replica.applied_index() != leader->raft().log().last().index ||
        replica.waiting_requests() != 0) {
      return false;
    }
  }
  return true;
}

// The leader's log is short enough for writes at any pace.
bool Simulation::takes_writes(const std::vector<bool>& core) const {
  const Replica* leader = find_leader(core);
  return leader != nullptr && raft::room_of_log(leader->raft().state()) == raft::LogRoom::kAmple;
}

std::vector<bool> Simulation::members_of(const std::vector<bool>& core) const {
  const Replica* leader = find_leader(core);
  std::vector<bool> members(core.size(), false);
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (!core[node] || leader == nullptr) continue;
    members[node] =
        leader->raft().configuration().has(cluster_.node(node).disk->image().stable.self);
  }
  return members;
}

// True if it is a quorum of the newest committed configuration, and of each that may follow it, and
// has every learner: one may be promoted in the moment in which it breaks.
bool Simulation::decides(const std::vector<bool>& core) const {
  const auto in_core = [&](const raft::Peer& peer) {
    for (std::size_t node = 0; node < core.size(); ++node) {
      if (core[node] && cluster_.node(node).disk->image().stable.self == peer) return true;
    }
    return false;
  };
  const auto exists = [&](const raft::Peer& peer) {
    for (std::size_t node = 0; node < core.size(); ++node) {
      const auto& disk = cluster_.node(node).disk;
      if (disk && disk->image().stable.self == peer) return true;
    }
    return false;
  };
  return std::ranges::all_of(
      cluster_.checker().configurations(), [&](const raft::Configuration* configuration) {
        const auto peer = [&](const raft::ServerId& id) { return configuration->find(id)->peer(); };
        return raft::is_quorum(*configuration,
                               [&](const raft::ServerId& id) { return in_core(peer(id)); }) &&
               std::ranges::all_of(configuration->learners, [&](const raft::ServerId& id) {
                 return in_core(peer(id)) || !exists(peer(id));
               });
      });
}

// A quorum of whatever configuration may be in force; often more.
std::vector<bool> Simulation::choose_core() {
  std::vector<bool> core(cluster_.size(), false);
  std::vector<bool> considered(cluster_.size(), false);
  std::uint64_t more = choices_.below(cluster_.size(), Stream::kHeal);
  for (std::size_t left = cluster_.size(); left > 0;) {
    // Half of them might be wrong, and nobody could tell which half.
    if (states_sound(mix_) && decides(core) && more-- == 0) break;
    const std::size_t node = choices_.below(cluster_.size(), Stream::kHeal);
    if (considered[node]) continue;
    considered[node] = true;
    core[node] = cluster_.node(node).disk.has_value();
    --left;
  }
  ANCHOR_ASSERT(decides(core), "whoever is needed for a quorum has not lost its disk");
  return core;
}

// What is not in the core is down, deaf, mute or both, for good, so that it cannot lead; but it may
// still disturb. (If it could lead some of the core, the others would rightly have no leader.)
void Simulation::break_the_rest(const std::vector<bool>& core) {
  cluster_.network().heal();
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (core[node] || !cluster_.node(node).disk) continue;
    const std::uint64_t kind = choices_.below(4, Stream::kHeal);
    if (kind == 0) cluster_.crash(node);
    const bool deaf = kind == 1 || kind == 3;
    const bool mute = kind == 2 || kind == 3;
    for (std::size_t other = 0; other < core.size(); ++other) {
      if (!core[other]) continue;
      cluster_.network().set_cut(other, node, deaf);
      cluster_.network().set_cut(node, other, mute);
    }
  }
}

void Simulation::heal(const std::vector<bool>& core) {
  cluster_.network().heal_within(core);
  // Nobody mends the others, but they do not go on breaking either.
  cluster_.spare(std::vector<bool>(core.size(), true));
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (!core[node]) continue;
    cluster_.resume(node);
    cluster_.restart(node);
    cluster_.set_short_of_disk(node, false);
  }
}

// For longer than a leader keeps its log for who is silent: when it comes back, mostly others have
// cut what it lacks, and go on to write; and sometimes one leads who was not there before.
void Simulation::keep_one_away(std::vector<bool>& core) {
  std::size_t node = 0;
  do {
    node = choices_.below(core.size(), Stream::kHeal);
  } while (!core[node]);
  cluster_.crash(node);
  const Instant until = cluster_.now() + 12 * longest_election_timeout(mix_);
  std::size_t newcomer = core.size();
  if (mix_.faults.changes.every != Duration{} && choices_.below(2, Stream::kHeal) == 0) {
    newcomer = operator_.let_newcomer_lead(until).value_or(core.size());
  }
  cluster_.run_until(until);
  cluster_.restart(node);
  if (newcomer == core.size() || !cluster_.node(newcomer).disk) return;
  core[newcomer] = true;
  cluster_.network().heal_within(core);
}

// Null: there is none.
const Replica* Simulation::find_leader(const std::vector<bool>& core) const {
  const auto leads = cluster_.leader(&core);
  return leads ? &*cluster_.node(*leads).replica : nullptr;
}

const raft::Raft& Simulation::core_leader(const std::vector<bool>& core) const {
  const Replica* leader = find_leader(core);
  check_live(leader != nullptr, "leader-elected", "a healthy quorum has no leader");
  return leader->raft();
}

void Simulation::check_caught_up(const std::vector<bool>& core) const {
  const raft::Raft& leader = core_leader(core);
  const raft::Index last = leader.log().last().index;
  const std::vector<bool> members = members_of(core);
  for (std::size_t node = 0; node < core.size(); ++node) {
    if (!members[node]) continue;
    const Replica& replica = *cluster_.node(node).replica;
    check_live(replica.applied_index() == last, "core-catches-up",
               cluster_.node(node).id.name() + " applied " +
                   std::to_string(replica.applied_index().value()) + " of " +
                   std::to_string(last.value()));
    check_live(replica.waiting_requests() == 0, "every-request-answered",
               cluster_.node(node).id.name() + " still holds requests");
    const auto age = replica.data_age();
    check_live(age && *age <= 2 * longest_election_timeout(mix_), "data-stays-fresh",
               cluster_.node(node).id.name() + " does not know how fresh its data is");
    check(replica.store().digest() == replica.store().recomputed_digest(), "digest-recomputed",
          cluster_.node(node).id.name());
  }
}

// Nothing has its leader slow down any more.
void Simulation::check_takes_write(const std::vector<bool>& core) {
  const std::uint64_t slowed = workload_.slowed();
  workload_.demand_write(*cluster_.leader(&core));
  wait_until([&] { return workload_.idle(); }, 10s);
  check_live(workload_.idle() && workload_.unserved() == 0 && workload_.slowed() == slowed,
             "healthy-core-takes-writes", "a leader that slowed writes down serves none any more");
}

// Nobody writes any more. Those that live long may stay.
void Simulation::check_what_is_idle_ends(const std::vector<bool>& core) {
  constexpr Duration kShort = 4s;
  const auto any_short = [&] {
    const kv::Store& store = find_leader(core)->store();
    const kv::Tree& sessions = store.sessions().table().tree();
    for (kv::Tree::Cursor at = sessions.begin(); at.valid(); at.next()) {
      if (kv::Sessions::session_of(*at.item())->ttl <= kShort) return true;
    }
    return store.leases().size() > 0;  // none is longer
  };
  core_leader(core);
  if (!any_short()) return;
  // By the slowest clock, and once more for what could not be proposed.
  cluster_.run_until(cluster_.now() + 4 * kShort);
  core_leader(core);
  check_live(!any_short(), "what-is-idle-ends",
             "a session or a lease is there that nobody has used for long");
}

}  // namespace

SimulationResult simulate(const SimulationOptions& options) {
  Simulation simulation(options);
  std::optional<Violation> violation;
  try {
    simulation.run();
  } catch (const Violation& found) {
    violation = found;
  }
  SimulationResult result = simulation.result();
  result.violation = std::move(violation);
  return result;
}

}  // namespace anchor::sim
