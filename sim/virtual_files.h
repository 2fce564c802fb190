#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/codec/snapshot_files.h"

namespace anchor::sim {

// A node's snapshot files on a virtual disk that promises what POSIX does and nothing more. A sync
// of a file makes its contents durable, a sync of the directory its names. To kill the process does
// no harm; when power is lost, any part of what was not synced may be gone.
class VirtualFiles final : public codec::SnapshotFiles {
 public:
  Result<std::vector<std::string>> list() override;
  Result<std::uint64_t> size_bytes(std::string_view name) override;
  Result<Bytes> read(std::string_view name, std::uint64_t offset, std::size_t max_bytes) override;
  Result<void> create(std::string_view name) override;
  Result<void> append(std::string_view name, ByteView bytes) override;
  Result<void> sync(std::string_view name) override;
  Result<void> rename(std::string_view from, std::string_view to) override;
  Result<void> remove(std::string_view name) override;
  Result<void> sync_directory() override;

  // Draws from [0, bound).
  using Choose = std::function<std::uint64_t(std::uint64_t bound)>;

  // Power is lost. Each sector that was not synced is as it was or as it was to be, each change of
  // the directory took place or did not.
  void crash(const Choose& choose);

  // The bit rots. Requires: the file is there, all of it is synced, and it has such a bit.
  void flip_bit(std::string_view name, std::uint64_t bit);

  // Of the operations that are to come, this many succeed; all others fail.
  void fail_after(std::uint64_t operations) { left_until_failure_ = operations; }

 private:
  struct File {
    std::string contents;
    std::string synced;
  };
  // Whatever its names are.
  using FileRef = std::shared_ptr<File>;
  using Names = std::map<std::string, FileRef, std::less<>>;
  // Of the directory, at once. A name is empty if there is none.
  struct Change {
    std::string removed;
    std::string added;
    FileRef file;
  };

  Result<void> begin();
  Result<FileRef> find(std::string_view name);
  void change(Change change);
  static void carry_out(const Change& change, Names& names);
  static void tear(File& file, const Choose& choose);

  Names names_;
  Names synced_names_;
  // What names_ has and synced_names_ has not, in order.
  std::vector<Change> unsynced_changes_;
  std::optional<std::uint64_t> left_until_failure_;
};

}  // namespace anchor::sim
