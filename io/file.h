#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace anchor::io {

// "what: reason", with the reason of `error_number` (an errno).
Error system_error(const std::string& what, int error_number);

// An open file or directory, and the few calls that durable storage is made of. Errors name the
// path.
class File {
 public:
  // `flags` as of open(2); O_CLOEXEC is added.
  static Result<File> open(const std::string& path, int flags);
  // None: there is no such file.
  static Result<std::optional<File>> open_if_exists(const std::string& path, int flags);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  int descriptor() const { return descriptor_; }

  Result<std::uint64_t> size_bytes() const;
  // The whole file.
  Result<Bytes> read() const;
  // Fills `target`, or as much of it as there is before the file's end; says how much.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> target) const;
  // All of `bytes`, or an error.
  Result<void> write_at(std::uint64_t offset, ByteView bytes) const;
  // Contents and size are durable. An error is final: the kernel may have marked the pages clean,
  // so that a second try would succeed without writing them.
  Result<void> sync() const;

 private:
  File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;  // -1: moved from
  std::string path_;
};

// Makes what was created, renamed or removed in a directory durable.
Result<void> sync_directory(const std::string& path);

}  // namespace anchor::io
