#include "core/locks.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace anchor {
namespace {

// Clients of one node, and a cluster that does at once what is asked of it, unless it is told not
// to.
class Desk {
 public:
  RequestId acquire(std::string name, Duration wait = 0s, Duration ttl = 10s) {
    const RequestId id(++last_request_);
    locks_.take(id, AcquireLock{std::move(name), ttl, wait}, now_ + wait + 4s, now_);
    serve();
    return id;
  }
  RequestId release(std::string name, kv::Revision token) {
    const RequestId id(++last_request_);
    locks_.take(id, ReleaseLock{std::move(name), token}, now_ + 4s);
    serve();
    return id;
  }
  void abandon(RequestId id) {
    locks_.abandon(id, now_);
    serve();
  }
  void distrust() {
    locks_.distrust();
    collect();
  }
  // Another's command.
  kv::CommandResult apply(const kv::Command& command) {
    auto result = store_.apply(command);
    serve();
    return result;
  }
  void wait(Duration duration) {
    const Instant end = now_ + duration;
    while (locks_.due() && *locks_.due() <= end) {
      now_ = std::max(now_, *locks_.due());
      serve();
    }
    now_ = end;
    serve();
  }

  // From now on nothing is answered; or all that was asked since, and what is asked.
  void hold() { holding_ = true; }
  void let_go() {
    holding_ = false;
    serve();
  }
  // What is held is answered so, if it is anything.
  void answer(const Outcome& outcome) {
    for (const ClientRequest& request : std::exchange(held_, {})) {
      locks_.answered(request.id, outcome, now_);
    }
    serve();
  }
  // This node applies nothing, though the others do.
  void lag() { lagging_ = store_; }
  void catch_up() {
    lagging_.reset();
    serve();
  }

  // Null: it was answered otherwise, or not yet.
  template <typename Kind>
  const Kind* answer(RequestId id) const {
    const auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : std::get_if<Kind>(&found->second);
  }
  template <typename Kind>
  const Kind* lock_answer(RequestId id) const {
    const auto* told = answer<LockAnswer>(id);
    return told == nullptr ? nullptr : std::get_if<Kind>(told);
  }
  // Zero: it is not given to this client.
  kv::Revision token(RequestId id) const {
    const auto* lock = lock_answer<LockAcquired>(id);
    return lock == nullptr ? kv::Revision() : lock->token;
  }
  kv::LeaseId lease(RequestId id) const { return lock_answer<LockAcquired>(id)->lease; }
  bool answered(RequestId id) const { return answers_.contains(id); }

  const kv::Store& store() const { return store_; }
  std::size_t waiting() const { return locks_.size(); }
  Instant now() const { return now_; }
  // Requests to keep leases alive that were answered, in all.
  std::size_t kept_alive() const { return kept_alive_; }

 private:
  void serve() {
    do {
      std::vector<ClientRequest> requests = locks_.take_requests();
      std::ranges::move(requests, std::back_inserter(held_));
      if (!holding_) {
        for (const ClientRequest& request : std::exchange(held_, {})) {
          locks_.answered(request.id, outcome_of(request.body), now_);
        }
      }
      locks_.advance(lagging_ ? *lagging_ : store_, now_);
    } while (locks_.has_requests());
    collect();
  }
  void collect() {
    for (Reply& reply : locks_.take_replies()) {
      EXPECT_TRUE(answers_.emplace(reply.id, std::move(reply.outcome)).second);
    }
  }
  Outcome outcome_of(const RequestBody& body) {
    if (const auto* command = std::get_if<kv::Command>(&body)) {
      return WriteApplied{store_.apply(*command)};
    }
    if (const auto* query = std::get_if<kv::LeaseQuery>(&body)) {
      ++kept_alive_;
      const auto lease = store_.leases().find(query->id);
      return LeaseTold{lease ? kv::LeaseAnswer(kv::LeaseStatus{.ttl = lease->ttl}) : std::nullopt};
    }
    const auto& range = std::get<kv::KeyRange>(std::get<Read>(body).of);
    return RangeRead{store_.view(range), store_.revision(), raft::Index(1)};
  }

  Locks locks_{1};
  kv::Store store_;
  std::optional<kv::Store> lagging_;
  Instant now_{};
  bool holding_ = false;
  std::vector<ClientRequest> held_;
  std::map<RequestId, Outcome> answers_;
  std::uint64_t last_request_ = 0;
  std::size_t kept_alive_ = 0;
};

TEST(Locks, OneThatIsFreeIsGivenAtOnce) {
  Desk desk;
  const RequestId lock = desk.acquire("a");
  ASSERT_NE(desk.token(lock), kv::Revision());
  EXPECT_EQ(desk.token(lock), desk.store().revision());
  EXPECT_EQ(desk.store().leases().find(desk.lease(lock))->ttl, 10s);
  EXPECT_EQ(desk.kept_alive(), 0U) << "all of its time is before it";
  EXPECT_EQ(desk.waiting(), 0U);
}

TEST(Locks, WhoDoesNotWaitIsToldThatOthersHaveItAndKeepsNoPlace) {
  Desk desk;
  desk.acquire("a");
  const RequestId late = desk.acquire("a");
  EXPECT_NE(desk.lock_answer<LockHeld>(late), nullptr);
  EXPECT_EQ(desk.store().leases().size(), 1U);
  EXPECT_EQ(desk.store().tree().size(), 1U);
}

TEST(Locks, OfEachNameThereIsOne) {
  Desk desk;
  EXPECT_NE(desk.token(desk.acquire("a")), kv::Revision());
  EXPECT_NE(desk.token(desk.acquire("b")), kv::Revision());
  EXPECT_NE(desk.token(desk.acquire("a/b")), kv::Revision());
  EXPECT_NE(desk.token(desk.acquire(std::string("a\0", 2))), kv::Revision());
}

TEST(Locks, TheyAreHandedOnInTheOrderOfTheLineWithTokensThatGrow) {
  Desk desk;
  const RequestId first = desk.acquire("a");
  const RequestId second = desk.acquire("a", 60s);
  const RequestId third = desk.acquire("a", 60s);
  desk.release("a", desk.token(first));
  EXPECT_GT(desk.token(second), desk.token(first));
  EXPECT_FALSE(desk.answered(third));
  desk.release("a", desk.token(second));
  EXPECT_GT(desk.token(third), desk.token(second));
}

TEST(Locks, WhoseLeaseEndsIsFollowedByTheNext) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const RequestId next = desk.acquire("a", 60s);
  desk.apply(kv::ExpireLeases{.term = 1, .leases = {desk.lease(holder)}});
  EXPECT_NE(desk.token(next), kv::Revision());
}

TEST(Locks, WhoWaitsIsKeptAlive) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 60s, 9s);
  desk.wait(10s);
  EXPECT_EQ(desk.kept_alive(), 3U);
  EXPECT_FALSE(desk.answered(waits));
}

TEST(Locks, WhoseTurnHasComeIsToldSoOnceAllOfItsTimeIsBeforeIt) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const RequestId next = desk.acquire("a", 60s, 9s);
  desk.wait(2s);
  EXPECT_EQ(desk.kept_alive(), 0U);
  desk.hold();
  desk.apply(kv::RevokeLease{desk.lease(holder)});
  EXPECT_FALSE(desk.answered(next));
  desk.let_go();
  EXPECT_EQ(desk.kept_alive(), 1U);
  EXPECT_NE(desk.token(next), kv::Revision());
}

TEST(Locks, WhoseLeaderCannotBeHeardIsAskedAgain) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const RequestId next = desk.acquire("a", 60s, 10s);
  desk.wait(2s);
  desk.release("a", desk.token(holder));
  ASSERT_NE(desk.token(next), kv::Revision());
  const RequestId last = desk.acquire("a", 60s, 10s);
  desk.hold();
  desk.wait(5s);
  desk.answer(NotApplied{Refusal::kNoLeader});
  EXPECT_FALSE(desk.answered(last));
  desk.let_go();
  desk.wait(2s);
  desk.release("a", desk.token(next));
  EXPECT_NE(desk.token(last), kv::Revision());
}

TEST(Locks, WhoHasLostItsPlaceIsToldSo) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 60s);
  desk.apply(kv::DeleteRange{kv::KeyRange::of_prefix("lock/")});
  EXPECT_NE(desk.lock_answer<LockHeld>(waits), nullptr);
  EXPECT_EQ(desk.waiting(), 0U);
}

TEST(Locks, WhoHasLostItsPlaceInAStateThatLagsHearsItFromTheLeader) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 60s);
  desk.lag();
  desk.apply(kv::DeleteRange{kv::KeyRange::of_prefix("lock/")});
  EXPECT_FALSE(desk.answered(waits));
  desk.wait(4s);
  EXPECT_NE(desk.lock_answer<LockHeld>(waits), nullptr);
}

TEST(Locks, AWaitEnds) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 5s);
  desk.wait(4999ms);
  EXPECT_FALSE(desk.answered(waits));
  desk.wait(1ms);
  EXPECT_NE(desk.lock_answer<LockHeld>(waits), nullptr);
  EXPECT_EQ(desk.store().tree().size(), 1U);
}

TEST(Locks, WhetherAPlaceIsGivenUpMayStayUnknown) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 5s);
  desk.hold();
  desk.wait(5s);
  desk.answer(OutcomeUnknown{});
  desk.wait(3s);
  EXPECT_FALSE(desk.answered(waits)) << "it is tried again";
  desk.wait(1s);
  EXPECT_NE(desk.answer<OutcomeUnknown>(waits), nullptr);
}

TEST(Locks, WhoIsGoneIsGivenNoLock) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const RequestId gone = desk.acquire("a", 60s);
  const RequestId next = desk.acquire("a", 60s);
  desk.abandon(gone);
  EXPECT_NE(desk.lock_answer<LockHeld>(gone), nullptr);
  desk.release("a", desk.token(holder));
  EXPECT_NE(desk.token(next), kv::Revision());
}

TEST(Locks, WhoIsGoneBeforeItStandsInLineIsGivenNoLockEither) {
  Desk desk;
  desk.hold();
  const RequestId gone = desk.acquire("a", 60s);
  desk.abandon(gone);
  desk.let_go();
  EXPECT_NE(desk.lock_answer<LockHeld>(gone), nullptr);
  EXPECT_EQ(desk.store().tree().size(), 0U);
}

TEST(Locks, NobodyIsGivenOneFromAStateThatLags) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  desk.lag();
  const RequestId waits = desk.acquire("a", 60s);
  desk.release("a", desk.token(holder));
  EXPECT_FALSE(desk.answered(waits));
  desk.catch_up();
  EXPECT_NE(desk.token(waits), kv::Revision());
}

TEST(Locks, ALineThatMovedInWhatIsForgottenIsSeenToHaveMoved) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const RequestId waits = desk.acquire("a", 60s);
  desk.lag();
  desk.release("a", desk.token(holder));
  desk.apply(kv::ChangeSettings{{{"history_revisions", 0}}});
  EXPECT_FALSE(desk.answered(waits));
  desk.catch_up();
  EXPECT_NE(desk.token(waits), kv::Revision());
}

TEST(Locks, AreReleasedUnderTheirTokenOnly) {
  Desk desk;
  const RequestId holder = desk.acquire("a");
  const kv::Revision token = desk.token(holder);
  EXPECT_NE(desk.lock_answer<LockNotHeld>(desk.release("a", token.next())), nullptr);
  EXPECT_NE(desk.lock_answer<LockNotHeld>(desk.release("b", token)), nullptr);
  EXPECT_NE(desk.lock_answer<LockReleased>(desk.release("a", token)), nullptr);
  EXPECT_NE(desk.lock_answer<LockNotHeld>(desk.release("a", token)), nullptr);
  EXPECT_EQ(desk.store().leases().size(), 0U);
}

TEST(Locks, WhatIsUnknownOfAPlaceInLineIsToldSo) {
  Desk desk;
  desk.hold();
  const RequestId lock = desk.acquire("a");
  desk.answer(OutcomeUnknown{});
  EXPECT_NE(desk.answer<OutcomeUnknown>(lock), nullptr);
}

TEST(Locks, AFullStoreSaysSo) {
  Desk desk;
  desk.apply(kv::ChangeSettings{{{"lease_count", 1}}});
  desk.acquire("a");
  const RequestId late = desk.acquire("b");
  const auto* applied = desk.answer<WriteApplied>(late);
  ASSERT_NE(applied, nullptr);
  EXPECT_TRUE(std::holds_alternative<kv::LeasesFull>(applied->result));
}

TEST(Locks, WhoDistrustsItsStateGivesNone) {
  Desk desk;
  desk.acquire("a");
  const RequestId waits = desk.acquire("a", 60s);
  desk.distrust();
  EXPECT_NE(desk.answer<OutcomeUnknown>(waits), nullptr);
  EXPECT_EQ(desk.waiting(), 0U);
}

TEST(Locks, KeysThatStandInNoLineAreNobodys) {
  Desk desk;
  desk.apply(kv::Put{"lock/a/", Bytes(), kv::Always{}});
  desk.apply(kv::Put{"lock/a/short", Bytes(), kv::Always{}});
  desk.apply(kv::Put{"lock/a/0123456789abcdef0", Bytes(), kv::Always{}});
  // Without a lease, it would stand there for ever.
  desk.apply(kv::Put{"lock/a/0123456789abcdef", Bytes(), kv::Always{}});
  EXPECT_NE(desk.token(desk.acquire("a")), kv::Revision());
}

TEST(Locks, AKeyTellsWhoseLineItStandsIn) {
  EXPECT_EQ(Locks::name_of(Locks::line_of("a") + "0123456789abcdef"), "a");
  EXPECT_EQ(Locks::name_of(Locks::line_of("a/b") + "0123456789abcdef"), "a/b");
  EXPECT_EQ(Locks::name_of("lock//0123456789abcdef"), std::nullopt);
  EXPECT_EQ(Locks::name_of("lock/a"), std::nullopt);
  EXPECT_EQ(Locks::name_of("other/a/0123456789abcdef"), std::nullopt);
}

}  // namespace
}  // namespace anchor
