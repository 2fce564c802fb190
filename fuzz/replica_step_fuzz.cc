// One replica of three, with a disk that is slow, clients and an administrator, a clock that leaps,
// and two peers that say whatever correct servers could. What must hold: Raft's invariants after
// every step, writes numbered in order, every request answered once and in time, and a deadline
// that lies ahead.

#include <algorithm>
#include <cstddef>
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
#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

// The log of a cluster that was founded, and has done nothing else.
raft::Recovered founded() {
  std::vector<raft::Member> members;
  for (std::uint64_t number = 1; number <= 3; ++number) {
    members.push_back({peer_of(number).id, peer_of(number).incarnation, "", ""});
  }
  raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
  entry.payload =
      std::make_shared<const raft::Configuration>(raft::founding_configuration(std::move(members)));
  return {.cluster_id = raft::ClusterId(7),
          .self = peer_of(1),
          .boot = raft::Boot(1),
          .hard_state = {.term = raft::Term(1), .vote = {}},
          .base = {},
          .base_configuration = {},
          .entries = {std::move(entry)}};
}

// Small bounds, so that what happens at a bound happens.
Replica::Options tight_options() {
  Replica::Options options{.seed = 1, .waiting_requests = 8, .check_invariants = true};
  options.raft.append_bytes = 200;
  options.raft.window_messages = 3;
  options.raft.window_bytes = 600;
  options.raft.uncommitted_bytes = 1500;
  return options;
}

class Shell {
 public:
  explicit Shell(ByteView input)
      : decisions_(input),
        replica_(tight_options(), founded()),
        peers_(replica_.raft(), decisions_) {
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
        if (!writes_.empty()) {
          inputs_.push_back(Persisted{writes_.front()});
          writes_.pop_front();
        }
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

  void ask() {
    const RequestId id(++last_request_);
    const Instant deadline = now_ + Duration(1000) * static_cast<int>(20 * decisions_.below(256));
    ClientRequest request{.id = id, .deadline = deadline, .body = ReadKey{"a"}};
    if (decisions_.below(4) == 0) {
      request.body = any_admin_request(decisions_);
    } else if (decisions_.coin()) {
      const Bytes value = Bytes::copy_of(std::string(decisions_.below(256), 'v'));
      request.body = kv::Command(kv::Put{"a", value, kv::IfAbsent{}, true});
    }
    inputs_.push_back(std::move(request));
    waiting_.emplace(id, deadline);
  }

  void step() {
    const Output output = replica_.step(now_, std::exchange(inputs_, {}));
    if (output.persist) {
      ANCHOR_ASSERT(output.persist->id == last_write_.next());
      last_write_ = output.persist->id;
      writes_.push_back(last_write_);
    }
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
    const std::optional<Instant> deadline = replica_.deadline();
    ANCHOR_ASSERT(!deadline || *deadline > now_, "what is due is done");
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
};

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anchor::fuzz::Shell(anchor::fuzz::as_view(data, size)).run();
  return 0;
}
