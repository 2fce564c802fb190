#include "io/socket_address.h"

#include <gtest/gtest.h>

namespace anchor::io {
namespace {

class SocketAddressTest : public testing::Test {
 protected:
  SocketAddressTest() { uv_loop_init(&loop_); }
  ~SocketAddressTest() override { EXPECT_EQ(uv_loop_close(&loop_), 0); }

  uv_loop_t loop_{};
};

TEST_F(SocketAddressTest, ANumericHostIsWhatItSays) {
  for (const HostPort& given : {HostPort{"127.0.0.1", 80}, HostPort{"::1", 8080}}) {
    const auto address = resolve_now(&loop_, given);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(to_text(*address), to_text(given));
  }
}

TEST_F(SocketAddressTest, AnUnknownHostIsAnError) {
  // No name has a space, so nobody is asked.
  EXPECT_FALSE(resolve_now(&loop_, {"no such host", 80}));
}

TEST_F(SocketAddressTest, ASocketKnowsThePortThatItWasGiven) {
  const auto any_port = resolve_now(&loop_, {"127.0.0.1", 0});
  ASSERT_TRUE(any_port);
  uv_tcp_t tcp;
  uv_tcp_init(&loop_, &tcp);
  ASSERT_EQ(uv_tcp_bind(&tcp, reinterpret_cast<const sockaddr*>(&*any_port), 0), 0);
  EXPECT_NE(local_port(tcp), 0);
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

}  // namespace
}  // namespace anchor::io
