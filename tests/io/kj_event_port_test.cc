#include "io/kj_event_port.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/io/kj_loop.h"

namespace anchor::io {
namespace {

class KjEventPortTest : public KjLoop {};

class Flushed final : public Flushable {
 public:
  explicit Flushed(
      KjEventPort& port, std::function<void()> on_flush = [] {})
      : Flushable(port), on_flush_(std::move(on_flush)) {}

  using Flushable::mark_dirty;
  int count = 0;

 private:
  void flush() override {
    ++count;
    on_flush_();
  }
  std::function<void()> on_flush_;
};

TEST_F(KjEventPortTest, RunsWhatWasSetOffOutsideOfTheLoopWithoutWaiting) {
  bool ran = false;
  auto promise = kj::evalLater([&] { ran = true; }).eagerlyEvaluate(nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_TRUE(ran);
}

TEST_F(KjEventPortTest, RunsWhatACallbackOfLibuvSetOffBeforeTheLoopWaits) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  int steps = 0;
  auto promise =
      pair.promise.then([&] { ++steps; }).then([&] { ++steps; }).eagerlyEvaluate(nullptr);
  uv_async_t async;
  uv_async_init(&loop_, &async, [](uv_async_t* handle) {
    static_cast<kj::PromiseFulfiller<void>*>(handle->data)->fulfill();
    uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
  });
  async.data = pair.fulfiller.get();
  uv_async_send(&async);
  uv_run(&loop_, UV_RUN_ONCE);
  EXPECT_EQ(steps, 2);
}

TEST_F(KjEventPortTest, ComesBackToRestAfterEachDrain) {
  uv_run(&loop_, UV_RUN_NOWAIT);
  for (int round = 1; round <= 3; ++round) {
    bool ran = false;
    auto promise = kj::evalLater([&] { ran = true; }).eagerlyEvaluate(nullptr);
    port_->drain();
    EXPECT_TRUE(ran);
    EXPECT_NE(uv_backend_timeout(&loop_), 0);
  }
}

TEST_F(KjEventPortTest, TimersComeTrueInTheirOrder) {
  std::string order;
  auto later = port_->timer().afterDelay(9 * kj::MILLISECONDS).then([&] { order += "b"; });
  auto sooner = port_->timer().afterDelay(3 * kj::MILLISECONDS).then([&] { order += "a"; });
  auto both = later.eagerlyEvaluate(nullptr);
  auto first = sooner.eagerlyEvaluate(nullptr);
  ASSERT_TRUE(run_until([&] { return order.size() == 2; }));
  EXPECT_EQ(order, "ab");
}

TEST_F(KjEventPortTest, TimeOutsCancelWhatTheyGuard) {
  bool timed_out = false;
  auto guarded = port_->timer()
                     .timeoutAfter(2 * kj::MILLISECONDS, kj::Promise<void>(kj::NEVER_DONE))
                     .catch_([&](kj::Exception&&) { timed_out = true; })
                     .eagerlyEvaluate(nullptr);
  EXPECT_TRUE(run_until([&] { return timed_out; }));
}

TEST_F(KjEventPortTest, TakesEventsFromOtherThreads) {
  bool ran = false;
  const std::thread::id own_thread = std::this_thread::get_id();
  const auto executor = kj::getCurrentThreadExecutor().addRef();
  std::thread other(
      [&] { executor->executeSync([&] { ran = std::this_thread::get_id() == own_thread; }); });
  EXPECT_TRUE(run_until([&] { return ran; }));
  other.join();
}

TEST_F(KjEventPortTest, FlushesOnceHoweverOftenItWasAsked) {
  Flushed flushed(*port_);
  for (int i = 0; i < 10; ++i) flushed.mark_dirty();
  auto promise = kj::evalLater([&] { flushed.mark_dirty(); }).eagerlyEvaluate(nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_EQ(flushed.count, 1);
}

TEST_F(KjEventPortTest, GoesOnUntilNeitherFlushesNorPromisesMakeMoreWork) {
  Flushed second(*port_);
  std::optional<kj::Promise<void>> promise;
  Flushed first(*port_, [&] {
    promise = kj::evalLater([&] { second.mark_dirty(); }).eagerlyEvaluate(nullptr);
  });
  first.mark_dirty();
  port_->drain();
  EXPECT_EQ(first.count, 1);
  EXPECT_EQ(second.count, 1);
}

TEST_F(KjEventPortTest, DoesNotFlushWhatIsDestroyed) {
  int count = 0;
  std::optional<Flushed> second;
  Flushed first(*port_, [&] { second.reset(); });
  second.emplace(*port_, [&] { ++count; });
  first.mark_dirty();
  second->mark_dirty();
  port_->drain();
  EXPECT_EQ(count, 0);
}

TEST_F(KjEventPortTest, TheLoopDoesNotBlockWhileSomethingIsToBeFlushed) {
  uv_run(&loop_, UV_RUN_NOWAIT);
  Flushed flushed(*port_);
  EXPECT_NE(uv_backend_timeout(&loop_), 0);
  flushed.mark_dirty();
  EXPECT_EQ(uv_backend_timeout(&loop_), 0);
  port_->drain();
  EXPECT_NE(uv_backend_timeout(&loop_), 0);
}

}  // namespace
}  // namespace anchor::io
