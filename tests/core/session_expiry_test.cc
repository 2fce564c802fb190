#include "core/session_expiry.h"

#include <gtest/gtest.h>

#include "core/kv/store.h"
#include "tests/core/replicas.h"

namespace anchor {
namespace {

constexpr std::int64_t kDriftPpm = 10'000;

Instant at(Duration since) {
  return Instant() + since;
}

// A session is idle for good once its time-out is over by the slowest clock.
constexpr Duration kLonger = 1025ms;

kv::Sessions with_sessions(int count) {
  kv::Sessions sessions;
  for (int i = 0; i < count; ++i) sessions.open(1s);
  return sessions;
}

std::size_t due_at(SessionExpiry& expiry, const kv::Sessions& sessions, Duration since) {
  return expiry.take_due(sessions, at(since)).sessions.size();
}

TEST(SessionExpiry, ALeaderGivesEverySessionAllOfItsTime) {
  const kv::Sessions sessions = with_sessions(2);
  SessionExpiry expiry(kDriftPpm);
  expiry.begin(sessions, at(5s));
  EXPECT_EQ(due_at(expiry, sessions, 6s), 0U);
  EXPECT_EQ(due_at(expiry, sessions, 5s + kLonger), 2U);
}

TEST(SessionExpiry, WhoeverIsUsedStays) {
  const kv::Sessions sessions = with_sessions(2);
  SessionExpiry expiry(kDriftPpm);
  expiry.begin(sessions, at(0s));
  expiry.used(kv::SessionId(2), 1s, at(500ms));
  const auto due = expiry.take_due(sessions, at(kLonger));
  ASSERT_EQ(due.sessions.size(), 1U);
  EXPECT_EQ(due.sessions[0].id, kv::SessionId(1));
  EXPECT_EQ(due_at(expiry, sessions, 500ms + kLonger), 1U);
}

TEST(SessionExpiry, NamesTheNumberThatItKnows) {
  kv::Sessions sessions = with_sessions(1);
  sessions.record(kv::SessionId(1), 7, {});
  SessionExpiry expiry(kDriftPpm);
  expiry.begin(sessions, at(0s));
  const auto due = expiry.take_due(sessions, at(kLonger));
  ASSERT_EQ(due.sessions.size(), 1U);
  EXPECT_EQ(due.sessions[0].last_sequence, 7U);
}

TEST(SessionExpiry, OnlyTheLeaderEndsAny) {
  const kv::Sessions sessions = with_sessions(1);
  SessionExpiry expiry(kDriftPpm);
  expiry.used(kv::SessionId(1), 1s, at(0s));
  EXPECT_EQ(expiry.due(), std::nullopt);
  expiry.begin(sessions, at(0s));
  expiry.end();
  EXPECT_EQ(expiry.due(), std::nullopt);
}

TEST(SessionExpiry, ManyAreEndedSomeAtATime) {
  const kv::Sessions sessions = with_sessions(1500);
  SessionExpiry expiry(kDriftPpm);
  expiry.begin(sessions, at(0s));
  EXPECT_EQ(due_at(expiry, sessions, kLonger), 1000U);
  EXPECT_EQ(due_at(expiry, sessions, kLonger), 500U);
  EXPECT_EQ(due_at(expiry, sessions, kLonger), 0U);
}

// --- In a replica -------------------------------------------------------------------------------

kv::SessionId open_session(Servers& servers) {
  servers[1].ask(kv::Command(kv::ChangeSettings{{{"session_ttl_ms", 1000}}}), 10s);
  const RequestId id = servers[2].ask(kv::Command(kv::OpenSession{}), 10s);
  servers.settle();
  servers.heartbeat(1);
  const auto* applied = servers[2].answer<WriteApplied>(id);
  return applied == nullptr ? kv::SessionId() : std::get<kv::SessionOpened>(applied->result).id;
}

bool is_open(Servers& servers, kv::SessionId id) {
  return servers[3].replica().store().sessions().find(id).has_value();
}

// In heartbeats, as time passes while nothing happens.
void pass(Servers& servers, Duration time) {
  constexpr Duration kHeartbeat = Replica::Options{}.raft.heartbeat_interval;
  for (Duration passed{}; passed < time; passed += kHeartbeat) servers.heartbeat(1);
}

TEST(ReplicaSessions, OneThatNobodyUsesEndsOnEveryServer) {
  Servers servers = with_leader();
  const kv::SessionId id = open_session(servers);
  ASSERT_TRUE(is_open(servers, id));
  pass(servers, 900ms);
  EXPECT_TRUE(is_open(servers, id));
  pass(servers, 500ms);
  EXPECT_FALSE(is_open(servers, id));
}

TEST(ReplicaSessions, OneThatIsUsedGoesOn) {
  Servers servers = with_leader();
  const kv::SessionId id = open_session(servers);
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    pass(servers, 600ms);
    servers[2].ask(kv::Command(kv::Put{"a", Bytes::copy_of("1"), kv::Always{}},
                               kv::SessionWrite{id, sequence}),
                   10s);
    servers.settle();
  }
  servers.heartbeat(1);
  EXPECT_TRUE(is_open(servers, id));
  EXPECT_EQ(servers[3].replica().store().revision(), kv::Revision(5));
}

TEST(ReplicaSessions, ARetryOnAnotherServerGetsTheFirstAnswer) {
  Servers servers = with_leader();
  const kv::SessionId id = open_session(servers);
  const auto put = [&](int server) {
    const RequestId request = servers[server].ask(
        kv::Command(kv::Put{"a", Bytes::copy_of("1"), kv::IfAbsent{}}, kv::SessionWrite{id, 1}),
        10s);
    servers.settle();
    servers.heartbeat(1);
    const auto* applied = servers[server].answer<WriteApplied>(request);
    return applied != nullptr ? applied->result : kv::CommandResult(kv::InvalidCommand{});
  };
  EXPECT_EQ(put(2), kv::CommandResult(kv::PutDone{kv::Revision(2)}));
  EXPECT_EQ(put(3), kv::CommandResult(kv::PutDone{kv::Revision(2)}));
  EXPECT_EQ(servers[1].replica().store().revision(), kv::Revision(2));
}

}  // namespace
}  // namespace anchor
