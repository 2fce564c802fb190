#include "io/snapshot_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

constexpr mode_t kDirectoryMode = 0750;

}  // namespace

Result<SnapshotFiles> SnapshotFiles::open(const std::string& data_directory) {
  const std::string path = data_directory + "/snapshots";
  if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return std::unexpected(system_error("cannot create the directory " + path, errno));
  }
  // Also if it was there: who made it may not have lived to sync it.
  if (const Result<void> synced = io::sync_directory(data_directory); !synced) {
    return std::unexpected(synced.error());
  }
  return SnapshotFiles(path);
}

Result<std::vector<std::string>> SnapshotFiles::list() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) names.push_back(at->path().filename().string());
  }
  if (error) return std::unexpected(system_error("cannot list " + path_, error.value()));
  std::ranges::sort(names);
  return names;
}

Result<std::uint64_t> SnapshotFiles::size_bytes(std::string_view name) {
  const Result<File> file = File::open(path_of(name), O_RDONLY);
  if (!file) return std::unexpected(file.error());
  return file->size_bytes();
}

Result<Bytes> SnapshotFiles::read(std::string_view name, std::uint64_t offset,
                                  std::size_t max_bytes) {
  const Result<File> file = File::open(path_of(name), O_RDONLY);
  if (!file) return std::unexpected(file.error());
  Buffer buffer(max_bytes);
  const Result<std::size_t> size = file->read_at(offset, buffer.span());
  if (!size) return std::unexpected(size.error());
  return std::move(buffer).freeze(*size);
}

Result<void> SnapshotFiles::create(std::string_view name) {
  close(name);
  Result<File> file = File::open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return std::unexpected(file.error());
  written_.emplace(name, Written{.file = *std::move(file)});
  return {};
}

Result<void> SnapshotFiles::append(std::string_view name, ByteView bytes) {
  Written& to = written(name);
  if (Result<void> done = to.file.write_at(to.size_bytes, bytes); !done) return done;
  to.size_bytes += bytes.size();
  return {};
}

Result<void> SnapshotFiles::sync(std::string_view name) {
  return written(name).file.sync();
}

Result<void> SnapshotFiles::rename(std::string_view from, std::string_view to) {
  if (std::rename(path_of(from).c_str(), path_of(to).c_str()) != 0) {
    return std::unexpected(system_error("cannot rename " + path_of(from), errno));
  }
  close(from);
  return {};
}

Result<void> SnapshotFiles::remove(std::string_view name) {
  if (::unlink(path_of(name).c_str()) != 0) {
    return std::unexpected(system_error("cannot remove " + path_of(name), errno));
  }
  close(name);
  return {};
}

Result<void> SnapshotFiles::sync_directory() {
  return io::sync_directory(path_);
}

std::string SnapshotFiles::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

SnapshotFiles::Written& SnapshotFiles::written(std::string_view name) {
  const auto found = written_.find(name);
  ANCHOR_ASSERT(found != written_.end(), name);
  return found->second;
}

void SnapshotFiles::close(std::string_view name) {
  const auto found = written_.find(name);
  if (found != written_.end()) written_.erase(found);
}

}  // namespace anchor::io
