#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/codec/snapshot_codec.h"
#include "core/codec/snapshot_save.h"
#include "core/kv/store.h"
#include "core/raft/configuration.h"

// Snapshots for tests to begin with.
namespace anchor::codec {

inline constexpr raft::ClusterId kClusterId{7};

inline SnapshotMeta meta_at(std::uint64_t index, std::uint64_t term,
                            raft::ClusterId cluster_id = kClusterId) {
  return {.cluster_id = cluster_id,
          .position = {.index = raft::Index(index), .term = raft::Term(term)},
          .configuration_index = raft::Index(1),
          .configuration = std::make_shared<const raft::Configuration>(raft::founding_configuration(
              {{raft::ServerId("n1"), raft::Incarnation(0), "a:1", "a:2"},
               {raft::ServerId("n2"), raft::Incarnation(4), "b:1", "b:2"}}))};
}

inline kv::Put put_of(std::string key, std::string_view value) {
  return {.key = std::move(key), .value = Bytes::copy_of(value), .condition = kv::Always{}};
}

// Keys from "a" on. A value of 64 KiB fills a block.
inline kv::Store store_of(std::size_t key_count, std::size_t value_bytes = 5,
                          char first_key = 'a') {
  kv::Store store;
  for (std::size_t i = 0; i < key_count; ++i) {
    const char letter = static_cast<char>(static_cast<std::size_t>(first_key) + i);
    store.apply(put_of(std::string(1, letter), std::string(value_bytes, letter)));
  }
  return store;
}

inline std::vector<Bytes> frames_of(const SnapshotMeta& meta, const kv::Store& store) {
  std::vector<Bytes> frames;
  SnapshotWriter writer(meta, store);
  while (auto frame = writer.next()) frames.push_back(*std::move(frame));
  return frames;
}

inline Bytes joined(const std::vector<Bytes>& frames) {
  std::string all;
  for (const Bytes& frame : frames) all += frame.text();
  return Bytes::copy_of(all);
}

inline Bytes file_of(const SnapshotMeta& meta, const kv::Store& store) {
  return joined(frames_of(meta, store));
}

inline Result<Snapshot> read_file(const Bytes& file) {
  SnapshotReader reader;
  if (const auto taken = reader.take(file.view()); !taken) return std::unexpected(taken.error());
  return reader.finish();
}

// Saves all of it. Requires: the disk does not fail.
inline SnapshotFile save(SnapshotFiles& files, const SnapshotMeta& meta, const kv::Store& store) {
  SnapshotSave save(files, meta, store);
  while (true) {
    const auto step = save.step();
    ANCHOR_ASSERT(step.has_value(), step.error().message);
    if (*step) return **step;
  }
}

}  // namespace anchor::codec
