#include "core/codec/snapshot_directory.h"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "core/base/text.h"

namespace anchor::codec {
namespace {

constexpr std::string_view kSuffix = ".snap";
constexpr std::string_view kUnfinishedSuffix = ".new";
constexpr std::size_t kPieceBytes = 256 << 10;

using Positions = std::vector<raft::LogPosition>;

bool is_unfinished(std::string_view name) {
  if (name == kReceivedPart) return true;
  if (!name.ends_with(kUnfinishedSuffix)) return false;
  name.remove_suffix(kUnfinishedSuffix.size());
  return parse_snapshot_name(name).has_value();
}

Positions snapshots_among(const std::vector<std::string>& names) {
  Positions positions;
  for (const std::string& name : names) {
    if (const auto position = parse_snapshot_name(name)) positions.push_back(*position);
  }
  return positions;
}

Result<void> remove_unfinished(SnapshotFiles& files, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!is_unfinished(name)) continue;
    if (Result<void> removed = files.remove(name); !removed) return removed;
  }
  // Even if nothing was removed: a process that was killed may have renamed a snapshot and not
  // lived to sync the directory. To believe in that and cut the log, and then to lose power, would
  // lose both.
  return files.sync_directory();
}

Result<CheckedSnapshot> check_whole(SnapshotFiles& files, raft::ClusterId cluster_id,
                                    raft::LogPosition position) {
  SnapshotCheck check(files, snapshot_name(position), cluster_id, position);
  while (true) {
    Result<std::optional<CheckedSnapshot>> checked = check.step();
    if (!checked) return std::unexpected(checked.error());
    if (*checked) return **std::move(checked);
  }
}

// By its end alone.
Result<std::variant<SnapshotFile, DamagedSnapshot>> identify(SnapshotFiles& files,
                                                             raft::ClusterId cluster_id,
                                                             raft::LogPosition position) {
  const std::string name = snapshot_name(position);
  const Result<std::uint64_t> size = files.size_bytes(name);
  if (!size) return std::unexpected(size.error());
  if (*size < kSnapshotFooterBytes) return DamagedSnapshot{name, "it is cut short"};
  const Result<Bytes> footer = files.read(name, *size - kSnapshotFooterBytes, kSnapshotFooterBytes);
  if (!footer) return std::unexpected(footer.error());
  Result<SnapshotFile> file = read_snapshot_footer(cluster_id, position, *size, *footer);
  if (!file) return DamagedSnapshot{name, std::move(file.error().message)};
  return *file;
}

}  // namespace

// --- Names --------------------------------------------------------------------------------------

std::string snapshot_name(raft::LogPosition position) {
  return std::to_string(position.index.value()) + "-" + std::to_string(position.term.value()) +
         std::string(kSuffix);
}

std::string unfinished_snapshot_name(raft::LogPosition position) {
  return snapshot_name(position) + std::string(kUnfinishedSuffix);
}

std::optional<raft::LogPosition> parse_snapshot_name(std::string_view name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view numbers = name.substr(0, name.size() - kSuffix.size());
  const auto index = parse_number(numbers.substr(0, dash));
  const auto term = parse_number(numbers.substr(std::min(dash + 1, numbers.size())));
  if (!index || !term) return std::nullopt;
  const raft::LogPosition position{raft::Index(*index), raft::Term(*term)};
  // Without zeros in front: one position has one name.
  if (snapshot_name(position) != name) return std::nullopt;
  return position;
}

// --- Reading ------------------------------------------------------------------------------------

SnapshotCheck::SnapshotCheck(SnapshotFiles& files, std::string name, raft::ClusterId cluster_id,
                             raft::LogPosition position)
    : files_(files), name_(std::move(name)), cluster_id_(cluster_id), position_(position) {}

Result<std::optional<CheckedSnapshot>> SnapshotCheck::step() {
  const Result<Bytes> piece = files_.read(name_, offset_, kPieceBytes);
  if (!piece) return std::unexpected(piece.error());
  offset_ += piece->size();
  Result<void> taken = reader_.take(piece->view());
  if (!taken) return damaged(std::move(taken.error().message));
  if (piece->size() == kPieceBytes) return std::nullopt;
  return finish();
}

CheckedSnapshot SnapshotCheck::finish() {
  Result<Snapshot> snapshot = reader_.finish();
  if (!snapshot) return damaged(std::move(snapshot.error().message));
  if (snapshot->meta.cluster_id != cluster_id_) return damaged("it is of another cluster");
  if (snapshot->meta.position != position_) return damaged("it is of another position");
  return *std::move(snapshot);
}

Result<std::optional<Bytes>> read_snapshot(SnapshotFiles& files, raft::LogPosition position,
                                           std::uint64_t offset, std::size_t max_bytes) {
  const std::string name = snapshot_name(position);
  Result<Bytes> piece = files.read(name, offset, max_bytes);
  if (piece) return *std::move(piece);
  const auto names = files.list();
  if (names && std::ranges::find(*names, name) == names->end()) return std::nullopt;
  return std::unexpected(piece.error());
}

Result<RecoveredSnapshots> recover_snapshots(SnapshotFiles& files, raft::ClusterId cluster_id) {
  const auto names = files.list();
  if (!names) return std::unexpected(names.error());
  if (const Result<void> removed = remove_unfinished(files, *names); !removed) {
    return std::unexpected(removed.error());
  }
  Positions positions = snapshots_among(*names);
  std::ranges::sort(positions, std::greater(), [](const raft::LogPosition& position) {
    return std::tuple(position.index, position.term);
  });
  RecoveredSnapshots recovered;
  for (const raft::LogPosition& position : positions) {
    if (!recovered.newest) {
      Result<CheckedSnapshot> checked = check_whole(files, cluster_id, position);
      if (!checked) return std::unexpected(checked.error());
      if (auto* snapshot = std::get_if<Snapshot>(&*checked)) {
        recovered.files.push_back(snapshot->file);
        recovered.newest = std::move(*snapshot);
      } else {
        recovered.damaged.push_back(std::get<DamagedSnapshot>(*std::move(checked)));
      }
      continue;
    }
    auto identified = identify(files, cluster_id, position);
    if (!identified) return std::unexpected(identified.error());
    if (const auto* file = std::get_if<SnapshotFile>(&*identified)) {
      recovered.files.push_back(*file);
    } else {
      recovered.damaged.push_back(std::get<DamagedSnapshot>(*std::move(identified)));
    }
  }
  return recovered;
}

// --- Pruning ------------------------------------------------------------------------------------

Result<void> prune_snapshots(SnapshotFiles& files, std::span<const raft::LogPosition> keep) {
  const auto names = files.list();
  if (!names) return std::unexpected(names.error());
  raft::Index newest;
  for (const raft::LogPosition& position : keep) newest = std::max(newest, position.index);
  bool removed_any = false;
  for (const raft::LogPosition& position : snapshots_among(*names)) {
    if (position.index > newest || std::ranges::find(keep, position) != keep.end()) continue;
    if (Result<void> removed = files.remove(snapshot_name(position)); !removed) return removed;
    removed_any = true;
  }
  if (!removed_any) return {};
  return files.sync_directory();
}

}  // namespace anchor::codec
