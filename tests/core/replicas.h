#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/deferred_messages.h"
#include "core/kv/command.h"
#include "core/raft/configuration.h"
#include "core/replica.h"

// Replicas driven by hand: a test says which message arrives, when the disk is done and how time
// goes by, and nothing else happens. Servers are numbered from 1.
namespace anchor {

inline raft::ServerId id_of(int number) {
  return raft::ServerId("n" + std::to_string(number));
}

// One replica with its disk, its clients and its clock.
class Server {
 public:
  // One of a cluster's founders.
  Server(int number, int servers, const Replica::Options& options) : self_{id_of(number), {}} {
    std::vector<raft::Member> members;
    for (int other = 1; other <= servers; ++other) {
      members.push_back({id_of(other), raft::Incarnation(0), "", ""});
    }
    raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
    entry.payload = std::make_shared<const raft::Configuration>(
        raft::founding_configuration(std::move(members)));
    start(options, raft::Term(1), {}, {std::move(entry)});
  }
  // One that was admitted, and told who the members are.
  Server(int number, raft::SharedConfiguration told, const Replica::Options& options)
      : self_(told->find(id_of(number))->peer()) {
    start(options, {}, std::move(told), {});
  }

  const Replica& replica() const { return *replica_; }
  const kv::Store& store() const { return replica_->store(); }
  raft::Term term() const { return replica_->raft().term(); }
  bool leads() const { return replica_->raft().is_leader(); }
  Instant now() const { return now_; }

  // --- What happens to it -----------------------------------------------------------------------

  void step(const std::vector<Input>& inputs = {}) {
    Output output = replica_->step(now_, inputs);
    if (output.persist) write_ = output.persist->id;
    if (output.snapshot_save) snapshot_save_ = std::move(output.snapshot_save);
    std::ranges::move(output.messages, std::back_inserter(sent_));
    std::ranges::move(held_.hold(std::move(output.messages_after_persist)),
                      std::back_inserter(sent_));
    for (Reply& reply : output.replies) {
      ANCHOR_ASSERT(answers_.emplace(reply.id, std::move(reply.outcome)).second,
                    "a request is answered once");
    }
  }
  void wait(Duration duration) { wait_and_step(duration, {}); }
  // Its state is another than its log makes, as after a bug or a fault of its memory.
  void damage() {
    const_cast<kv::Store&>(replica_->store()).apply(kv::Put{"damage", Bytes(), kv::Always{}});
  }
  // As from a disk that has all of its log, and no snapshot.
  void restart() {
    const raft::State& before = replica_->raft().state();
    const raft::Log& log = before.log;
    raft::Recovered recovered{.cluster_id = before.cluster_id,
                              .self = self_,
                              .boot = before.boot.next(),
                              .hard_state = before.hard_state,
                              .base = {},
                              .base_configuration = {},
                              .entries = log.from(log.base().index.next(), log.bytes())};
    ANCHOR_ASSERT(log.base().index == raft::Index());
    const Replica::Options options = options_;
    replica_.emplace(options, std::move(recovered));
    write_.reset();
    held_ = {};
    step();
  }
  // The inputs come after this time, in the first step for as long.
  void wait_and_step(Duration duration, const std::vector<Input>& inputs) {
    now_ += duration;
    step(inputs);
  }
  void wait_for_deadline() { wait(std::max(*replica_->deadline() - now_, 0us)); }
  bool disk_busy() const { return write_.has_value(); }
  // All that was written is durable, and what waited for it leaves.
  void complete_writes() {
    while (write_) {
      const raft::WriteId newest = *std::exchange(write_, std::nullopt);
      std::ranges::move(held_.durable(newest), std::back_inserter(sent_));
      step({Persisted{newest}});
    }
  }
  void hear(raft::Message message) { step({PeerMessage{std::move(message)}}); }
  // From the server `from`, of the term that this one is in.
  void hear(int from, raft::MessageBody body) {
    hear({.from = {id_of(from), raft::Incarnation(0)},
          .from_boot = raft::Boot(1),
          .to = self_,
          .term = term(),
          .body = std::move(body)});
  }

  // --- Its clients ------------------------------------------------------------------------------

  RequestId write(std::string key, std::string_view value = "value", Duration patience = 10s) {
    return ask(kv::Put{std::move(key), Bytes::copy_of(value), kv::Always{}}, patience);
  }
  RequestId read(std::string key, Duration patience = 10s) {
    return ask(Read{std::move(key)}, patience);
  }
  RequestId administer(raft::AdminRequest request, Duration patience = 10s) {
    return ask(std::move(request), patience);
  }
  RequestId ask(RequestBody request, Duration patience) {
    const RequestId id = next_request();
    step({ClientRequest{.id = id, .deadline = now_ + patience, .body = std::move(request)}});
    return id;
  }
  RequestId next_request() { return RequestId(++last_request_); }

  bool answered(RequestId id) const { return answers_.contains(id); }
  // The leader's answer to an administrator; null: it was answered otherwise, or not yet.
  template <typename Kind>
  const Kind* admin_answer(RequestId id) const {
    const auto* done = answer<AdminDone>(id);
    return done == nullptr ? nullptr : std::get_if<Kind>(&done->answer);
  }
  // Null: it was answered otherwise, or not yet.
  template <typename Kind>
  const Kind* answer(RequestId id) const {
    const auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : std::get_if<Kind>(&found->second);
  }
  bool refused(RequestId id, Refusal reason) const {
    const auto* refusal = answer<NotApplied>(id);
    return refusal != nullptr && refusal->reason == reason;
  }

  // The newest snapshot that it wants written; none since this was last asked.
  std::optional<SnapshotSave> take_snapshot_save() {
    return std::exchange(snapshot_save_, std::nullopt);
  }

  // --- What it says -----------------------------------------------------------------------------

  std::vector<raft::Message> take_sent() { return std::exchange(sent_, {}); }
  // The messages of one kind that have left since messages were last taken.
  template <typename Body>
  std::vector<Body> sent() const {
    std::vector<Body> bodies;
    for (const raft::Message& message : sent_) {
      if (const auto* body = std::get_if<Body>(&message.body)) bodies.push_back(*body);
    }
    return bodies;
  }

 private:
  void start(Replica::Options options, raft::Term term, raft::SharedConfiguration told,
             std::vector<raft::Entry> entries) {
    options.seed = std::stoull(self_.id.name().substr(1));
    options.check_invariants = true;
    options_ = options;
    replica_.emplace(options, raft::Recovered{.cluster_id = raft::ClusterId(1),
                                              .self = self_,
                                              .boot = raft::Boot(1),
                                              .hard_state = {.term = term, .vote = {}},
                                              .base = {},
                                              .base_configuration = std::move(told),
                                              .entries = std::move(entries)});
    step();
  }

  raft::Peer self_;
  Replica::Options options_;
  std::optional<Replica> replica_;
  Instant now_{};
  // The newest that is not durable yet.
  std::optional<raft::WriteId> write_;
  std::optional<SnapshotSave> snapshot_save_;
  DeferredMessages held_;
  std::vector<raft::Message> sent_;
  std::uint64_t last_request_ = 0;
  std::map<RequestId, Outcome> answers_;
};

// A few servers and the network between them.
class Servers {
 public:
  explicit Servers(int count, const Replica::Options& options = {}) : options_(options) {
    for (int number = 1; number <= count; ++number) {
      servers_.push_back(std::make_unique<Server>(number, count, options));
    }
  }

  Server& operator[](int number) { return *servers_.at(static_cast<std::size_t>(number - 1)); }

  // Starts the next server, which the leader has admitted.
  void join(int leader) {
    const int number = static_cast<int>(servers_.size()) + 1;
    servers_.push_back(std::make_unique<Server>(
        number, (*this)[leader].replica().raft().log().configuration(), options_));
  }

  // Messages to and from it are lost.
  void cut_off(int number) { cut_off_.insert(id_of(number)); }
  void reconnect(int number) { cut_off_.erase(id_of(number)); }

  // Carries messages and completes writes until there is nothing left to do. Time stands still.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& server : servers_) {
        if (server->disk_busy()) {
          server->complete_writes();
          moved = true;
        }
        for (raft::Message& message : server->take_sent()) {
          moved = carry(std::move(message)) || moved;
        }
      }
    }
  }
  // False: it is lost.
  bool carry(raft::Message message) {
    if (cut_off_.contains(message.from.id) || cut_off_.contains(message.to.id)) return false;
    const auto to = std::ranges::find_if(servers_, [&](const auto& server) {
      return server->replica().raft().state().self.id == message.to.id;
    });
    if (to == servers_.end()) return false;
    (*to)->hear(std::move(message));
    return true;
  }

  // Lets the server lead, once those that it can reach have forgotten whom they followed.
  void elect(int number) {
    for (const auto& server : servers_) {
      if (!cut_off_.contains(server->replica().raft().state().self.id)) {
        server->wait(options_.raft.election_timeout);
      }
    }
    while (!(*this)[number].leads()) {
      (*this)[number].wait_for_deadline();
      settle();
    }
    heartbeat(number);
  }
  // A heartbeat of the leader, and all that follows from it.
  void heartbeat(int leader) {
    (*this)[leader].wait(options_.raft.heartbeat_interval);
    settle();
  }

 private:
  Replica::Options options_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::set<raft::ServerId> cut_off_;
};

// n1 leads, and the others know it.
inline Servers with_leader(const Replica::Options& options = {}) {
  Servers servers(3, options);
  servers.elect(1);
  return servers;
}

// How often the key was written: zero if it is not there.
inline std::uint64_t version_of(const Server& server, std::string_view key) {
  const kv::ItemRef item = server.store().find(key);
  return item ? item->version() : 0;
}

}  // namespace anchor
