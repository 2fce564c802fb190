#include "sim/virtual_files.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace anchor::sim {
namespace {

// What a disk writes at once.
constexpr std::size_t kSectorBytes = 512;

// The sector that begins at `offset`, zero from the text's end on.
std::string sector_of(std::string_view text, std::size_t offset, std::size_t size) {
  std::string sector(text.substr(std::min(offset, text.size()), size));
  sector.resize(size, '\0');
  return sector;
}

}  // namespace

// --- Operations ---------------------------------------------------------------------------------

Result<void> VirtualFiles::begin() {
  if (!left_until_failure_) return {};
  if (*left_until_failure_ == 0) return failure("the virtual disk has failed");
  --*left_until_failure_;
  return {};
}

Result<VirtualFiles::FileRef> VirtualFiles::find(std::string_view name) {
  if (const Result<void> begun = begin(); !begun) return std::unexpected(begun.error());
  const auto found = names_.find(name);
  if (found == names_.end()) return failure("there is no virtual file " + std::string(name));
  return found->second;
}

Result<std::vector<std::string>> VirtualFiles::list() {
  if (const Result<void> begun = begin(); !begun) return std::unexpected(begun.error());
  std::vector<std::string> names;
  for (const auto& [name, file] : names_) names.push_back(name);
  return names;
}

Result<std::uint64_t> VirtualFiles::size_bytes(std::string_view name) {
  const Result<FileRef> file = find(name);
  if (!file) return std::unexpected(file.error());
  return (*file)->contents.size();
}

Result<Bytes> VirtualFiles::read(std::string_view name, std::uint64_t offset,
                                 std::size_t max_bytes) {
  const Result<FileRef> file = find(name);
  if (!file) return std::unexpected(file.error());
  const std::string_view contents = (*file)->contents;
  return Bytes::copy_of(
      contents.substr(std::min<std::uint64_t>(offset, contents.size()), max_bytes));
}

Result<void> VirtualFiles::create(std::string_view name) {
  if (Result<void> begun = begin(); !begun) return begun;
  const auto found = names_.find(name);
  if (found != names_.end()) {
    found->second->contents.clear();
  } else {
    change({.removed = {}, .added = std::string(name), .file = std::make_shared<File>()});
  }
  return {};
}

Result<void> VirtualFiles::append(std::string_view name, ByteView bytes) {
  const Result<FileRef> file = find(name);
  if (!file) return std::unexpected(file.error());
  (*file)->contents += as_text(bytes);
  return {};
}

Result<void> VirtualFiles::sync(std::string_view name) {
  const Result<FileRef> file = find(name);
  if (!file) return std::unexpected(file.error());
  (*file)->synced = (*file)->contents;
  return {};
}

Result<void> VirtualFiles::rename(std::string_view from, std::string_view to) {
  const Result<FileRef> file = find(from);
  if (!file) return std::unexpected(file.error());
  change({.removed = std::string(from), .added = std::string(to), .file = *file});
  return {};
}

Result<void> VirtualFiles::remove(std::string_view name) {
  const Result<FileRef> file = find(name);
  if (!file) return std::unexpected(file.error());
  change({.removed = std::string(name), .added = {}, .file = {}});
  return {};
}

Result<void> VirtualFiles::sync_directory() {
  if (Result<void> begun = begin(); !begun) return begun;
  synced_names_ = names_;
  unsynced_changes_.clear();
  return {};
}

void VirtualFiles::change(Change change) {
  carry_out(change, names_);
  unsynced_changes_.push_back(std::move(change));
}

void VirtualFiles::carry_out(const Change& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.file;
}

// --- Faults -------------------------------------------------------------------------------------

void VirtualFiles::crash(const Choose& choose) {
  for (const Change& change : unsynced_changes_) {
    if (choose(2) == 1) carry_out(change, synced_names_);
  }
  unsynced_changes_.clear();
  names_ = synced_names_;
  for (const auto& [name, file] : names_) tear(*file, choose);
}

void VirtualFiles::tear(File& file, const Choose& choose) {
  const std::size_t low = std::min(file.contents.size(), file.synced.size());
  const std::size_t high = std::max(file.contents.size(), file.synced.size());
  const std::size_t size = low + choose(high - low + 1);
  std::string left;
  for (std::size_t offset = 0; offset < size; offset += kSectorBytes) {
    const std::size_t sector_bytes = std::min(kSectorBytes, size - offset);
    const std::string written = sector_of(file.contents, offset, sector_bytes);
    const std::string before = sector_of(file.synced, offset, sector_bytes);
    left += written == before || choose(2) == 1 ? written : before;
  }
  file.contents = left;
  file.synced = std::move(left);
}

void VirtualFiles::flip_bit(std::string_view name, std::uint64_t bit) {
  const auto found = names_.find(name);
  ANCHOR_ASSERT(found != names_.end());
  File& file = *found->second;
  ANCHOR_ASSERT(file.contents == file.synced && bit / 8 < file.synced.size());
  char& byte = file.contents[bit / 8];
  byte = static_cast<char>(byte ^ 1 << bit % 8);
  file.synced = file.contents;
}

}  // namespace anchor::sim
