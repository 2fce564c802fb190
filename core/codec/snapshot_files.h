#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace anchor::codec {

// The files of {dir}/snapshots/, and what the protocol needs to do with them. What was appended is
// durable once the file was synced; what was created, renamed or removed, once the directory was.
// An error is the disk's, and final: the process must end. For one thread; others may work on other
// files of the directory through objects of their own.
class SnapshotFiles {
 public:
  virtual ~SnapshotFiles() = default;

  // The files' names, ascending.
  virtual Result<std::vector<std::string>> list() = 0;
  virtual Result<std::uint64_t> size_bytes(std::string_view name) = 0;
  // Fewer than `max_bytes`: the file ends there.
  virtual Result<Bytes> read(std::string_view name, std::uint64_t offset,
                             std::size_t max_bytes) = 0;

  // An empty file, whether or not there was one.
  virtual Result<void> create(std::string_view name) = 0;
  // Requires: created by this object, and neither renamed nor removed since.
  virtual Result<void> append(std::string_view name, ByteView bytes) = 0;
  virtual Result<void> sync(std::string_view name) = 0;

  // Replaces a file `to`, at once.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  // Requires: there is such a file.
  virtual Result<void> remove(std::string_view name) = 0;
  virtual Result<void> sync_directory() = 0;
};

}  // namespace anchor::codec
