#pragma once

#include <kj/async.h>
#include <kj/timer.h>
#include <uv.h>

#include <atomic>
#include <functional>
#include <vector>

#include "core/base/time.h"
#include "io/uv_support.h"

namespace anchor::io {

class KjEventPort;

// Has work that is better done once a turn of the loop than each time it comes up: a stream that
// writes, a connection that gathers messages.
class Flushable {
 public:
  explicit Flushable(KjEventPort& port) : port_(port) {}
  Flushable(const Flushable&) = delete;
  Flushable& operator=(const Flushable&) = delete;

 protected:
  virtual ~Flushable() noexcept(false);
  // Has flush() called when KJ has nothing more to do in this turn.
  void mark_dirty();

 private:
  friend class KjEventPort;
  // Runs outside of every KJ event: promises and what they hold may be destroyed here.
  virtual void flush() = 0;

  KjEventPort& port_;
  bool dirty_ = false;
};

// Runs KJ's event loop inside libuv's, on the thread of the loop: of which KJ allows one, and so of
// these, in a thread. Promises come true within uv_run; nobody may wait() for one, since uv_run is
// not re-entrant.
class KjEventPort final : private kj::EventPort {
 public:
  // `loop` must outlive the port, and the port every promise.
  explicit KjEventPort(uv_loop_t* loop);
  // Requires: closed.
  ~KjEventPort() noexcept;
  KjEventPort(const KjEventPort&) = delete;
  KjEventPort& operator=(const KjEventPort&) = delete;

  uv_loop_t* loop() const { return loop_; }
  // At the loop's present time. Its promises come true at the resolution of a millisecond.
  kj::Timer& timer();

  // Runs KJ and flushes until both have nothing to do. It happens by itself before and after the
  // loop waits; call it after work at another place of the turn, to have its output leave at once.
  // Requires: not called from a promise's callback or a flush().
  void drain();

  // Calls `closed` when the loop holds nothing of it any more.
  void close(std::function<void()> closed);

 private:
  friend class Flushable;

  bool wait() override;
  bool poll() override;
  void setRunnable(bool runnable) override;
  void wake() const override;

  void flush_dirty();
  void forget(Flushable& flushable);
  void keep_loop_awake(bool awake);
  void arm_timer();
  template <typename Handle>
  void close_handle(Handle& handle);

  uv_loop_t* loop_;
  uv_prepare_t prepare_{};
  uv_check_t check_{};
  // Keeps the loop from blocking while it is started.
  uv_idle_t idle_{};
  uv_timer_t timer_handle_{};
  mutable uv_async_t wake_{};
  mutable std::atomic<bool> woken_ = false;
  HandleCount open_handles_;
  bool closing_ = false;

  kj::TimerImpl timer_;
  // Null where one was destroyed.
  std::vector<Flushable*> dirty_;
  bool draining_ = false;

  kj::EventLoop events_;
  kj::WaitScope scope_;
};

inline kj::Duration to_kj(Duration duration) {
  return duration.count() * kj::MICROSECONDS;
}

}  // namespace anchor::io
