#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "io/file.h"

namespace anchor::io {

// The operator's slips, where an Error is the disk's failure. Another process holds the directory:
struct DirectoryInUse {
  std::string message;
};
// The path does not do for a directory of this process.
struct UnusablePath {
  std::string message;
};
using DataDirectoryFailure = std::variant<DirectoryInUse, UnusablePath, Error>;

// A server's directory, held for one process at a time for as long as this object lives.
class DataDirectory {
 public:
  // Creates what is missing of the path, durably.
  static std::expected<DataDirectory, DataDirectoryFailure> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const;

  // After a crash at any moment the file is whole: as it was before, or with these contents. When
  // this returns without an error it is the latter.
  Result<void> write_file_durably(std::string_view name, ByteView bytes) const;
  // None: there is no such file.
  Result<std::optional<Bytes>> read_file(std::string_view name) const;
  // Durably. No error if there is no such file.
  Result<void> remove_file(std::string_view name) const;
  // The file `from`, durable already, becomes `to`, durably and at once.
  Result<void> rename_file(std::string_view from, std::string_view to) const;

 private:
  DataDirectory(std::string path, File lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  File lock_;  // closing it gives the lock up
};

}  // namespace anchor::io
