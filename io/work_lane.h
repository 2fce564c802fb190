#pragma once

#include <uv.h>

#include <deque>
#include <functional>

namespace anchor::io {

// Jobs that take long, one after another, on threads of libuv's; each is followed by what is to be
// done with its outcome on the loop's thread. Used on that thread.
class WorkLane {
 public:
  explicit WorkLane(uv_loop_t* loop) : loop_(loop) { request_.data = this; }
  // Requires: idle.
  ~WorkLane();
  WorkLane(const WorkLane&) = delete;
  WorkLane& operator=(const WorkLane&) = delete;

  void run(std::function<void()> work, std::function<void()> done);
  bool idle() const { return jobs_.empty(); }
  // Drops what has not begun, and calls `idle` once nothing runs; at once if nothing does.
  void stop(std::function<void()> idle);

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  void begin();
  void finish();

  uv_loop_t* loop_;
  uv_work_t request_{};
  // The first one runs.
  std::deque<Job> jobs_;
  // That one, for its thread, which does not look into the queue: others are added meanwhile.
  const Job* running_ = nullptr;
  bool stopped_ = false;
  std::function<void()> idle_;
};

}  // namespace anchor::io
