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

// With less than that free beside the reserve it goes; with so much free without it, it comes back:
// in between, nothing changes.
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

// Zero: it is there. Else an errno.
int preallocate(const File& file, std::uint64_t bytes) {
  while (::fallocate(file.descriptor(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
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

DiskRoomFound DiskReserve::look(std::uint64_t needed_bytes, bool writing) {
  if (bytes_ == 0) return {};
  const auto free = free_bytes_of(directory_);
  if (!free) return {.short_of_disk = true, .problem = free.error().message};
  DiskRoomFound found{.free_bytes = *free, .problem = problem_};
  if (kept_) {
    if (*free >= little(bytes_) + (writing ? 0 : needed_bytes)) return found;
    kept_ = false;
    ::unlink(path_.c_str());
    found.short_of_disk = true;
    return found;
  }
  found.short_of_disk = *free < plenty(bytes_) + needed_bytes || !keep();
  found.problem = problem_;
  return found;
}

// False: it could not be.
bool DiskReserve::keep() {
  const Result<File> file = File::open(path_, O_WRONLY | O_CREAT);
  const int refused = file ? preallocate(*file, bytes_) : 0;
  // Then it is known all the same when there is little. The file says so to the next start.
  const bool cannot = refused == EOPNOTSUPP || refused == ENOSYS;
  problem_.clear();
  if (!file) problem_ = file.error().message;
  if (refused != 0) problem_ = system_error("no room can be kept in " + path_, refused).message;
  if (cannot) static_cast<void>(::ftruncate(file->descriptor(), static_cast<off_t>(bytes_)));
  kept_ = file && (refused == 0 || cannot);
  if (!kept_) ::unlink(path_.c_str());
  return kept_;
}

DiskWatch::DiskWatch(uv_loop_t* loop, const std::string& directory, std::uint64_t reserve_bytes,
                     Handlers handlers)
    : handlers_(std::move(handlers)),
      // Some of that, and what it takes up beside, must fit into what there is when it looks.
      looks_after_bytes_(reserve_bytes == 0 ? kNever : little(reserve_bytes) / 16),
      reserve_(directory, reserve_bytes),
      lane_(loop) {
  // Others write, too.
  constexpr std::uint64_t kOftenMs = 100;
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
  if (reserve_bytes == 0) return;
  found(reserve_.look(handlers_.needed_bytes(), handlers_.writing()));
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
  lane_.run([this, seen, needed = handlers_.needed_bytes(),
             writing = handlers_.writing()] { *seen = reserve_.look(needed, writing); },
            [this, seen] { found(*seen); });
}

void DiskWatch::found(const DiskRoomFound& found) {
  const bool flipped = std::exchange(short_of_disk_, found.short_of_disk) != found.short_of_disk;
  const bool worse = std::exchange(problem_, found.problem) != found.problem;
  if (flipped || worse) handlers_.changed(found);
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
