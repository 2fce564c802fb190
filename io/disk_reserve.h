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
  // Not empty: it could not be found out, or no room be kept.
  std::string problem{};
};

// Keeps some of a disk's room back, in a file that is of no other use. When nearly all else is
// full the file goes, and its room is there for what makes room: deletes, a snapshot and the cut of
// the log after it. Once there is plenty again the file comes back.
class DiskReserve {
 public:
  // The file is in `directory`, which nobody else uses; zero bytes: never short of disk.
  DiskReserve(const std::string& directory, std::uint64_t bytes);

  // Blocks for as long as the disk does.
  DiskRoomFound look();

 private:
  std::string directory_;
  std::string path_;
  std::uint64_t bytes_;
  bool kept_ = false;
};

// Looks again and again, beside the loop: after a while, and after much was written.
class DiskWatch {
 public:
  // `changed` is called in the constructor if the disk is short of room, and then, on the loop's
  // thread, whenever it is so or is so no more.
  DiskWatch(uv_loop_t* loop, const std::string& directory, std::uint64_t reserve_bytes,
            std::function<void(const DiskRoomFound&)> changed);
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

  std::function<void(const DiskRoomFound&)> changed_;
  const std::uint64_t looks_after_bytes_;
  std::uint64_t written_bytes_ = 0;  // since it looked last
  DiskReserve reserve_;              // the lane's, while that is not idle
  WorkLane lane_;
  uv_timer_t timer_{};
  bool short_of_disk_ = false;
  std::function<void()> closed_;
};

}  // namespace anchor::io
