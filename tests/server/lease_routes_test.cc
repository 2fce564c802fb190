#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/kv/store.h"
#include "tests/server/routes.h"

// Leases, the keys that go with them, and locks.
namespace anchor::server {
namespace {

using nlohmann::json;

constexpr auto kGet = HttpMethod::kGet;
constexpr auto kHead = HttpMethod::kHead;
constexpr auto kPut = HttpMethod::kPut;
constexpr auto kPost = HttpMethod::kPost;
constexpr auto kDelete = HttpMethod::kDelete;

template <typename Body>
Body command_of(HttpMethod method, std::string_view target) {
  const auto command = std::get<kv::Command>(parse_kv(method, target).body);
  EXPECT_FALSE(command.session);
  return std::get<Body>(command.body);
}
kv::LeaseQuery query_of(HttpMethod method, std::string_view target) {
  return std::get<kv::LeaseQuery>(parse_kv(method, target).body);
}
AcquireLock acquire_of(std::string_view target) {
  return std::get<AcquireLock>(parse_kv(kPost, target).body);
}
ReleaseLock release_of(std::string_view target) {
  return std::get<ReleaseLock>(parse_kv(kDelete, target).body);
}

// How the outcome of such a request is told.
HttpResponse answer(HttpMethod method, std::string_view target, const Outcome& outcome) {
  return render(outcome, parse_kv(method, target).answer, kLeader);
}
void expect_error(const HttpResponse& response, std::uint16_t status, std::string_view code,
                  std::string_view outcome = "not_applied") {
  EXPECT_EQ(response.status, status);
  EXPECT_TRUE(has_line(response, "Content-Type: application/json"));
  const json body = json::parse(body_of(response));
  EXPECT_EQ(body.at("code"), code);
  EXPECT_EQ(body.at("outcome"), outcome);
}

// --- Leases -------------------------------------------------------------------------------------

TEST(LeaseRoutes, ALeaseIsGrantedForAWhile) {
  EXPECT_EQ(command_of<kv::GrantLease>(kPost, "/lease?ttl=30s"), kv::GrantLease{30s});
  EXPECT_EQ(command_of<kv::GrantLease>(kPost, "/lease?ttl=1s"), kv::GrantLease{1s});
  EXPECT_EQ(command_of<kv::GrantLease>(kPost, "/lease?ttl=1500ms"), kv::GrantLease{1500ms});
  EXPECT_EQ(command_of<kv::GrantLease>(kPost, "/lease?ttl=8784h"),
            kv::GrantLease{std::chrono::hours(8784)});
  EXPECT_EQ(command_of<kv::GrantLease>(kPost, "/lease?t%74l=3%30s"), kv::GrantLease{30s});
}

TEST(LeaseRoutes, ALeaseIsKeptAliveLookedAtAndRevokedByItsId) {
  EXPECT_EQ(query_of(kPost, "/lease/7/keepalive"), (kv::LeaseQuery{kv::LeaseId(7), true}));
  EXPECT_EQ(query_of(kGet, "/lease/7"), (kv::LeaseQuery{kv::LeaseId(7), false}));
  EXPECT_EQ(query_of(kHead, "/lease/7"), (kv::LeaseQuery{kv::LeaseId(7), false}));
  EXPECT_EQ(command_of<kv::RevokeLease>(kDelete, "/lease/7"), kv::RevokeLease{kv::LeaseId(7)});
}

TEST(LeaseRoutes, AllLeasesAreARead) {
  for (const HttpMethod method : {kGet, kHead}) {
    const KvRequest request = parse_kv(method, "/lease");
    const auto& read = std::get<Read>(request.body);
    EXPECT_TRUE(std::holds_alternative<AllLeases>(read.of));
    EXPECT_EQ(read.consistency, Consistency::kLinearizable);
    EXPECT_EQ(request.answer.kind, KvAnswer::Kind::kRead);
    EXPECT_FALSE(request.answer.large);
  }
}

// Which knows no parts.
TEST(LeaseRoutes, AllLeasesAreOnePieceForHttp10) {
  const auto parsed = parse_request({.method = kGet, .target = "/lease", .version_1_0 = true});
  EXPECT_TRUE(std::get<KvRequest>(parsed).answer.large);
}

TEST(LeaseRoutes, AKeyGoesWithALeaseOrWithOneOfItsOwn) {
  const kv::Put with_lease = parse_put("/kv/a?lease=7");
  EXPECT_EQ(with_lease.lease, kv::LeaseId(7));
  EXPECT_EQ(with_lease.ttl, Duration());
  const kv::Put with_ttl = parse_put("/kv/a?ttl=5m&cas=0");
  EXPECT_EQ(with_ttl.lease, kv::LeaseId());
  EXPECT_EQ(with_ttl.ttl, std::chrono::minutes(5));
  EXPECT_TRUE(std::holds_alternative<kv::IfAbsent>(with_ttl.condition));
  const kv::Put posted = command_of<kv::Put>(kPost, "/kv/a?lease=9007199254740991");
  EXPECT_EQ(posted.lease, kv::LeaseId(9007199254740991));
  EXPECT_EQ(parse_put("/kv/a").lease, kv::LeaseId());
}

TEST(LeaseRoutes, AKeyOfATransactionGoesWithALease) {
  const KvRequest request = parse_kv(kPost, "/txn", {}, R"({
    "compare": [{"key":"a","target":"lease","op":"=","value":7}],
    "success": [{"op":"put","key":"a","value":"1","lease":7},
                {"op":"put","key":"b","value":"2","lease":0}, {"op":"put","key":"c","value":"3"}]
  })");
  const auto& transaction = std::get<kv::Transaction>(std::get<kv::Command>(request.body).body);
  const auto lease_of = [&](std::size_t i) {
    return std::get<kv::PutOperation>(transaction.success.at(i)).lease;
  };
  EXPECT_EQ(lease_of(0), kv::LeaseId(7));
  EXPECT_EQ(lease_of(1), kv::LeaseId());
  EXPECT_EQ(lease_of(2), kv::LeaseId());
  EXPECT_EQ(transaction.compare.at(0).target, kv::CompareTarget::kLease);
}

// --- What is answered of them -------------------------------------------------------------------

TEST(LeaseAnswers, OfAGrantTellTheIdAndTheTime) {
  const HttpResponse granted =
      answer(kPost, "/lease?ttl=30s", WriteApplied{kv::LeaseGranted{kv::LeaseId(7), 30s}});
  EXPECT_EQ(granted.status, 200);
  EXPECT_TRUE(has_line(granted, "Content-Type: application/json"));
  EXPECT_EQ(body_of(granted), "{\"id\":7,\"ttl_ms\":30000}\n");
}

TEST(LeaseAnswers, OfAKeepAliveAreThoseOfAGrant) {
  const kv::LeaseStatus status{.ttl = 30s, .remaining = 30s, .keys = {"a"}};
  const HttpResponse kept = answer(kPost, "/lease/7/keepalive", LeaseTold{status});
  EXPECT_EQ(kept.status, 200);
  EXPECT_EQ(body_of(kept), "{\"id\":7,\"ttl_ms\":30000}\n");
}

TEST(LeaseAnswers, OfALookTellWhatIsLeftAndWhichKeysGoWithIt) {
  kv::LeaseStatus status{.ttl = 30s, .remaining = 12345ms};
  EXPECT_EQ(body_of(answer(kGet, "/lease/7", LeaseTold{status})),
            "{\"id\":7,\"ttl_ms\":30000,\"remaining_ms\":12345,\"keys\":[],\"more\":false}\n");
  status.keys = {"a", "b/c"};
  EXPECT_EQ(body_of(answer(kGet, "/lease/7", LeaseTold{status})),
            "{\"id\":7,\"ttl_ms\":30000,\"remaining_ms\":12345,\"keys\":[\"a\",\"b/c\"],"
            "\"more\":false}\n");
  status.more_keys = true;
  EXPECT_TRUE(body_of(answer(kGet, "/lease/7", LeaseTold{status}))
                  .ends_with("\"keys\":[\"a\",\"b/c\"],\"more\":true}\n"));
}

TEST(LeaseAnswers, OfALookEscapeOrEncodeOddKeys) {
  const std::string zero(1, '\0');
  const kv::LeaseStatus status{.ttl = 1s, .keys = {zero + "\"\\", "\xc3\xa4", "\xff\xfe"}};
  const HttpResponse looked_at = answer(kGet, "/lease/7", LeaseTold{status});
  const json keys = json::parse(body_of(looked_at)).at("keys");
  EXPECT_EQ(keys.at(0), zero + "\"\\");
  EXPECT_EQ(keys.at(1), "\xc3\xa4");
  EXPECT_EQ(keys.at(2), json::parse(R"({"key":"//4=","key_encoding":"base64"})"));
  EXPECT_EQ(keys.size(), 3U);
}

TEST(LeaseAnswers, OfOneThatThereIsNotAreNotFound) {
  for (const auto& [method, target] :
       {std::pair(kGet, "/lease/7"), std::pair(kPost, "/lease/7/keepalive")}) {
    expect_error(answer(method, target, LeaseTold{}), 404, "not_found");
  }
  expect_error(answer(kDelete, "/lease/7", WriteApplied{kv::LeaseUnknown{}}), 404, "not_found");
  const HttpResponse put = answer(kPut, "/kv/a?lease=7", WriteApplied{kv::LeaseUnknown{}});
  EXPECT_EQ(put.status, 404);
  EXPECT_EQ(body_of(put),
            "not_found: there is no such lease, or none any more; nothing was applied\n");
}

TEST(LeaseAnswers, OfARevocationTellHowManyKeysWentWithIt) {
  const HttpResponse revoked =
      answer(kDelete, "/lease/7", WriteApplied{kv::LeaseRevoked{kv::Revision(9), 2}});
  EXPECT_EQ(revoked.status, 200);
  EXPECT_EQ(body_of(revoked), "{\"revision\":9,\"deleted\":2}\n");
  EXPECT_TRUE(has_line(revoked, "Anchor-Revision: 9"));
}

TEST(LeaseAnswers, WhereThereAreAsManyAsMayBeAskForPatience) {
  for (const auto& [method, target] :
       {std::pair(kPost, "/lease?ttl=30s"), std::pair(kPost, "/lock/a?ttl=30s")}) {
    const HttpResponse full = answer(method, target, WriteApplied{kv::LeasesFull{}});
    expect_error(full, 429, "overloaded");
    EXPECT_TRUE(full.header_lines.contains("Retry-After: ")) << target;
  }
  const HttpResponse put = answer(kPut, "/kv/a?ttl=3s", WriteApplied{kv::LeasesFull{}});
  EXPECT_EQ(put.status, 429);
  EXPECT_TRUE(body_of(put).starts_with("overloaded: "));
}

TEST(LeaseAnswers, OfAPutTellTheLeaseOfTheKey) {
  const HttpResponse put =
      answer(kPut, "/kv/a?ttl=3s",
             WriteApplied{kv::PutDone{.revision = kv::Revision(5), .lease = kv::LeaseId(7)}});
  EXPECT_EQ(body_of(put), "OK\n");
  EXPECT_TRUE(has_line(put, "Anchor-Lease: 7"));
}

// A look has changed nothing; of the rest it is not known whether it has.
TEST(LeaseAnswers, ThatNobodyGaveLeaveOpenWhatMayHaveHappened) {
  expect_error(answer(kGet, "/lease/7", OutcomeUnknown{}), 503, "no_leader");
  expect_error(answer(kGet, "/lease", OutcomeUnknown{}), 503, "no_leader");
  for (const auto& [method, target] :
       {std::pair(kPost, "/lease?ttl=3s"), std::pair(kPost, "/lease/7/keepalive"),
        std::pair(kDelete, "/lease/7"), std::pair(kPost, "/lock/a?ttl=3s"),
        std::pair(kDelete, "/lock/a?token=3")}) {
    expect_error(answer(method, target, OutcomeUnknown{}), 504, "unknown_outcome", "unknown");
    expect_error(answer(method, target, NotApplied{Refusal::kNoLeader}), 503, "no_leader");
  }
}

struct Listing {
  std::string text;
  std::size_t parts = 0;
};
Listing listed(const kv::Store& store) {
  HttpResponse response = answer(
      kGet, "/lease",
      LeasesRead{
          .leases = store.leases(), .revision = store.revision(), .applied_index = raft::Index(9)});
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(has_line(response, "Content-Type: application/json"));
  EXPECT_TRUE(has_line(response, "X-Applied-Index: 9"));
  Listing list;
  while (const auto part = std::get<io::HttpParts>(response.body)()) {
    EXPECT_LE(part->size(), 128U << 10);
    list.text += *part;
    ++list.parts;
  }
  return list;
}

TEST(LeaseAnswers, ListAllInTheOrderOfTheirIds) {
  kv::Store store;
  EXPECT_EQ(listed(store).text, "{\"leases\":[]}\n");
  store.apply(kv::GrantLease{30s});
  store.apply(kv::GrantLease{1500ms});
  kv::Put put{"a", Bytes::copy_of("v"), kv::Always{}};
  put.ttl = 5s;
  store.apply(put);
  store.apply(kv::RevokeLease{kv::LeaseId(1)});
  EXPECT_EQ(listed(store).text,
            "{\"leases\":[{\"id\":2,\"ttl_ms\":1500},{\"id\":3,\"ttl_ms\":5000}]}\n");
}

TEST(LeaseAnswers, ListManyInPartsOfOneState) {
  constexpr std::uint64_t kCount = 20'000;
  kv::Store store;
  for (std::uint64_t i = 0; i < kCount; ++i) store.apply(kv::GrantLease{30s});
  const Listing list = listed(store);
  EXPECT_GT(list.parts, 4U);
  const json leases = json::parse(list.text).at("leases");
  ASSERT_EQ(leases.size(), kCount);
  for (std::uint64_t i = 0; i < kCount; ++i) ASSERT_EQ(leases[i].at("id"), i + 1);
}

// --- Locks --------------------------------------------------------------------------------------

TEST(LockRoutes, ALockIsAskedForByItsName) {
  const AcquireLock at_once = acquire_of("/lock/a?ttl=10s");
  EXPECT_EQ(at_once.name, "a");
  EXPECT_EQ(at_once.ttl, 10s);
  EXPECT_EQ(at_once.wait, Duration());
  const AcquireLock patient = acquire_of("/lock/a?wait=1h&ttl=1s");
  EXPECT_EQ(patient.ttl, 1s);
  EXPECT_EQ(patient.wait, std::chrono::hours(1));
  EXPECT_EQ(acquire_of("/lock/a?ttl=10s&wait=0s").wait, Duration());
}

TEST(LockRoutes, ALockIsReleasedByItsToken) {
  const ReleaseLock release = release_of("/lock/a?token=12");
  EXPECT_EQ(release.name, "a");
  EXPECT_EQ(release.token, kv::Revision(12));
  EXPECT_EQ(release_of("/lock/a?token=9007199254740991").token, kv::Revision(9007199254740991));
}

// Decoded once, and nothing is normalised away.
TEST(LockRoutes, NamesAreBytes) {
  for (const auto& [text, name] : {std::pair<std::string, std::string>{"a/b//c", "a/b//c"},
                                   {"a%2Fb", "a/b"},
                                   {"../x", "../x"},
                                   {"%2525", "%25"},
                                   {"%FF%fe", "\xff\xfe"},
                                   {"a%00b", std::string("a\0b", 3)},
                                   {"a+b", "a+b"},
                                   {"/", "/"},
                                   {"%3Fttl", "?ttl"},
                                   {std::string(4000, 'n'), std::string(4000, 'n')}}) {
    EXPECT_EQ(acquire_of("/lock/" + text + "?ttl=10s").name, name) << text;
    EXPECT_EQ(release_of("/lock/" + text + "?token=1").name, name) << text;
  }
}

TEST(LockAnswers, ToWhoHasItNameTheTokenAndTheLease) {
  const HttpResponse acquired =
      answer(kPost, "/lock/a?ttl=3s", LockAnswer(LockAcquired{kv::Revision(12), kv::LeaseId(3)}));
  EXPECT_EQ(acquired.status, 200);
  EXPECT_TRUE(has_line(acquired, "Content-Type: application/json"));
  EXPECT_EQ(body_of(acquired), "{\"token\":12,\"lease\":3}\n");
}

TEST(LockAnswers, ToWhoWaitedInVainSayThatOthersHaveIt) {
  expect_error(answer(kPost, "/lock/a?ttl=3s&wait=1s", LockAnswer(LockHeld{})), 409, "lock_held");
}

TEST(LockAnswers, ToWhoReleasesSayWhetherItWasHeld) {
  const HttpResponse released = answer(kDelete, "/lock/a?token=3", LockAnswer(LockReleased{}));
  EXPECT_EQ(released.status, 200);
  EXPECT_EQ(body_of(released), "{\"released\":true}\n");
  expect_error(answer(kDelete, "/lock/a?token=3", LockAnswer(LockNotHeld{})), 404, "not_found");
}

}  // namespace
}  // namespace anchor::server
