#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/snapshot_files.h"
#include "io/file.h"

namespace anchor::io {

// The snapshot files of a server's directory. Errors name the path.
class SnapshotFiles final : public codec::SnapshotFiles {
 public:
  // Of `data_directory`/snapshots, which is made if it is missing, and is durable. Requires: the
  // caller holds the data directory.
  static Result<SnapshotFiles> open(const std::string& data_directory);

  // Another one for it, with no file open.
  SnapshotFiles of_the_same_directory() const { return SnapshotFiles(path_); }

  Result<std::vector<std::string>> list() override;
  Result<std::uint64_t> size_bytes(std::string_view name) override;
  Result<Bytes> read(std::string_view name, std::uint64_t offset, std::size_t max_bytes) override;
  Result<void> create(std::string_view name) override;
  Result<void> append(std::string_view name, ByteView bytes) override;
  Result<void> sync(std::string_view name) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view name) override;
  Result<void> sync_directory() override;

 private:
  // A file that is being written, kept open: a sync reports what went wrong with its pages since it
  // was opened.
  struct Written {
    File file;
    std::uint64_t size_bytes = 0;
  };

  explicit SnapshotFiles(std::string path) : path_(std::move(path)) {}

  std::string path_of(std::string_view name) const;
  Written& written(std::string_view name);
  void close(std::string_view name);

  std::string path_;
  std::map<std::string, Written, std::less<>> written_;
};

}  // namespace anchor::io
