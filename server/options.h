#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/kv/settings.h"

namespace anchor::server {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kAuto, kLogfmt, kJson };

// What `anchor` is told, by flag over environment over file over default.
struct Options {
  // The host's name by default; then the directory's own id counts, if it has one.
  std::string id;
  bool id_given = false;
  std::uint16_t port = 9001;
  std::string listen = "127.0.0.1";
  std::string advertise;  // host:port; default: listen:port

  std::uint16_t http_port = 0;  // default: port + 1000
  std::string http_listen;      // default: listen
  std::string http_advertise;   // default: the advertised host, http_port

  std::string dir;  // default: ./data/<id>
  std::vector<std::string> peers;
  std::optional<std::size_t> bootstrap_expect;

  Duration election_timeout = 300ms;
  Duration heartbeat_interval = 50ms;
  std::uint32_t max_clock_drift_ppm = 10'000;

  // After so many bytes of log a snapshot is taken.
  std::uint64_t snapshot_bytes = 64 << 20;
  // So often the members' states are compared, and each one's is held against its own digest.
  Duration digest_interval = 10s;
  Duration scrub_interval = std::chrono::minutes(10);

  // Of the disk's room so much is kept for deletes and snapshots.
  std::uint64_t disk_reserve_bytes = 256 << 20;

  // What a founder's flags say of the replicated settings.
  std::vector<kv::SettingValue> first_settings;

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;
};

// The process is to end with `code`, after `text` went to stdout (0) or stderr.
struct Exit {
  int code = 0;
  std::string text;
};

using Environment = std::map<std::string, std::string>;

// Parses a command line; reads the file that it names. Requires: arguments[0] is the program.
std::expected<Options, Exit> parse_options(const std::vector<std::string>& arguments,
                                           const Environment& environment);

}  // namespace anchor::server
