#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <cstdint>
#include <memory>

#include "io/kj_event_port.h"

namespace anchor::io {

// A libuv loop with KJ's inside. At the end nothing may be left in it.
class KjLoop : public testing::Test {
 protected:
  KjLoop() {
    uv_loop_init(&loop_);
    port_ = std::make_unique<KjEventPort>(&loop_);
    // Lets a test that waits in vain come to its deadline.
    uv_timer_init(&loop_, &tick_);
    uv_timer_start(&tick_, [](uv_timer_t*) {}, 100, 100);
  }
  ~KjLoop() override {
    bool closed = false;
    port_->close([&] { closed = true; });
    uv_close(reinterpret_cast<uv_handle_t*>(&tick_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_TRUE(closed);
    port_.reset();
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  // Runs the loop until `condition` holds; false if it does not within ten seconds.
  template <typename Condition>
  bool run_until(Condition condition) {
    const std::uint64_t deadline_ns = uv_hrtime() + 10'000'000'000;
    while (!condition()) {
      if (uv_hrtime() > deadline_ns) return false;
      uv_run(&loop_, UV_RUN_ONCE);
      ++turn_;
    }
    return true;
  }
  uv_loop_t loop_{};
  std::unique_ptr<KjEventPort> port_;
  std::uint64_t turn_ = 0;

 private:
  uv_timer_t tick_{};
};

}  // namespace anchor::io
