#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/replica.h"
#include "fuzz/decisions.h"
#include "fuzz/peers.h"

namespace anchor::fuzz {

// The log of a cluster that was founded, and has done nothing else.
inline raft::Recovered founded() {
  std::vector<raft::Member> members;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    members.push_back({peer_of(number).id, peer_of(number).incarnation, "", ""});
  }
  raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
  entry.payload =
      std::make_shared<const raft::Configuration>(raft::founding_configuration(std::move(members)));
  return {.cluster_id = kClusterId,
          .self = peer_of(1),
          .boot = raft::Boot(1),
          .hard_state = {.term = raft::Term(1), .vote = {}},
          .base = {},
          .base_configuration = {},
          .entries = {std::move(entry)}};
}

// Small bounds, so that what happens at a bound happens.
inline Replica::Options tight_options() {
  Replica::Options options{.seed = 1, .waiting_requests = 8, .check_invariants = true};
  options.raft.append_bytes = 200;
  options.raft.window_messages = 3;
  options.raft.window_bytes = 600;
  options.raft.uncommitted_bytes = 1500;
  return options;
}

// Around the replica n1: a disk that is slow, clients and an administrator, a clock that leaps, and
// two peers. What must hold after every step: Raft's invariants, writes numbered in order, every
// request answered once and in time, and a deadline that lies ahead. (What a step leaves due, as
// when it ends with a change of whom a leader must have heard, another one does at once.)
template <typename Peers>
class ReplicaShell {
 public:
  ReplicaShell(ByteView input, const Replica::Options& options)
      : decisions_(input), replica_(options, founded()), peers_(replica_.raft(), decisions_) {
    step();
  }

  void run() {
    while (decisions_.any_left()) act();
    // Whatever has happened, nothing waits for ever.
    now_ += 3600s;
    step();
    ANCHOR_ASSERT(waiting_.empty() && replica_.waiting_requests() == 0);
  }

 private:
  void act() {
    switch (decisions_.below(8)) {
      case 0:
      case 1:
      case 2:
        if (auto message = peers_.speak()) inputs_.push_back(PeerMessage{std::move(*message)});
        break;
      case 3:
        work_of_the_disk();
        break;
      case 4:
        ask();
        break;
      case 5:
        inputs_.push_back(PeerUnreachable{peer_of(2 + decisions_.below(2)).id});
        break;
      case 6:
        now_ += Duration(1000) * static_cast<int>(decisions_.below(200));
        break;
      default:
        if (const auto due = replica_.deadline()) now_ = *due;
        break;
    }
    // Mostly a step for each input; sometimes they come in batches.
    if (decisions_.below(4) != 0) step();
  }

  void work_of_the_disk() {
    if (saving_ && decisions_.coin()) {
      const raft::LogPosition position = std::exchange(saving_, {})->position;
      inputs_.push_back(SnapshotSaved{{.position = position, .size_bytes = 1000, .checksum = 1}});
    } else if (receiving_ && decisions_.coin()) {
      receive_snapshot(*std::exchange(receiving_, {}));
    } else if (!writes_.empty()) {
      inputs_.push_back(Persisted{writes_.front()});
      writes_.pop_front();
    } else {
      inputs_.push_back(DiskRoom{decisions_.coin()});
    }
  }

  // The part is written, and perhaps the whole is there and in order, or is none.
  void receive_snapshot(const raft::InstallSnapshot& part) {
    switch (decisions_.below(3)) {
      case 0:
        inputs_.push_back(SnapshotWritten{part.file, 0});
        break;
      case 1:
        inputs_.push_back(SnapshotWritten{part.file, part.offset});
        break;
      default:
        inputs_.push_back(SnapshotReceived{
            .file = part.file,
            .configuration = {raft::Index(decisions_.below(2)), any_configuration(decisions_)},
            .store = {}});
        break;
    }
  }

  void ask() {
    const RequestId id(++last_request_);
    const Instant deadline = now_ + Duration(1000) * static_cast<int>(20 * decisions_.below(256));
    inputs_.push_back(ClientRequest{.id = id, .deadline = deadline, .body = any_request()});
    waiting_.emplace(id, deadline);
    if (decisions_.below(8) == 7) inputs_.push_back(ClientGone{RequestId(decisions_.below(64))});
  }

  RequestBody any_request() {
    if (decisions_.below(4) == 0) return any_admin_request(decisions_);
    if (decisions_.coin()) return any_command();
    switch (decisions_.below(8)) {
      case 1:
        return Read{.of = AllLeases()};
      case 2:
        return kv::LeaseQuery{kv::LeaseId(1 + decisions_.below(2)), decisions_.coin()};
      case 3:
      case 4:
        return AcquireLock{"a", 1s, Duration(100'000) * static_cast<int>(decisions_.below(16))};
      case 5:
        return ReleaseLock{"a", kv::Revision(decisions_.below(8))};
      default:
        return Read{"a"};
    }
  }

  kv::Command any_command() {
    const std::uint64_t kind = decisions_.below(8);
    if (kind == 0) return kv::Command(kv::OpenSession{});
    if (kind == 1) return kv::Command(kv::GrantLease{1s});
    if (kind == 2) return kv::Command(kv::RevokeLease{kv::LeaseId(1 + decisions_.below(2))});
    const Bytes value = Bytes::copy_of(std::string(decisions_.below(256), 'v'));
    kv::Put put{"a", value, kv::IfAbsent{}, true};
    if (kind == 3) put.ttl = 1s;
    if (kind == 4) put.lease = kv::LeaseId(1);
    kv::Command command(std::move(put));
    if (decisions_.coin()) {
      command.session =
          kv::SessionWrite{kv::SessionId(1 + decisions_.below(2)), decisions_.below(4)};
    }
    return command;
  }

  void step() {
    step_once();
    if (due()) step_once();
    ANCHOR_ASSERT(!due(), "what is due is done");
  }

  bool due() const {
    const std::optional<Instant> deadline = replica_.deadline();
    return deadline && *deadline <= now_;
  }

  void step_once() {
    Output output = replica_.step(now_, std::exchange(inputs_, {}));
    if (output.persist) {
      ANCHOR_ASSERT(output.persist->id == last_write_.next());
      last_write_ = output.persist->id;
      writes_.push_back(last_write_);
    }
    if (output.snapshot_save) saving_ = std::move(output.snapshot_save);
    if (!output.snapshot_parts.empty()) receiving_ = std::move(output.snapshot_parts.back());
    for (const raft::Event& event : output.events) {
      if (std::holds_alternative<raft::BecameLeader>(event)) {
        peers_.lost_election(raft::term_of(event));
      }
    }
    for (const Reply& reply : output.replies) {
      ANCHOR_ASSERT(waiting_.erase(reply.id) == 1, "a request is answered once");
    }
    for (const auto& [id, deadline] : waiting_) {
      ANCHOR_ASSERT(deadline > now_, "a request is answered in time");
    }
  }

  Decisions decisions_;
  Replica replica_;
  Peers peers_;

  Instant now_{};
  std::vector<Input> inputs_;
  std::uint64_t last_request_ = 0;
  std::map<RequestId, Instant> waiting_;
  raft::WriteId last_write_;
  std::deque<raft::WriteId> writes_;
  std::optional<SnapshotSave> saving_;
  std::optional<raft::InstallSnapshot> receiving_;
};

}  // namespace anchor::fuzz
