#pragma once

#include <uv.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/raft/step.h"

namespace anchor::io {

// The thread that waits for the disk, so that the loop need not. While one commit runs, batches
// gather, and the next commit takes them all (group commit). Every function, and every call back,
// is on the loop's thread.
class DiskWriter {
 public:
  using Clock = std::chrono::steady_clock;

  struct Handlers {
    // On the disk thread: writes batches durably, in order and atomically (LogStore::commit).
    std::function<Result<void>(std::span<const raft::PersistBatch>)> commit;
    // This batch and all before it are durable.
    std::function<void(raft::WriteId)> on_durable;
    // Once; nothing is written or acknowledged from then on. The process must end (exit code 10).
    std::function<void(const Error&)> on_failure;
  };

  // `loop` must outlive the writer, which keeps it alive until closed.
  DiskWriter(uv_loop_t* loop, Handlers handlers);
  // Requires: closed.
  ~DiskWriter();
  DiskWriter(const DiskWriter&) = delete;
  DiskWriter& operator=(const DiskWriter&) = delete;

  // Requires: ids ascend. After a failure or a stop it is dropped, and never reported.
  void write(raft::PersistBatch batch);

  // Blocks until what was handed over is durable and reported.
  void stop();
  // Stops, if that has not been done; calls `closed` when the loop holds nothing of it any more.
  void close(std::function<void()> closed);

  // Handed over and not yet reported durable.
  std::size_t pending_batch_count() const { return pending_.size(); }
  // When the oldest of them was handed over: how long the disk has been silent.
  std::optional<Clock::time_point> oldest_pending_since() const;

  // Of the last thousand commits; zero before the first.
  std::chrono::microseconds commit_p50() const { return commit_quantile(50); }
  std::chrono::microseconds commit_p99() const { return commit_quantile(99); }
  std::uint64_t commit_count() const { return commit_count_; }

 private:
  struct Pending {
    raft::WriteId id;
    Clock::time_point since;
  };
  // What the disk thread has to say, in the order in which it came about.
  struct Report {
    std::optional<raft::WriteId> durable;
    std::vector<std::chrono::microseconds> commits;
    std::optional<Error> failure;
  };

  void run();  // the disk thread
  std::chrono::microseconds commit_quantile(std::size_t percent) const;
  void deliver();

  const Handlers handlers_;
  uv_async_t reported_{};
  std::function<void()> closed_;
  bool stopped_ = false;
  bool open_handle_ = true;
  bool failed_ = false;
  std::deque<Pending> pending_;
  static constexpr std::size_t kRecentCount = 1000;
  std::array<std::chrono::microseconds, kRecentCount> recent_commits_{};  // a ring
  std::uint64_t commit_count_ = 0;

  // Shared with the disk thread, and held by either for no longer than it takes to swap.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<raft::PersistBatch> waiting_;
  bool stop_ = false;
  Report report_;

  std::thread thread_;  // last: it starts when all else is in place
};

}  // namespace anchor::io
