#include "core/codec/snapshot_save.h"

#include <utility>

#include "core/base/bytes.h"
#include "core/codec/snapshot_directory.h"

namespace anchor::codec {
namespace {

// Synced in small parts: a large one would hold up the log's commits, which wait for the same disk.
constexpr std::uint64_t kSyncBytes = 512 << 10;

}  // namespace

SnapshotSave::SnapshotSave(SnapshotFiles& files, SnapshotMeta meta, kv::Store store)
    : files_(files),
      name_(snapshot_name(meta.position)),
      unfinished_name_(unfinished_snapshot_name(meta.position)),
      writer_(std::move(meta), std::move(store)) {}

Result<std::optional<SnapshotFile>> SnapshotSave::step() {
  Result<void> done;
  switch (stage_) {
    case Stage::kCreate:
      done = files_.create(unfinished_name_);
      stage_ = Stage::kWrite;
      break;
    case Stage::kWrite:
      done = write();
      break;
    case Stage::kSync:
      done = files_.sync(unfinished_name_);
      stage_ = Stage::kRename;
      break;
    case Stage::kRename:
      done = files_.rename(unfinished_name_, name_);
      stage_ = Stage::kSyncDirectory;
      break;
    case Stage::kSyncDirectory:
      done = files_.sync_directory();
      if (done) return writer_.file();
      break;
  }
  if (!done) return std::unexpected(done.error());
  return std::nullopt;
}

Result<void> SnapshotSave::write() {
  if (unsynced_bytes_ >= kSyncBytes) {
    unsynced_bytes_ = 0;
    return files_.sync(unfinished_name_);
  }
  const std::optional<Bytes> frame = writer_.next();
  if (!frame) {
    stage_ = Stage::kSync;
    return {};
  }
  unsynced_bytes_ += frame->size();
  return files_.append(unfinished_name_, frame->view());
}

}  // namespace anchor::codec
