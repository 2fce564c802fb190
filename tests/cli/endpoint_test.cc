#include "cli/endpoint.h"

#include <gtest/gtest.h>

namespace anchor::cli {
namespace {

using Endpoints = std::vector<std::string>;

TEST(ParseEndpoints, TakesHostsAndPorts) {
  EXPECT_EQ(parse_endpoints("127.0.0.1:8001"), Endpoints{"127.0.0.1:8001"});
  EXPECT_EQ(parse_endpoints("a.example:1,[::1]:65535"), (Endpoints{"a.example:1", "[::1]:65535"}));
}

TEST(ParseEndpoints, TakesUrlsForWhatTheyName) {
  EXPECT_EQ(parse_endpoints("http://a:1/,a:1"), Endpoints{"a:1"});
}

TEST(ParseEndpoints, RefusesWhatIsNoHostAndPort) {
  for (const char* list : {"", "a", "a:", ":1", "a:0", "a:65536", "a:1x", "a:1,", ",a:1", "::1:80",
                           "a/b:1", "u@a:1", "a b:1", "https://a:1", "[]:1"}) {
    EXPECT_FALSE(parse_endpoints(list)) << list;
  }
}

}  // namespace
}  // namespace anchor::cli
