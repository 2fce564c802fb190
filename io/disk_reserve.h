#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <string>

#include "io/work_lane.h"

namespace anchor::io {

// What a look at the disk has found.
struct DiskRoomFound {
  bool short_of_disk = false;
  std::uint64_t free_bytes = 0;
  // Not empty: it could not be found out, or no room is kept.
  std::string problem{};
};

// Keeps some of a disk's room back, in a file that is of no other use. When nearly all else is
// full the file goes, and its room is there for what makes room: deletes, and the cut of the log
// after a snapshot. Once there is plenty again the file comes back.
class DiskReserve {
 public:
  // The file is in `directory`, which nobody else uses; zero bytes: never short of disk.
  DiskReserve(const std::string& directory, std::uint64_t bytes);

  // Short of disk is also what could not hold so many bytes more beside the reserve; but while they
  // are being written they are not missed for that. Blocks for as long as the disk does.
  DiskRoomFound look(std::uint64_t needed_bytes = 0, bool writing = false);

 private:
  bool keep();

  std::string directory_;
  std::string path_;
  std::uint64_t bytes_;
  bool kept_ = false;
  std::string problem_;
};

// Looks again and again, beside the loop: after a while, and after much was written.
class DiskWatch {
 public:
  struct Handlers {
    // What one file more may take.
    std::function<std::uint64_t()> needed_bytes;
    // It is being written.
    std::function<bool()> writing;
    // The disk is short of room, or is so no more, or there is another problem. Also called in the
    // constructor.
    std::function<void(const DiskRoomFound&)> changed;
  };
  // Uses and calls the handlers on the loop's thread.
  DiskWatch(uv_loop_t* loop, const std::string& directory, std::uint64_t reserve_bytes,
            Handlers handlers);
  // Requires: closed.
  ~DiskWatch() = default;
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  bool short_of_disk() const { return short_of_disk_; }
  // So much is about to be written to the disk.
  void writing(std::uint64_t bytes);
  void close(std::function<void()> closed);

 private:
  void look();
  void found(const DiskRoomFound& found);

  Handlers handlers_;
  const std::uint64_t looks_after_bytes_;
  std::uint64_t written_bytes_ = 0;  // since it looked last
  DiskReserve reserve_;              // the lane's, while that is not idle
  WorkLane lane_;
  uv_timer_t timer_{};
  bool short_of_disk_ = false;
  std::string problem_;
  std::function<void()> closed_;
};

}  // namespace anchor::io
