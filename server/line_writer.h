#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/time.h"

namespace anchor::server {

// Writes lines to a descriptor on a thread of its own: whoever logs never waits for whoever reads
// the log, be it a pipe that nobody empties.
class LineWriter {
 public:
  // What is written where lines were lost, with its newline. Called on the writer's thread.
  using TellLost = std::function<std::string(std::uint64_t line_count)>;

  // `descriptor` stays open. Beyond `queue_bytes` that wait, lines are lost.
  LineWriter(int descriptor, std::size_t queue_bytes, TellLost tell_lost);
  // Waits a moment for what is not written yet.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Without its newline. Never blocks.
  void write(std::string_view line);
  // True once all is written; false if that takes longer.
  bool flush(Duration patience);

 private:
  struct Shared {
    const int descriptor;
    const TellLost tell_lost;

    std::mutex mutex{};
    std::condition_variable changed{};
    // Under the mutex:
    std::string waiting{};
    std::uint64_t lost_count = 0;
    bool writing = false;
    bool ended = false;

    bool idle() const { return waiting.empty() && lost_count == 0 && !writing; }
  };

  static void run(Shared& shared);

  const std::size_t queue_bytes_;
  // Also the thread's, which outlives the writer if it hangs in a write.
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace anchor::server
