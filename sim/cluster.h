#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/deferred_messages.h"
#include "core/peer_book.h"
#include "core/replica.h"
#include "core/watches.h"
#include "sim/choices.h"
#include "sim/clock.h"
#include "sim/cluster_checker.h"
#include "sim/disk.h"
#include "sim/event_queue.h"
#include "sim/history.h"
#include "sim/network.h"
#include "sim/profile.h"

namespace anchor::sim {

// What became of an administrator's request; null as for an Answer.
using AdminCallback = std::function<void(const Outcome*)>;

// A node: the production replica within a shell made of virtual things.
struct Node {
  Node(std::size_t number, DriftingClock clock);
  static constexpr Duration kFarewell = 2s;

  bool up() const { return replica.has_value(); }

  std::size_t number;
  raft::ServerId id;
  // None: there is no such server, or it has lost all that it had.
  std::optional<Disk> disk{};
  DriftingClock clock;

  // None: the process is down.
  std::optional<Replica> replica{};
  bool paused = false;
  bool slow_disk = false;
  bool short_of_disk = false;
  // Its state is not what the log makes of it; or will not be, once it has started.
  bool damaged = false;
  bool starts_damaged = false;

  // Whom it can send to.
  PeerBook peers{kFarewell};
  // Who has been heard, and says that it is there.
  std::map<raft::Peer, std::string> said{};

  // For its next step, and when that is.
  std::vector<Input> inputs{};
  std::optional<raft::WriteId> persisted{};
  std::optional<Instant> wake{};
  std::uint64_t wake_ordinal = 0;
  // When it was stepped last, and how often since then with nothing new.
  Instant stepped{};
  std::uint32_t idle_steps = 0;
  // The disk's completions are for one life of the process.
  std::uint64_t life = 0;
  // The disk works on its snapshots.
  bool snapshot_work = false;
  // From leaders, in all its lives.
  std::uint64_t snapshots_installed = 0;

  DeferredMessages deferred{};
  Watches watches{};
  std::map<RequestId, OperationId> requests{};
  std::map<RequestId, AdminCallback> admin_requests{};
};

// What became of an operation. Null: the connection broke, and nobody knows.
using Answer = std::function<void(OperationId, const Outcome*)>;
// A line of the trace, at an instant.
using Trace = std::function<void(Instant, const std::string&)>;

// N nodes on one thread: virtual network, disks and clocks around production replicas. Every event
// is followed by the whole-cluster checks, which throw a Violation.
class Cluster {
 public:
  Cluster(const Mix& mix, Choices& choices, FaultCounts& faults, Trace trace);

  Instant now() const { return now_; }
  // Carries out what happens until `end`.
  void run_until(Instant end);
  // Calls `action` then.
  void after(Duration delay, std::function<void()> action);

  std::size_t size() const { return nodes_.size(); }
  const Node& node(std::size_t number) const { return nodes_[number]; }
  Network& network() { return network_; }
  const ClusterChecker& checker() const { return checker_; }
  const History& history() const { return history_; }
  std::uint64_t event_count() const { return events_; }
  std::uint64_t step_count() const { return steps_; }
  std::uint64_t elections() const { return elections_; }
  // When a leader's log was last too long for writes at any pace.
  Instant writes_slowed() const { return writes_slowed_; }
  // Of all that happened, and what it led to: the same for the same seed, everywhere.
  std::uint64_t hash() const { return hash_; }

  // Requires: the node is up; `answer` is called exactly once.
  OperationId submit(std::size_t number, ClientRequestBody request);
  // Its client is gone.
  void abandon(std::size_t number, OperationId operation);
  // As submit. `callback` is called once, unless the node is paused for good.
  void administer(std::size_t number, raft::AdminRequest request, AdminCallback callback);
  // Requires: the node is up, and serves.
  WatchId watch(std::size_t number, WatchedKeys keys, kv::Revision from);
  // Whether watches of that life of the node go on.
  bool watches(std::size_t number, std::uint64_t life) const;
  // Requires: they do.
  std::variant<Watches::Events, Watches::Resync> read_watch(std::size_t number, WatchId id,
                                                            std::size_t bytes_most);
  void end_watch(std::size_t number, std::uint64_t life, WatchId id);
  void on_answer(Answer answer) { answer_ = std::move(answer); }

  void crash(std::size_t number);
  // If it has a disk.
  void restart(std::size_t number);
  // Its state is another when it starts next. Requires: it is down.
  void damage(std::size_t number) { nodes_[number].starts_damaged = true; }
  bool any_damaged() const;
  // Among these, if `among` names some: who leads, of several the one of the latest term. None:
  // nobody that is up.
  std::optional<std::size_t> leader(const std::vector<bool>* among = nullptr) const;
  // Starts for the first time, as the member that it was admitted as. Requires: it has no disk.
  void join(std::size_t number, const raft::Configuration& members);
  // All that it had is gone. Requires: it is a member no more.
  void wipe(std::size_t number);
  void pause(std::size_t number);
  void resume(std::size_t number);
  void set_slow_disk(std::size_t number, bool slow) { nodes_[number].slow_disk = slow; }
  void set_short_of_disk(std::size_t number, bool now);
  void jump_clock(std::size_t number, Duration forward);
  // The sender notices that its connection is lost.
  void reset_connection(std::size_t from, std::size_t to);
  // From now on no node crashes of itself, and the disks of these are quick.
  void spare(const std::vector<bool>& spared) { spared_ = spared; }
  // Called when a node crashed of itself.
  void on_crash(std::function<void(std::size_t)> crashed) { crashed_ = std::move(crashed); }

 private:
  struct Turn {
    std::size_t node;
    std::uint64_t ordinal;
  };
  struct DiskDone {
    std::size_t node;
    std::uint64_t life;
  };
  struct SnapshotWork {
    std::size_t node;
    std::uint64_t life;
  };
  struct Arrival {
    std::size_t from;
    std::size_t to;
    Delivery delivery;
  };
  struct Alarm {
    std::function<void()> action;
  };
  using Event = std::variant<Turn, DiskDone, SnapshotWork, Arrival, Alarm>;

  void happen(const Turn& turn);
  void happen(const DiskDone& done);
  void happen(const SnapshotWork& work);
  void happen(const Arrival& arrival);
  void happen(const Alarm& alarm) { alarm.action(); }

  static constexpr raft::ClusterId kClusterId{0xa9c402};

  void wake(Node& node, Instant at);
  void wake_within_turn(Node& node);
  void give(Node& node, Input input);
  void check_busy(Node& node, bool idle);
  void start_damaged(Node& node, kv::Store& store);
  void check_silence(const Node& node, bool served, const Output& output) const;
  void step(Node& node);
  void carry_out(Node& node, Output output);
  bool crash_point(Node& node, std::uint64_t point, std::uint64_t chosen);
  bool reaches(Node& node, const raft::Message& message);
  void send(Node& node, const std::vector<raft::Message>& messages);
  RequestId give_request(Node& node, RequestBody body);
  void answer(Node& node, const Reply& reply);
  void give_disk(Node& node, Disk disk);
  void start_disk(Node& node);
  Duration disk_latency(const Node& node, Stream stream);
  void work_on_snapshots(Node& node, Output& output);
  void go_on_with_snapshots(Node& node);
  bool spared(const Node& node) const { return !spared_.empty() && spared_[node.number]; }
  void note(std::uint64_t value) { hash_ = mix64(hash_ ^ value); }
  void trace(const Node& node, std::string_view what);

  const Mix& mix_;
  Choices& choices_;
  FaultCounts& faults_;
  Trace trace_;
  std::vector<const DiskImage*> images_;
  std::vector<Node> nodes_;
  Network network_;
  ClusterChecker checker_;
  History history_;
  Answer answer_;
  std::function<void(std::size_t)> crashed_;
  std::vector<bool> spared_;

  Instant now_{};
  EventQueue<Event> queue_;
  std::uint64_t last_request_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t elections_ = 0;
  Instant writes_slowed_{};
  std::uint64_t hash_ = 0;
};

}  // namespace anchor::sim
