#include "io/kj_event_port.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

kj::TimePoint loop_time(uv_loop_t* loop) {
  return kj::origin<kj::TimePoint>() + static_cast<std::int64_t>(uv_now(loop)) * kj::MILLISECONDS;
}

}  // namespace

Flushable::~Flushable() noexcept(false) {
  if (dirty_) port_.forget(*this);
}

void Flushable::mark_dirty() {
  if (dirty_) return;
  dirty_ = true;
  port_.dirty_.push_back(this);
  port_.keep_loop_awake(true);
}

KjEventPort::KjEventPort(uv_loop_t* loop)
    : loop_(loop), timer_(loop_time(loop)), events_(*this), scope_(events_) {
  prepare_.data = check_.data = idle_.data = timer_handle_.data = wake_.data = this;
  // Both: what a timer or a closed handle set off is done before the loop waits, what arrived at
  // once after it. A timer of 0 ms would put the delay of a turn into every hop.
  uv_prepare_init(loop_, &prepare_);
  uv_prepare_start(
      &prepare_, [](uv_prepare_t* prepare) { static_cast<KjEventPort*>(prepare->data)->drain(); });
  uv_check_init(loop_, &check_);
  uv_check_start(&check_,
                 [](uv_check_t* check) { static_cast<KjEventPort*>(check->data)->drain(); });
  uv_idle_init(loop_, &idle_);
  uv_timer_init(loop_, &timer_handle_);
  // Waking is all that is asked of it: the loop drains after every wait.
  uv_async_init(loop_, &wake_, [](uv_async_t*) {});
  for (int count = 0; count < 5; ++count) open_handles_.add();
}

KjEventPort::~KjEventPort() noexcept {
  ANCHOR_ASSERT(closing_ && open_handles_.none());
}

kj::Timer& KjEventPort::timer() {
  timer_.advanceTo(loop_time(loop_));
  return timer_;
}

void KjEventPort::drain() {
  ANCHOR_ASSERT(!draining_);
  if (closing_) return;
  draining_ = true;
  timer();
  // Turns KJ's events, and calls poll() whenever there are none, until that brings no more.
  scope_.poll();
  // Tells KJ that we know that it is idle, so that it will tell us when it is not.
  events_.run(0);
  draining_ = false;
  keep_loop_awake(false);
  arm_timer();
}

bool KjEventPort::wait() {
  ANCHOR_ASSERT(false, "a promise's wait() on the loop's thread");
  return false;
}

bool KjEventPort::poll() {
  flush_dirty();
  return woken_.exchange(false);
}

void KjEventPort::flush_dirty() {
  // By index: a flush may make more dirty, such as the stream that a call is written to.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Flushable* flushable = dirty_[i];
    if (flushable == nullptr) continue;
    flushable->dirty_ = false;
    flushable->flush();
  }
  dirty_.clear();
}

void KjEventPort::forget(Flushable& flushable) {
  std::replace(dirty_.begin(), dirty_.end(), &flushable, static_cast<Flushable*>(nullptr));
}

void KjEventPort::setRunnable(bool runnable) {
  keep_loop_awake(runnable);
}

void KjEventPort::keep_loop_awake(bool awake) {
  // Whatever comes up while draining is done before that ends.
  if (draining_ || closing_) return;
  if (awake) {
    uv_idle_start(&idle_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&idle_);
  }
}

void KjEventPort::wake() const {
  woken_ = true;
  uv_async_send(&wake_);
}

void KjEventPort::arm_timer() {
  if (closing_) return;
  // Rounded up, lest the loop spin for the last fraction of a millisecond.
  KJ_IF_MAYBE (timeout_ms, timer_.timeoutToNextEvent(loop_time(loop_), kj::MILLISECONDS,
                                                     std::numeric_limits<std::uint32_t>::max())) {
    uv_timer_start(&timer_handle_, [](uv_timer_t*) {}, *timeout_ms, 0);
  } else {
    uv_timer_stop(&timer_handle_);
  }
}

void KjEventPort::close(std::function<void()> closed) {
  ANCHOR_ASSERT(!closing_);
  closing_ = true;
  close_handle(prepare_);
  close_handle(check_);
  close_handle(idle_);
  close_handle(timer_handle_);
  close_handle(wake_);
  open_handles_.when_none_left(std::move(closed));
}

template <typename Handle>
void KjEventPort::close_handle(Handle& handle) {
  uv_close(as_uv_handle(handle), [](uv_handle_t* closed) {
    static_cast<KjEventPort*>(closed->data)->open_handles_.remove();
  });
}

}  // namespace anchor::io
