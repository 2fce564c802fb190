#include "core/deferred_messages.h"

#include <gtest/gtest.h>

namespace anchor {
namespace {

raft::DeferredMessage after(std::uint64_t write, std::uint64_t term) {
  return {raft::WriteId(write),
          {.from = {}, .from_boot = {}, .to = {}, .term = raft::Term(term), .body = {}}};
}

std::vector<std::uint64_t> terms(const std::vector<raft::Message>& messages) {
  std::vector<std::uint64_t> all;
  for (const raft::Message& message : messages) all.push_back(message.term.value());
  return all;
}

using Terms = std::vector<std::uint64_t>;

TEST(DeferredMessages, LeaveWhenTheirBatchIsDurableInTheOrderInWhichTheyWereHeld) {
  DeferredMessages deferred;
  EXPECT_EQ(terms(deferred.hold({after(2, 1), after(1, 2), after(3, 3)})), Terms{});
  EXPECT_EQ(terms(deferred.durable(raft::WriteId(2))), (Terms{1, 2}));
  EXPECT_EQ(terms(deferred.durable(raft::WriteId(3))), Terms{3});
}

TEST(DeferredMessages, DoNotWaitForABatchThatIsDurableAlready) {
  DeferredMessages deferred;
  EXPECT_EQ(terms(deferred.durable(raft::WriteId(5))), Terms{});
  EXPECT_EQ(terms(deferred.hold({after(5, 1), after(6, 2)})), Terms{1});
}

TEST(DeferredMessages, AreForgottenWithTheProcess) {
  DeferredMessages deferred;
  EXPECT_EQ(terms(deferred.durable(raft::WriteId(5))), Terms{});
  EXPECT_EQ(terms(deferred.hold({after(6, 1)})), Terms{});
  deferred.clear();
  EXPECT_EQ(terms(deferred.hold({after(5, 2)})), Terms{});
  EXPECT_EQ(terms(deferred.durable(raft::WriteId(6))), Terms{2});
}

}  // namespace
}  // namespace anchor
