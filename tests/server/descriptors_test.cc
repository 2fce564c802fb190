#include "server/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace anchor::server {
namespace {

TEST(Descriptors, LimitIsRaisedToWhatTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lowered{.rlim_cur = before.rlim_max / 2, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Descriptors, HttpClientsLeaveSomeToThePeers) {
  EXPECT_EQ(http_connection_count(1'000'000), 16384U);
  EXPECT_EQ(http_connection_count(1024), 768U);
  EXPECT_EQ(http_connection_count(512), 256U);
  // A reserve that is too small is better than no clients at all.
  EXPECT_EQ(http_connection_count(256), 128U);
}

}  // namespace
}  // namespace anchor::server
