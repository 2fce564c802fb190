#include "io/host_port.h"

#include <gtest/gtest.h>

namespace anchor::io {
namespace {

TEST(ParseHostPort, TakesNamesAndAddresses) {
  EXPECT_EQ(parse_host_port("node1:7001"), (HostPort{"node1", 7001}));
  EXPECT_EQ(parse_host_port("127.0.0.1:1"), (HostPort{"127.0.0.1", 1}));
}

TEST(ParseHostPort, TakesTheBracketsOffAnIpv6Address) {
  EXPECT_EQ(parse_host_port("[::1]:65535"), (HostPort{"::1", 65535}));
  EXPECT_EQ(parse_host_port("[fe80::1%eth0]:80"), (HostPort{"fe80::1%eth0", 80}));
}

TEST(ParseHostPort, RefusesAnythingElse) {
  for (const char* text : {"", "a", ":", "a:", ":1", "a:0", "a:65536", "a:1x", "a:-1", "a: 1",
                           "::1:80", "[]:1", "[::1]", "[::1:80"}) {
    const auto parsed = parse_host_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "'" + std::string(text) + "' is not HOST:PORT");
  }
}

TEST(HostPort, WildcardIsKnownHoweverItIsSpelt) {
  for (const char* host : {"0.0.0.0", "0", "::", "0:0:0:0:0:0:0:0", "::0"}) {
    EXPECT_TRUE(is_wildcard(host)) << host;
  }
  for (const char* host : {"127.0.0.1", "0.0.0.1", "::1", "node1", ""}) {
    EXPECT_FALSE(is_wildcard(host)) << host;
  }
}

TEST(HostPort, IsWrittenAsItIsRead) {
  for (const char* text : {"node1:7001", "[::1]:80"}) {
    const auto parsed = parse_host_port(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(to_text(*parsed), text);
  }
}

}  // namespace
}  // namespace anchor::io
