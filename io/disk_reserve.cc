#include "io/disk_reserve.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "io/file.h"
#include "io/uv_support.h"

namespace anchor::io {
namespace {

// Less than that of the reserve's size free beside it, and it goes; so much free without it, and it
// comes back: in between, nothing changes.
std::uint64_t little(std::uint64_t reserve_bytes) {
  return reserve_bytes / 4;
}
std::uint64_t plenty(std::uint64_t reserve_bytes) {
  return reserve_bytes + reserve_bytes / 2;
}

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

Result<std::uint64_t> free_bytes_of(const std::string& directory) {
  struct statvfs room{};
  if (::statvfs(directory.c_str(), &room) != 0) {
    return std::unexpected(
        system_error("cannot tell how full the disk of " + directory + " is", errno));
  }
  return std::uint64_t{room.f_bavail} * room.f_frsize;
}

Result<void> preallocate(const std::string& path, std::uint64_t bytes) {
  const Result<File> file = File::open(path, O_WRONLY | O_CREAT);
  if (!file) return std::unexpected(file.error());
  while (::fallocate(file->descriptor(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    // Then the room is not kept, but it is known all the same when there is little.
    if (errno == EOPNOTSUPP) return {};
    if (errno != EINTR) return std::unexpected(system_error("cannot keep room in " + path, errno));
  }
  return {};
}

}  // namespace

DiskReserve::DiskReserve(const std::string& directory, std::uint64_t bytes)
    : directory_(directory), path_(directory + "/reserve"), bytes_(bytes) {
  const Result<std::optional<File>> file = File::open_if_exists(path_, O_RDONLY);
  if (!file || !*file) return;
  const auto size = (*file)->size_bytes();
  kept_ = size && *size == bytes_;
  // Of another size: what it is to be is found out as if there were none.
  if (!kept_) ::unlink(path_.c_str());
}

DiskRoomFound DiskReserve::look() {
  if (bytes_ == 0) return {};
  const auto free = free_bytes_of(directory_);
  if (!free) return {.short_of_disk = true, .problem = free.error().message};
  if (kept_) {
    if (*free >= little(bytes_)) return {.free_bytes = *free};
    kept_ = false;
    ::unlink(path_.c_str());
    return {.short_of_disk = true, .free_bytes = *free};
  }
  if (*free < plenty(bytes_)) return {.short_of_disk = true, .free_bytes = *free};
  if (const auto made = preallocate(path_, bytes_); !made) {
    ::unlink(path_.c_str());
    return {.short_of_disk = true, .free_bytes = *free, .problem = made.error().message};
  }
  kept_ = true;
  return {.free_bytes = *free};
}

DiskWatch::DiskWatch(uv_loop_t* loop, const std::string& directory, std::uint64_t reserve_bytes,
                     std::function<void(const DiskRoomFound&)> changed)
    : changed_(std::move(changed)),
      // Some of that, and what it takes up beside, must fit into what there is when it looks.
      looks_after_bytes_(reserve_bytes == 0 ? kNever : little(reserve_bytes) / 16),
      reserve_(directory, reserve_bytes),
      lane_(loop) {
  // Others write, too.
  constexpr std::uint64_t kOftenMs = 100;
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
  if (reserve_bytes == 0) return;
  found(reserve_.look());
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<DiskWatch*>(timer->data)->look(); }, kOftenMs,
      kOftenMs);
}

void DiskWatch::writing(std::uint64_t bytes) {
  written_bytes_ += bytes;
  if (written_bytes_ >= looks_after_bytes_) look();
}

void DiskWatch::look() {
  if (!lane_.idle()) return;
  written_bytes_ = 0;
  auto seen = std::make_shared<DiskRoomFound>();
  lane_.run([this, seen] { *seen = reserve_.look(); }, [this, seen] { found(*seen); });
}

void DiskWatch::found(const DiskRoomFound& found) {
  if (std::exchange(short_of_disk_, found.short_of_disk) != found.short_of_disk) changed_(found);
}

void DiskWatch::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  lane_.stop([this] {
    uv_close(as_uv_handle(timer_), [](uv_handle_t* handle) {
      // It may destroy the watch.
      const auto call = std::move(static_cast<DiskWatch*>(handle->data)->closed_);
      call();
    });
  });
}

}  // namespace anchor::io
