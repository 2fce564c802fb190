#include "io/disk_writer.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "io/uv_support.h"

namespace anchor::io {

DiskWriter::DiskWriter(uv_loop_t* loop, Handlers handlers) : handlers_(std::move(handlers)) {
  const int error = uv_async_init(loop, &reported_, [](uv_async_t* reported) {
    static_cast<DiskWriter*>(reported->data)->deliver();
  });
  ANCHOR_ASSERT(error == 0, uv_strerror(error));
  reported_.data = this;
  thread_ = std::thread([this] { run(); });
}

DiskWriter::~DiskWriter() {
  ANCHOR_ASSERT(!open_handle_);
}

void DiskWriter::write(raft::PersistBatch batch) {
  if (failed_ || stopped_) return;
  ANCHOR_ASSERT(pending_.empty() || pending_.back().id < batch.id);
  pending_.push_back({batch.id, Clock::now()});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

void DiskWriter::run() {
  std::vector<raft::PersistBatch> batches;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::swap(batches, waiting_);
    }
    const Clock::time_point start = Clock::now();
    const Result<void> committed = handlers_.commit(batches);
    const auto duration =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    {
      const std::lock_guard lock(mutex_);
      if (committed) {
        report_.durable = batches.back().id;
        report_.commits.push_back(duration);
      } else {
        report_.failure = committed.error();
      }
    }
    uv_async_send(&reported_);
    // No second try: see File::sync.
    if (!committed) return;
    batches.clear();
  }
}

void DiskWriter::deliver() {
  Report report;
  {
    const std::lock_guard lock(mutex_);
    std::swap(report, report_);
  }
  for (const std::chrono::microseconds duration : report.commits) {
    recent_commits_[commit_count_++ % kRecentCount] = duration;
  }
  if (report.durable) {
    while (!pending_.empty() && pending_.front().id <= *report.durable) pending_.pop_front();
    handlers_.on_durable(*report.durable);
  }
  if (report.failure) {
    failed_ = true;
    handlers_.on_failure(*report.failure);
  }
}

std::optional<DiskWriter::Clock::time_point> DiskWriter::oldest_pending_since() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.front().since;
}

std::chrono::microseconds DiskWriter::commit_quantile(std::size_t percent) const {
  const std::size_t count = std::min<std::uint64_t>(commit_count_, kRecentCount);
  if (count == 0) return {};
  auto sorted = recent_commits_;
  const auto wanted = sorted.begin() + static_cast<std::ptrdiff_t>((count - 1) * percent / 100);
  std::nth_element(sorted.begin(), wanted, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  return *wanted;
}

void DiskWriter::stop() {
  if (stopped_) return;
  stopped_ = true;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
  deliver();
}

void DiskWriter::close(std::function<void()> closed) {
  stop();
  closed_ = std::move(closed);
  uv_close(as_uv_handle(reported_), [](uv_handle_t* handle) {
    auto& writer = *static_cast<DiskWriter*>(handle->data);
    writer.open_handle_ = false;
    // The last thing, since it may destroy the writer.
    if (writer.closed_) std::exchange(writer.closed_, nullptr)();
  });
}

}  // namespace anchor::io
