#include "io/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace anchor::io {
namespace {

constexpr mode_t kOwnerOnly = 0600;

}  // namespace

Error system_error(const std::string& what, int error_number) {
  return {what + ": " + std::generic_category().message(error_number)};
}

Result<std::optional<File>> File::open_if_exists(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly);
  if (descriptor >= 0) return File(descriptor, path);
  if (errno == ENOENT) return std::nullopt;
  return std::unexpected(system_error("cannot open " + path, errno));
}

Result<File> File::open(const std::string& path, int flags) {
  Result<std::optional<File>> file = open_if_exists(path, flags);
  if (!file) return std::unexpected(file.error());
  if (!*file) return std::unexpected(system_error("cannot open " + path, ENOENT));
  return *std::move(*file);
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::uint64_t> File::size_bytes() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) {
    return std::unexpected(system_error("cannot look at " + path_, errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<Bytes> File::read() const {
  const Result<std::uint64_t> size = size_bytes();
  if (!size) return std::unexpected(size.error());
  Buffer buffer(*size);
  const Result<std::size_t> read = read_at(0, buffer.span());
  if (!read) return std::unexpected(read.error());
  return std::move(buffer).freeze(*read);
}

Result<std::size_t> File::read_at(std::uint64_t offset, std::span<std::byte> target) const {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t size = ::pread(descriptor_, target.data() + done, target.size() - done,
                                 static_cast<off_t>(offset + done));
    if (size == 0) break;
    if (size > 0) {
      done += static_cast<std::size_t>(size);
    } else if (errno != EINTR) {
      return std::unexpected(system_error("cannot read " + path_, errno));
    }
  }
  return done;
}

Result<void> File::write_at(std::uint64_t offset, ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t size =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(size));
      offset += static_cast<std::uint64_t>(size);
    } else if (errno != EINTR) {
      return std::unexpected(system_error("cannot write " + path_, errno));
    }
  }
  return {};
}

Result<void> File::sync() const {
  if (::fdatasync(descriptor_) == 0) return {};
  return std::unexpected(system_error("cannot sync " + path_, errno));
}

Result<void> sync_directory(const std::string& path) {
  const Result<File> directory = File::open(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return std::unexpected(directory.error());
  if (::fsync(directory->descriptor()) == 0) return {};
  return std::unexpected(system_error("cannot sync " + path, errno));
}

}  // namespace anchor::io
