#include "io/data_directory.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace anchor::io {
namespace {

constexpr mode_t kDirectoryMode = 0750;

// Whether it lies in the path that was given, and not in the disk.
bool names_no_place(int error_number) {
  constexpr auto kSlips =
      std::to_array({EACCES, EPERM, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL});
  return std::ranges::find(kSlips, error_number) != kSlips.end();
}

std::unexpected<DataDirectoryFailure> failed(const std::string& what, int error_number) {
  Error error = system_error(what, error_number);
  if (names_no_place(error_number)) {
    return std::unexpected<DataDirectoryFailure>(UnusablePath{std::move(error.message)});
  }
  return std::unexpected<DataDirectoryFailure>(std::move(error));
}

// Every directory made is synced into its parent, else a power failure could take the whole path.
std::expected<void, DataDirectoryFailure> make_directories(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const std::filesystem::path parent = path.parent_path();
  if (auto made = make_directories(parent); !made) return made;
  // Somebody else may have been quicker.
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return failed("cannot create the directory " + path.string(), errno);
  }
  if (!std::filesystem::is_directory(path, error)) return failed(path.string(), ENOTDIR);
  if (auto synced = sync_directory(parent.string()); !synced) {
    return std::unexpected<DataDirectoryFailure>(std::move(synced.error()));
  }
  return {};
}

}  // namespace

std::expected<DataDirectory, DataDirectoryFailure> DataDirectory::open(const std::string& path) {
  std::error_code error;
  std::filesystem::path whole = std::filesystem::absolute(path, error).lexically_normal();
  if (error) return failed("not a path: " + path, error.value());
  // "dir/" names dir, whose parent is not itself.
  if (!whole.has_filename() && whole.has_relative_path()) whole = whole.parent_path();
  if (auto made = make_directories(whole); !made) return std::unexpected(made.error());
  if (::access(whole.c_str(), W_OK | X_OK) != 0) {
    return failed("cannot write in " + whole.string(), errno);
  }

  Result<File> lock = File::open((whole / "LOCK").string(), O_RDWR | O_CREAT);
  if (!lock) return std::unexpected<DataDirectoryFailure>(std::move(lock.error()));
  while (::flock(lock->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::unexpected<DataDirectoryFailure>(
          DirectoryInUse{"the directory " + whole.string() + " is in use by another process"});
    }
    if (errno != EINTR) return failed("cannot lock " + whole.string(), errno);
  }
  return DataDirectory(whole.string(), *std::move(lock));
}

std::string DataDirectory::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

Result<void> DataDirectory::write_file_durably(std::string_view name, ByteView bytes) const {
  const std::string temporary = std::string(name) + ".tmp";
  {
    const Result<File> file = File::open(path_of(temporary), O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return std::unexpected(file.error());
    if (Result<void> written = file->write_at(0, bytes); !written) return written;
    if (Result<void> synced = file->sync(); !synced) return synced;
  }
  return rename_file(temporary, name);
}

Result<std::optional<Bytes>> DataDirectory::read_file(std::string_view name) const {
  const Result<std::optional<File>> file = File::open_if_exists(path_of(name), O_RDONLY);
  if (!file) return std::unexpected(file.error());
  if (!*file) return std::nullopt;
  Result<Bytes> bytes = (*file)->read();
  if (!bytes) return std::unexpected(bytes.error());
  return *std::move(bytes);
}

Result<void> DataDirectory::remove_file(std::string_view name) const {
  if (::unlink(path_of(name).c_str()) != 0) {
    if (errno == ENOENT) return {};
    return std::unexpected(system_error("cannot remove " + path_of(name), errno));
  }
  return sync_directory(path_);
}

Result<void> DataDirectory::rename_file(std::string_view from, std::string_view to) const {
  if (std::rename(path_of(from).c_str(), path_of(to).c_str()) != 0) {
    return std::unexpected(system_error("cannot rename " + path_of(from), errno));
  }
  return sync_directory(path_);
}

}  // namespace anchor::io
