#include "core/kv/transaction.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/kv/store.h"
#include "tests/core/codec/snapshots.h"
#include "tests/core/kv/commands.h"

namespace anchor::kv {
namespace {

using codec::put_of;

GetOperation get_all() {
  return {.range = KeyRange()};
}
DeleteOperation delete_all(bool want_previous) {
  return {.range = KeyRange(), .want_previous = want_previous};
}

Transaction transaction(std::vector<Operation> success, std::vector<Operation> failure = {},
                        std::vector<Compare> compare = {}) {
  return {std::move(compare), std::move(success), std::move(failure)};
}

CommandResult run(Store& store, std::vector<Operation> operations) {
  return store.apply(Command(transaction(std::move(operations))));
}

// In the session that store_of() has opened.
CommandResult run_in_session(Store& store, CommandBody body) {
  Command command(std::move(body));
  command.session =
      SessionWrite{SessionId(1), store.sessions().find(SessionId(1))->last_sequence + 1};
  return store.apply(command);
}
CommandResult run_in_session(Store& store, std::vector<Operation> operations) {
  return run_in_session(store, transaction(std::move(operations)));
}

const GetResult& got(const CommandResult& result, std::size_t at = 0) {
  return std::get<GetResult>(std::get<TransactionDone>(result).results.at(at));
}

// So many keys of 16 bytes, each of which is written in 48 + 16 + `value_bytes` rounded up.
Store store_of(std::size_t keys, std::size_t value_bytes) {
  Store store;
  store.apply(OpenSession{});
  for (std::size_t i = 0; i < keys; ++i) {
    const std::string number = std::to_string(i);
    store.apply(
        put_of(std::string(16 - number.size(), 'k') + number, std::string(value_bytes, 'v')));
  }
  return store;
}

void set_quota(Store& store, std::uint64_t bytes) {
  store.apply(ChangeSettings{{{"quota_bytes", bytes}}});
}

// --- How much it returns ------------------------------------------------------------------------

TEST(TransactionResult, GetsLeaveOffWhatIsMoreThanTwoMebibytes) {
  Store store = store_of(3, 1 << 20);
  const CommandResult result = run(store, {get_all(), get_all()});
  EXPECT_EQ(got(result).items.size(), 1u);
  EXPECT_TRUE(got(result).more);
  EXPECT_EQ(got(result).count, 3u);
  EXPECT_EQ(got(result, 1).items.size(), 0u);
  EXPECT_TRUE(got(result, 1).more);
}

TEST(TransactionResult, KeysAloneTakeLittle) {
  Store store = store_of(3, 1 << 20);
  GetOperation keys = get_all();
  keys.keys_only = true;
  EXPECT_EQ(got(run(store, {keys})).items.size(), 3u);
}

TEST(TransactionResult, PreviousValuesOfMoreAreRefusedAndNothingHappens) {
  Store store = store_of(3, 1 << 20);
  const std::uint64_t digest = store.digest();
  EXPECT_TRUE(std::holds_alternative<ResultTooLarge>(run(store, {delete_all(true)})));
  EXPECT_EQ(store.digest(), digest);
  EXPECT_TRUE(std::holds_alternative<TransactionDone>(run(store, {delete_all(false)})));
}

TEST(TransactionResult, GetsHaveWhatPreviousValuesLeave) {
  Store store = store_of(1, 1 << 20);
  store.apply(put_of("z", std::string(900'000, 'z')));
  const CommandResult result =
      run(store, {GetOperation{.range = KeyRange::of_key("z")},
                  GetOperation{.range = KeyRange::of_prefix("k")},
                  DeleteOperation{.range = KeyRange::of_prefix("k"), .want_previous = true}});
  EXPECT_EQ(got(result).items.size(), 1u);
  EXPECT_EQ(got(result, 1).items.size(), 0u);
  EXPECT_TRUE(got(result, 1).more);
}

TEST(TransactionResult, LargestAnswerOfASessionFitsIntoASnapshot) {
  for (const std::size_t value_bytes : {1, 100, 1000}) {
    const std::size_t each = 48 + 16 + (value_bytes + 7) / 8 * 8;
    Store store = store_of(kTransactionResultBytes / each - 1, value_bytes);
    const CommandResult result = run_in_session(store, {get_all(), delete_all(true)});
    ASSERT_TRUE(std::holds_alternative<TransactionDone>(result)) << value_bytes;
    EXPECT_LE(encode_result(result).size(), kAnswerBytes);
    EXPECT_GT(encode_result(result).size(), kTransactionResultBytes - 2 * each);

    const auto read = codec::read_file(codec::file_of(codec::meta_at(5, 2), store));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->store.digest(), store.digest());
  }
}

RC_GTEST_PROP(TransactionResult, IsBoundedWhateverTheOperations, ()) {
  Store store = store_of(*rc::gen::inRange<std::size_t>(0, 4000), 600);
  store.apply(put_of("a", "1"));
  const auto operations = *rc::gen::container<std::vector<Operation>>(few_operations());
  const CommandResult result = run(store, operations);
  RC_ASSERT(encode_result(result).size() <= kAnswerBytes);
}

// --- What a session keeps of it -----------------------------------------------------------------

// Of whatever length keys and values are: in answers they take up whole words.
TEST(TransactionInSession, DeletesThatReturnManySmallOnesWorkAboveTheQuota) {
  Store store;
  store.apply(OpenSession{});
  for (int i = 0; i < 1000; ++i) store.apply(put_of("k" + std::to_string(i), "v"));
  set_quota(store, 4096);
  const CommandResult result = run_in_session(store, {delete_all(true)});
  ASSERT_TRUE(std::holds_alternative<TransactionDone>(result));
}

TEST(TransactionInSession, FailedConditionIsToldAboveTheQuota) {
  Store store = store_of(1, 10);
  set_quota(store, 4096);
  Put put = put_of("kkkkkkkkkkkkkkk0", std::string(9000, 'v'));
  put.condition = IfAbsent{};
  EXPECT_TRUE(std::holds_alternative<ConditionFailed>(run_in_session(store, put)));
}

TEST(TransactionInSession, DeletesThatReturnWorkAboveTheQuota) {
  Store store = store_of(10, 10'000);
  set_quota(store, 50'000);
  EXPECT_TRUE(std::holds_alternative<OverQuota>(
      run_in_session(store, put_of("another", std::string(5000, 'v')))));
  const CommandResult result = run_in_session(store, {delete_all(true)});
  ASSERT_TRUE(std::holds_alternative<TransactionDone>(result));
}

TEST(TransactionInSession, SmallReadsWorkUnderASmallQuota) {
  Store store = store_of(3, 10);
  set_quota(store, 8192);
  EXPECT_EQ(got(run_in_session(store, {get_all()})).items.size(), 3u);
}

TEST(TransactionInSession, ReadsThatItWouldKeepDoNotGrowBeyondTheQuota) {
  Store store = store_of(10, 10'000);
  set_quota(store, 150'000);
  EXPECT_TRUE(std::holds_alternative<OverQuota>(run_in_session(store, {get_all()})));
  GetOperation two = get_all();
  two.limit = 2;
  EXPECT_EQ(got(run_in_session(store, {two})).items.size(), 2u);
}

TEST(TransactionInSession, ShorterValueInThePlaceOfALongOneWorksAboveTheQuota) {
  Store store = store_of(1, 100'000);
  set_quota(store, 50'000);
  Put put = put_of("kkkkkkkkkkkkkkk0", "");
  put.want_previous = true;
  EXPECT_TRUE(std::holds_alternative<PutDone>(run_in_session(store, put)));
}

RC_GTEST_PROP(TransactionInSession, StoreDoesNotGrowFurtherThanItMay, ()) {
  Store store;
  for (std::size_t i = 0; i < 6; ++i)
    store.apply(put_of(std::string(1, 'a' + char(i)), std::string(3000, 'v')));
  store.apply(OpenSession{});
  set_quota(store, store.size_bytes() + *rc::gen::inRange<std::uint64_t>(0, 20'000));
  const std::uint64_t before = store.size_bytes();
  Command command(transaction(*rc::gen::container<std::vector<Operation>>(few_operations())));
  command.session = SessionWrite{SessionId(1), 1};
  store.apply(command);
  constexpr std::uint64_t kSmall = 4096;
  constexpr std::uint64_t kAround = 256 + 48 * kTransactionOperations;
  RC_ASSERT(store.size_bytes() <=
            std::max(before, store.settings().quota_bytes) + kSmall + kAround);
}

// --- What is wrong with one ---------------------------------------------------------------------

TEST(TransactionFault, NamesTheElement) {
  const auto put = [](std::string key) { return PutOperation{.key = std::move(key), .value = {}}; };
  EXPECT_EQ(fault_in(transaction({}, {}, {Compare{.key = "a"}, Compare{.key = ""}})),
            "compare[1]: a key must have 1 to 4096 bytes");
  EXPECT_EQ(fault_in(transaction({put("a"), put("")})),
            "success[1]: a key must have 1 to 4096 bytes");
  EXPECT_EQ(fault_in(transaction({}, {put("b"), put("a"), get_all(), put("b")})),
            "failure[3]: a key is written twice, since failure[0] writes it");
  EXPECT_EQ(fault_in(transaction({put("b"), delete_all(false)})),
            "success[1]: a key is written twice, since success[0] writes it");
  EXPECT_EQ(fault_in(transaction({put("b")}, {put("b")})), "");
}

}  // namespace
}  // namespace anchor::kv
