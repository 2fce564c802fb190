#include "io/work_lane.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::io {

WorkLane::~WorkLane() {
  ANCHOR_ASSERT(idle());
}

void WorkLane::run(std::function<void()> work, std::function<void()> done) {
  if (stopped_) return;
  jobs_.push_back({std::move(work), std::move(done)});
  if (jobs_.size() == 1) begin();
}

void WorkLane::begin() {
  running_ = &jobs_.front();
  const int begun = uv_queue_work(
      loop_, &request_,
      [](uv_work_t* request) { static_cast<WorkLane*>(request->data)->running_->work(); },
      [](uv_work_t* request, int) { static_cast<WorkLane*>(request->data)->finish(); });
  ANCHOR_ASSERT(begun == 0);
}

void WorkLane::finish() {
  // Still the first one meanwhile, so that what it adds waits its turn.
  if (!stopped_) jobs_.front().done();
  jobs_.pop_front();
  if (!jobs_.empty()) return begin();
  if (idle_) std::exchange(idle_, nullptr)();
}

void WorkLane::stop(std::function<void()> idle) {
  stopped_ = true;
  if (jobs_.empty()) return idle();
  jobs_.resize(1);
  idle_ = std::move(idle);
}

}  // namespace anchor::io
