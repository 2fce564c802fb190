#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"
#include "core/deadlines.h"
#include "core/kv/store.h"
#include "core/lock_request.h"
#include "core/replica_io.h"

namespace anchor {

// Locks, built of nothing but keys and leases: whoever wants one puts a key of its own in line,
// with a lease, and has the lock once no key in that line was created before it; the revision that
// created it is the token. So whoever has it can only be late, and never wrong about whose turn it
// was; and the line moves on when a lease ends, whatever became of its client and of this node.
// (The recipe is ZooKeeper's: Hunt et al., "ZooKeeper: Wait-free coordination for Internet-scale
// systems", 2010, section 2.4.)
//
// For clients of this node: it is a client of the replica itself, with requests of its own.
class Locks {
 public:
  explicit Locks(std::uint64_t seed) : random_(seed) {}

  // What a key is called that stands in line for a lock: "lock/NAME/" and 16 hexadecimal digits.
  static std::string line_of(std::string_view name);
  // None: it stands in no line.
  static std::optional<std::string_view> name_of(std::string_view key);
  // Longer ones make keys that are too long.
  static constexpr std::size_t kNameBytes = 4000;

  // Answered by `deadline`, which leaves time beside what is waited.
  void take(RequestId id, AcquireLock request, Instant deadline, Instant now);
  void take(RequestId id, ReleaseLock request, Instant deadline);
  // The client has gone. Its place in line is given up; it is answered all the same.
  void abandon(RequestId id, Instant now);

  // Whether the request is one of its own.
  static bool asked(RequestId id) { return (id.value() & kOwn) != 0; }
  void answered(RequestId own, const Outcome& outcome, Instant now);
  // The store may have gone on, or time.
  void advance(const kv::Store& store, Instant now);
  // This replica does not trust its state, which is no ground to give a lock away.
  void distrust();

  // To the replica, and to the clients, since they were taken last.
  bool has_requests() const { return !requests_.empty(); }
  std::vector<ClientRequest> take_requests() { return std::exchange(requests_, {}); }
  std::vector<Reply> take_replies() { return std::exchange(replies_, {}); }

  // When to advance even if nothing is answered.
  std::optional<Instant> due() const { return timers_.next(); }
  // Requests without an answer.
  std::size_t size() const { return waiters_.size() + releases_.size(); }

 private:
  static constexpr std::uint64_t kOwn = std::uint64_t{1} << 63;

  struct Waiter {
    AcquireLock request;
    Instant deadline;
    Instant gives_up;
    std::string key{};
    // Of its place in line; zero: it has none yet.
    kv::Revision token{};
    kv::LeaseId lease{};
    // Of the lease, all of its time began anew no earlier.
    Instant kept{};
    // When it is to be kept alive next; or, if it leaves, when to try that again.
    Instant next{};
    // It is out; answers to earlier ones come too late.
    std::optional<RequestId> asked{};
    Instant asked_at{};
    // What this replica has applied tells whether it is the first in line, which it then stays.
    bool judged = false;
    bool first = false;
    bool leaving = false;
    bool abandoned = false;
  };
  struct Release {
    ReleaseLock request;
    Instant deadline;
    bool deleting = false;
  };
  // By their tokens: in order.
  using Line = std::map<kv::Revision, RequestId>;

  RequestId ask(RequestId client, RequestBody body, Instant deadline);
  void enter(RequestId id, Waiter& waiter, Instant now);
  void keep_alive(RequestId id, Waiter& waiter, Instant now);
  void leave(RequestId id, Waiter& waiter);
  void entered(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now);
  void kept(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now);
  void left(RequestId id, Waiter& waiter, const Outcome& outcome, Instant now);
  void answered(RequestId id, Release& release, const Outcome& outcome);
  void notice(const kv::Store& store);
  void judge(const Line& line, const std::vector<kv::Revision>& tokens, kv::Revision applied,
             Instant now);
  void consider(RequestId id, Waiter& waiter, Instant now);
  void set_timer(RequestId id, const Waiter& waiter);
  void finish(RequestId id, Outcome outcome);

  Random random_;
  std::uint64_t last_own_ = 0;
  std::map<RequestId, Waiter> waiters_;
  std::map<RequestId, Release> releases_;
  // Of its own that are out: for whom.
  std::map<RequestId, RequestId> asked_;
  // Those that have a place in line, by the name; and the names of lines that may have moved.
  std::map<std::string, Line, std::less<>> lines_;
  std::set<std::string> moved_;
  Deadlines<RequestId> timers_;
  // Of the store's revisions these have been looked at.
  kv::Revision seen_;

  std::vector<ClientRequest> requests_;
  std::vector<Reply> replies_;
};

}  // namespace anchor
