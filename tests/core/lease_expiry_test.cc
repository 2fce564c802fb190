#include "core/lease_expiry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/kv/store.h"

namespace anchor {
namespace {

constexpr std::int64_t kDriftPpm = 10'000;

// A lease is over once it is by the slowest clock.
constexpr Duration kLonger = 1025ms;

Instant at(Duration since) {
  return Instant() + since;
}

kv::Store with_leases(int count, int keys_each = 0) {
  kv::Store store;
  for (int lease = 1; lease <= count; ++lease) {
    store.apply(kv::GrantLease{1s});
    for (int key = 0; key < keys_each; ++key) {
      kv::Put put{
          .key = std::to_string(lease) + "-" + std::to_string(key), .value = {}, .condition = {}};
      put.lease = kv::LeaseId(static_cast<std::uint64_t>(lease));
      store.apply(put);
    }
  }
  return store;
}

std::vector<kv::LeaseId> due_at(LeaseExpiry& expiry, const kv::Store& store, Duration since) {
  return expiry.take_due(store.leases(), at(since), 3).leases;
}

TEST(LeaseExpiry, ALeaderGivesEveryLeaseAllOfItsTime) {
  const kv::Store store = with_leases(2);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(5s));
  EXPECT_TRUE(due_at(expiry, store, 6s).empty());
  EXPECT_EQ(due_at(expiry, store, 5s + kLonger).size(), 2U);
}

TEST(LeaseExpiry, OneThatIsKeptAliveStays) {
  const kv::Store store = with_leases(2);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  expiry.kept(kv::LeaseId(2), 1s, at(500ms));
  EXPECT_EQ(due_at(expiry, store, kLonger), std::vector{kv::LeaseId(1)});
  EXPECT_EQ(due_at(expiry, store, 500ms + kLonger), std::vector{kv::LeaseId(2)});
}

// Whose time, counted in microseconds and parts per million, is beyond 64 bits.
TEST(LeaseExpiry, TheLongestLasts) {
  kv::Store store;
  store.apply(kv::GrantLease{kv::kLeaseTtlMost});
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  EXPECT_TRUE(due_at(expiry, store, kv::kLeaseTtlMost).empty());
  EXPECT_GT(expiry.remaining(kv::LeaseId(1), at(0s)), kv::kLeaseTtlMost - 1ms);
  EXPECT_EQ(due_at(expiry, store, kv::kLeaseTtlMost * 103 / 100).size(), 1U);
}

TEST(LeaseExpiry, WhatRemainsIsByTheSlowestClockAndComesToNothing) {
  const kv::Store store = with_leases(1);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  EXPECT_GT(expiry.remaining(kv::LeaseId(1), at(0s)), 999ms);
  EXPECT_LE(expiry.remaining(kv::LeaseId(1), at(0s)), 1s);
  EXPECT_LT(expiry.remaining(kv::LeaseId(1), at(500ms)), 510ms);
  EXPECT_GT(expiry.remaining(kv::LeaseId(1), at(500ms)), 490ms);
  EXPECT_EQ(expiry.remaining(kv::LeaseId(1), at(2s)), 0s);
}

TEST(LeaseExpiry, OnlyTheLeaderEndsAny) {
  const kv::Store store = with_leases(1);
  LeaseExpiry expiry(kDriftPpm);
  expiry.kept(kv::LeaseId(1), 1s, at(0s));
  EXPECT_FALSE(expiry.due());
  expiry.begin(store.leases(), at(0s));
  EXPECT_TRUE(expiry.due());
  expiry.end();
  EXPECT_FALSE(expiry.due());
}

TEST(LeaseExpiry, AnEndCarriesTheTermAndNothingKeepsItAliveAnyMore) {
  const kv::Store store = with_leases(1);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  const auto expire = expiry.take_due(store.leases(), at(kLonger), 3);
  EXPECT_EQ(expire.term, 3U);
  EXPECT_TRUE(expiry.ending(kv::LeaseId(1)));
  EXPECT_EQ(expiry.remaining(kv::LeaseId(1), at(kLonger)), 0s);
  for (const kv::LeaseId id : expire.leases) expiry.ended(id);
  EXPECT_FALSE(expiry.any_ending());
  EXPECT_FALSE(expiry.ending(kv::LeaseId(1)));
  EXPECT_FALSE(expiry.due());
}

TEST(LeaseExpiry, WhatCouldNotBeProposedIsDueAgain) {
  const kv::Store store = with_leases(1);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  expiry.put_off(expiry.take_due(store.leases(), at(2s), 3), at(5s));
  EXPECT_FALSE(expiry.ending(kv::LeaseId(1)));
  EXPECT_EQ(expiry.due(), at(5s));
}

TEST(LeaseExpiry, ManyEndPieceByPiece) {
  const kv::Store store = with_leases(2500);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 1000U);
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 1000U);
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 500U);
}

TEST(LeaseExpiry, OneOfManyKeysEndsAlone) {
  const kv::Store store = with_leases(3, 6000);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 1U);
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 1U);
}

TEST(LeaseExpiry, ThoseThatEndedOtherwiseAreForgotten) {
  kv::Store store = with_leases(3000);
  LeaseExpiry expiry(kDriftPpm);
  expiry.begin(store.leases(), at(0s));
  for (std::uint64_t id = 1; id <= 2900; ++id) store.apply(kv::RevokeLease{kv::LeaseId(id)});
  expiry.forget_ended(store.leases());
  EXPECT_EQ(expiry.remaining(kv::LeaseId(1), at(0s)), 0s);
  EXPECT_GT(expiry.remaining(kv::LeaseId(3000), at(0s)), 0s);
  EXPECT_EQ(due_at(expiry, store, 2s).size(), 100U);
}

}  // namespace
}  // namespace anchor
