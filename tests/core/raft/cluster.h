#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/raft/invariants.h"
#include "core/raft/raft.h"

// Raft servers driven by hand: a test says which message arrives, which write completes and how
// time goes by, and nothing else happens. Servers are numbered from 1.
namespace anchor::raft {

inline ServerId id_of(int number) {
  return ServerId("s" + std::to_string(number));
}
inline Peer peer_of(int number) {
  return {id_of(number), Incarnation(0)};
}

inline Configuration configuration_of(int servers) {
  std::vector<Member> members;
  for (int number = 1; number <= servers; ++number) {
    members.push_back({id_of(number), Incarnation(0), "", ""});
  }
  return founding_configuration(std::move(members));
}

// Its text follows from index and term, so that equal positions hold equal entries.
inline Entry entry_at(std::uint64_t index, std::uint64_t term) {
  const std::string text = std::to_string(index) + "." + std::to_string(term);
  return {Index(index), Term(term), Command{Bytes::copy_of(text)}};
}

// Entries with these terms from index `first` on: logs as the dissertation draws them.
inline std::vector<Entry> entries_of(const std::vector<std::uint64_t>& terms,
                                     std::uint64_t first = 1) {
  std::vector<Entry> entries;
  for (const std::uint64_t term : terms) entries.push_back(entry_at(first++, term));
  return entries;
}

inline std::vector<std::uint64_t> terms_of(const std::vector<Entry>& entries) {
  std::vector<std::uint64_t> terms;
  for (const Entry& entry : entries) terms.push_back(entry.term.value());
  return terms;
}

inline LogPosition position(std::uint64_t index, std::uint64_t term) {
  return {Index(index), Term(term)};
}

// What a server starts with; everything in it is durable.
struct Start {
  int self = 1;
  Incarnation incarnation{};
  Configuration configuration = configuration_of(3);
  std::vector<std::uint64_t> log_terms{};
  // They follow those.
  std::vector<Entry> entries{};
  // Raised to the log's last.
  Term term{};
  std::optional<Peer> vote{};
  Duration longest_promise{};
  Options options{};
  std::uint64_t seed = 1;
};

// One server with its disk and its clock.
class Server {
 public:
  explicit Server(const Start& start)
      : options_(start.options),
        seed_(start.seed),
        disk_{.cluster_id = ClusterId(1),
              .self = {id_of(start.self), start.incarnation},
              .boot = Boot(1),
              .hard_state = {start.term, start.vote, start.longest_promise},
              .base = {},
              .base_configuration = std::make_shared<const Configuration>(start.configuration),
              .entries = entries_of(start.log_terms)} {
    disk_.entries.insert(disk_.entries.end(), start.entries.begin(), start.entries.end());
    if (!disk_.entries.empty()) {
      disk_.hard_state.term = std::max(disk_.hard_state.term, disk_.entries.back().term);
    }
    boot();
  }

  // --- What happens to it: each is one step ----------------------------------------------------

  template <typename Act>
  void step(const Act& act) {
    const StepInvariants before(*raft_);
    raft_->begin_step(now_);
    act(*raft_);
    raft_->advance();
    for (const ConfirmedRead& read : raft_->take_confirmed_reads()) reads_.push_back(read);
    const Output output = raft_->finish_step();
    before.check(*raft_, output);
    check_invariants(*raft_);
    if (output.persist) writes_.push_back(*output.persist);
    sent_.insert(sent_.end(), output.messages.begin(), output.messages.end());
    held_.insert(held_.end(), output.messages_after_persist.begin(),
                 output.messages_after_persist.end());
    events_.insert(events_.end(), output.events.begin(), output.events.end());
    chunks_.insert(chunks_.end(), output.snapshot_chunks.begin(), output.snapshot_chunks.end());
    parts_.insert(parts_.end(), output.snapshot_parts.begin(), output.snapshot_parts.end());
    if (output.snapshots_kept) snapshots_kept_ = output.snapshots_kept;
  }

  void hear(const Message& message) {
    step([&](Raft& raft) { raft.receive(message); });
  }
  void hear(int from, Term term, MessageBody body, Boot boot = Boot(1)) {
    hear(message(from, term, std::move(body), boot));
  }
  void hear(const Peer& from, Term term, MessageBody body) {
    hear({from, Boot(1), disk_.self, term, std::move(body)});
  }
  Message message(int from, Term term, MessageBody body, Boot boot = Boot(1)) const {
    return {peer_of(from), boot, disk_.self, term, std::move(body)};
  }

  void wait(Duration duration) {
    now_ += duration;
    step([](Raft&) {});
  }
  // Lets time go on to the next deadline.
  void wait_for_deadline() {
    ANCHOR_ASSERT(raft_->deadline().has_value());
    wait(std::max(*raft_->deadline() - now_, 0us));
  }

  // The oldest write becomes durable, and what waited for it leaves.
  void complete_write() {
    ANCHOR_ASSERT(!writes_.empty());
    const PersistBatch batch = std::move(writes_.front());
    writes_.pop_front();
    store(batch);
    while (!held_.empty() && held_.front().after <= batch.id) {
      sent_.push_back(std::move(held_.front().message));
      held_.pop_front();
    }
    step([&](Raft& raft) { raft.persisted(batch.id); });
  }
  // All writes, also those that the completion of others leads to.
  void complete_writes() {
    while (!writes_.empty()) complete_write();
  }

  std::expected<LogPosition, ProposalRefused> propose(std::string_view text = "x") {
    std::expected<LogPosition, ProposalRefused> result;
    step([&](Raft& raft) { result = raft.propose(Bytes::copy_of(text)); });
    return result;
  }
  std::expected<std::optional<LogPosition>, AdminRefused> change(const AdminRequest& request) {
    std::expected<std::optional<LogPosition>, AdminRefused> result;
    step([&](Raft& raft) { result = raft.change_members(request); });
    return result;
  }
  std::expected<ServerId, AdminRefused> transfer(std::optional<int> target = std::nullopt) {
    std::expected<ServerId, AdminRefused> result;
    const auto id = target ? std::optional(id_of(*target)) : std::nullopt;
    step([&](Raft& raft) { result = raft.transfer_leadership(id, "asked to"); });
    return result;
  }
  void ask_to_read(std::uint64_t context) {
    step([&](Raft& raft) { raft.request_read_index(context, false); });
  }

  // Forgets everything that is not durable.
  void restart() {
    writes_.clear();
    held_.clear();
    disk_.boot = disk_.boot.next();
    boot();
  }

  // --- What it did -----------------------------------------------------------------------------

  // The messages of one kind, to anyone or to one server, that have left since they were last
  // taken.
  template <typename Body>
  std::vector<Body> take(std::optional<int> to = std::nullopt) {
    std::vector<Body> taken;
    std::erase_if(sent_, [&](const Message& message) {
      const auto* body = std::get_if<Body>(&message.body);
      if (body == nullptr || (to && message.to.id != id_of(*to))) return false;
      taken.push_back(*body);
      return true;
    });
    return taken;
  }
  std::vector<Message> take_sent() { return std::exchange(sent_, {}); }
  // Of snapshots: what was to be read and sent, and what was to be written, since last taken; and
  // what was last to be kept.
  std::vector<SnapshotChunk> take_chunks() { return std::exchange(chunks_, {}); }
  std::vector<InstallSnapshot> take_parts() { return std::exchange(parts_, {}); }
  const std::optional<std::vector<LogPosition>>& snapshots_kept() const { return snapshots_kept_; }
  // Handed to the disk and not durable yet, oldest first.
  const std::deque<PersistBatch>& writes() const { return writes_; }
  const std::vector<Event>& events() const { return events_; }
  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  template <typename Kind>
  std::size_t count_events() const {
    return std::ranges::count_if(
        events_, [](const Event& event) { return std::holds_alternative<Kind>(event); });
  }
  std::optional<Index> confirmed_read(std::uint64_t context) const {
    for (const ConfirmedRead& read : reads_) {
      if (read.context == context) return read.read_index;
    }
    return std::nullopt;
  }

  const Raft& raft() const { return *raft_; }
  Instant now() const { return now_; }
  Term term() const { return raft_->term(); }
  Boot boot_count() const { return disk_.boot; }
  bool leads() const { return raft_->is_leader(); }
  bool follows() const { return std::holds_alternative<Follower>(raft_->role()); }
  bool campaigns() const { return std::holds_alternative<Candidate>(raft_->role()); }
  const Progress& progress(int follower) const {
    return std::get<Leader>(raft_->role()).followers.at(id_of(follower));
  }
  std::uint64_t commit_index() const { return raft_->commit_index().value(); }
  std::uint64_t last_index() const { return raft_->log().last().index.value(); }
  std::vector<Entry> log() const {
    if (last_index() == 0) return {};
    return raft_->log().from(Index(1), UINT64_MAX);
  }
  std::vector<std::uint64_t> log_terms() const { return terms_of(log()); }

 private:
  void boot() {
    raft_ = std::make_unique<Raft>(options_, seed_ + disk_.boot.value(), disk_);
    step([](Raft&) {});
  }

  void store(const PersistBatch& batch) {
    if (batch.hard_state) disk_.hard_state = *batch.hard_state;
    if (batch.truncate_from) disk_.entries.resize(*batch.truncate_from - Index(1));
    disk_.entries.insert(disk_.entries.end(), batch.entries.begin(), batch.entries.end());
  }

  Options options_;
  std::uint64_t seed_;
  Recovered disk_;
  std::unique_ptr<Raft> raft_;
  Instant now_;
  std::deque<PersistBatch> writes_;
  std::deque<DeferredMessage> held_;
  std::vector<Message> sent_;
  std::vector<ConfirmedRead> reads_;
  std::vector<Event> events_;
  std::vector<SnapshotChunk> chunks_;
  std::vector<InstallSnapshot> parts_;
  std::optional<std::vector<LogPosition>> snapshots_kept_;
};

// Makes a candidate of the server by the pre-votes of 2, 3, ...; its own vote is durable
// afterwards, and its requests have left. Requires: the voters are numbered, and the server is 1.
inline void make_candidate(Server& server) {
  server.wait_for_deadline();
  const Term campaign = server.term().next();
  for (int voter = 2; server.term() < campaign; ++voter) {
    server.hear(voter, server.term(),
                VoteReply{.campaign_term = campaign, .pre_vote = true, .granted = true});
  }
  server.complete_write();
}

// The same with votes: its no-op has left and is not durable yet.
inline void make_leader(Server& server) {
  make_candidate(server);
  for (int voter = 2; !server.leads(); ++voter) {
    server.hear(voter, server.term(), VoteReply{.campaign_term = server.term(), .granted = true});
  }
}

// The same, and the no-op and all before it is committed by server 2 and the leader, and everybody
// in the configuration is known to have it.
inline void make_established_leader(Server& server) {
  make_leader(server);
  server.complete_writes();
  for (const Member& member : server.raft().configuration().members) {
    if (member.id == id_of(1)) continue;
    server.hear({member.peer(), Boot(1), peer_of(1), server.term(),
                 AppendAccepted{server.raft().log().last().index, Round(0)}});
  }
  server.take_sent();
}

// A few servers and the network between them.
class Cluster {
 public:
  explicit Cluster(int servers, const Options& options = {}) : options_(options) {
    for (int number = 1; number <= servers; ++number) {
      servers_.push_back(std::make_unique<Server>(Start{.self = number,
                                                        .configuration = configuration_of(servers),
                                                        .options = options,
                                                        .seed = 100U + number}));
    }
  }

  int size() const { return static_cast<int>(servers_.size()); }
  Server& operator[](int number) { return *servers_.at(number - 1); }

  // Starts a server that the leader has admitted, in the life that it was admitted in, or anew
  // under the number of another that has lost all it had.
  void join(int number, int leader) {
    const Configuration& told = (*this)[leader].raft().configuration();
    Start start{.self = number,
                .incarnation = told.find(id_of(number))->incarnation,
                .configuration = told,
                .options = options_,
                .seed = 200U + number};
    if (number > size()) servers_.resize(number);
    servers_.at(number - 1) = std::make_unique<Server>(start);
  }

  // Messages to and from it are lost.
  void cut_off(int number) { cut_off_.insert(id_of(number)); }
  void reconnect(int number) { cut_off_.erase(id_of(number)); }

  // Carries messages and completes writes until there is nothing left to do. Time stands still.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& server : servers_) {
        if (!server->writes().empty()) {
          server->complete_writes();
          moved = true;
        }
        for (const Message& message : server->take_sent()) {
          if (cut_off_.contains(message.from.id) || cut_off_.contains(message.to.id)) continue;
          Server* to = find(message.to.id);
          if (to == nullptr) continue;
          to->hear(message);
          moved = true;
        }
      }
    }
  }

  // Lets the server lead, once those that it can reach have forgotten whom they followed.
  void elect(int number) {
    for (int other = 1; other <= size(); ++other) {
      if (other != number && !cut_off_.contains(id_of(other))) {
        (*this)[other].wait(options_.election_timeout);
      }
    }
    (*this)[number].wait_for_deadline();
    settle();
  }

  // A heartbeat of the leader, and all that follows from it.
  void heartbeat(int leader) {
    (*this)[leader].wait(options_.heartbeat_interval);
    settle();
  }

 private:
  // Null: it was never started.
  Server* find(const ServerId& id) {
    for (int number = 1; number <= size(); ++number) {
      if (id_of(number) == id) return servers_[number - 1].get();
    }
    return nullptr;
  }

  Options options_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::set<ServerId> cut_off_;
};

}  // namespace anchor::raft
