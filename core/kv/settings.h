#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anchor::kv {

// What apply consults beside the keys. It is replicated: were it a node's own, replicas would
// diverge.
struct Settings {
  // The history has no more than so many revisions, and keys and values of so many bytes.
  std::uint64_t history_revisions = 100'000;
  std::uint64_t history_bytes = 64 << 20;
  // Keys and values, with what each takes up beside them: above it nothing grows.
  std::uint64_t quota_bytes = std::uint64_t{8} << 30;
  // For so long a session is kept that nobody uses; and no more of them are open.
  std::uint64_t session_ttl_ms = 600'000;
  std::uint64_t session_count = 10'000;
  // So many leases are there at most.
  std::uint64_t lease_count = 1'000'000;
  // Which kinds of commands may be proposed: every member knows those of this level.
  std::uint64_t feature_level = 1;

  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Setting {
  std::string_view name;
  std::uint64_t Settings::* value;
  std::uint64_t least;
  std::uint64_t most;
};

// The newest level that this version knows.
inline constexpr std::uint64_t kFeatureLevel = 1;

// All of them, in the order that they are shown and stored in.
inline constexpr auto kSettings = std::to_array<Setting>({
    {"history_revisions", &Settings::history_revisions, 0, 10'000'000},
    {"history_bytes", &Settings::history_bytes, 0, std::uint64_t{64} << 30},
    {"quota_bytes", &Settings::quota_bytes, 4096, std::uint64_t{1} << 44},
    {"session_ttl_ms", &Settings::session_ttl_ms, 1'000, 86'400'000},
    {"session_count", &Settings::session_count, 1, 100'000},
    {"lease_count", &Settings::lease_count, 1, 10'000'000},
    {"feature_level", &Settings::feature_level, 1, kFeatureLevel},
});

struct SettingValue {
  std::string name;
  std::uint64_t value = 0;

  friend bool operator==(const SettingValue&, const SettingValue&) = default;
};

// False: one of them is none, is given twice, or has a value that it cannot have. Then nothing is
// changed.
bool change(Settings& settings, const std::vector<SettingValue>& values);

std::uint64_t hash_settings(const Settings& settings);

}  // namespace anchor::kv
