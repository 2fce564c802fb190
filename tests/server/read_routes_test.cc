#include <gtest/gtest.h>

#include <string_view>

#include "tests/server/routes.h"

namespace anchor::server {
namespace {

TEST(Routes, ReadsSayHowConsistentTheyAreToBe) {
  const auto read = [](std::string_view target, const Headers& headers = {}) {
    return std::get<Read>(parse_kv(HttpMethod::kGet, target, headers).body);
  };
  EXPECT_EQ(read("/kv/a").consistency, Consistency::kLinearizable);
  EXPECT_EQ(read("/kv/a").min_revision, kv::Revision());
  EXPECT_EQ(read("/kv/a?consistency=linearizable").consistency, Consistency::kLinearizable);
  EXPECT_EQ(read("/kv/a?consistency=lease").consistency, Consistency::kLease);
  EXPECT_EQ(read("/kv/a", {{"x-consistency", "stale"}}).consistency, Consistency::kStale);
  EXPECT_EQ(read("/kv/a?consistency=stale", {{"X-Consistency", "stale"}}).consistency,
            Consistency::kStale);
  const Read bounded =
      read("/kv/a?max_staleness=500ms&min_revision=7", {{"X-Consistency", "stale"}});
  EXPECT_EQ(bounded.max_staleness, Duration(500ms));
  EXPECT_EQ(bounded.min_revision, kv::Revision(7));
}

TEST(Routes, StaleReadsTellTheAgeOfWhatTheyReturn) {
  ReadDone done{item("a", "v"), kv::Revision(9), raft::Index(12), 1234us};
  EXPECT_TRUE(has_line(render(done, {}, kLeader), "Anchor-Age-Ms: 2"))
      << "never younger than it is";
  done.item = {};
  EXPECT_TRUE(has_line(render(done, {}, kLeader), "Anchor-Age-Ms: 2"));
  done.age.reset();
  EXPECT_FALSE(has_line(render(done, {}, kLeader), "Anchor-Age-Ms"));
}

TEST(Routes, ARevisionInTheFutureIsABadRequest) {
  const auto response =
      render(RevisionInFuture{kv::Revision(9), raft::Index(12)}, {}, std::nullopt);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(body_of(response), "bad_parameter: the revision is in the future: the store's is 9\n");
  EXPECT_TRUE(has_line(response, "Anchor-Revision: 9"));
}

}  // namespace
}  // namespace anchor::server
