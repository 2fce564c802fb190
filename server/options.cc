#include "server/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <limits>

#include "core/base/text.h"
#include "io/host_port.h"
#include "server/options_file.h"
#include "server/server_name.h"
#include "server/version.h"

namespace anchor::server {
namespace {

using Apply = Result<void> (*)(Options&, std::string_view);

struct Setting {
  const char* name;
  const char* placeholder;
  const char* help;
  Apply apply;
};

Result<void> set_port(std::uint16_t& port, std::string_view text) {
  const auto number = parse_number(text, 1, 65535);
  if (!number) return std::unexpected(number.error());
  port = static_cast<std::uint16_t>(*number);
  return {};
}

Result<void> set_duration(Duration& duration, std::string_view text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed < 1ms || *parsed > std::chrono::hours(1)) {
    return failure("'" + std::string(text) + "' is not between 1ms and 1h");
  }
  duration = *parsed;
  return {};
}

// A server that has promised its vote for so long waits as long at each of its starts.
Result<void> set_election_timeout(Options& options, std::string_view text) {
  auto set = set_duration(options.election_timeout, text);
  if (set && options.election_timeout > std::chrono::minutes(1)) {
    return failure("it must be at most 1m");
  }
  return set;
}

Result<void> set_max_clock_drift(Options& options, std::string_view text) {
  constexpr std::uint32_t kMost = 500'000;
  const auto ppm = parse_percent_ppm(text);
  if (!ppm) return std::unexpected(ppm.error());
  if (*ppm > kMost) return failure("it must be 0% to 50%");
  options.max_clock_drift_ppm = *ppm;
  return {};
}

Result<void> set_text(std::string& target, std::string_view text) {
  if (text.empty()) return failure("it is empty");
  target = text;
  return {};
}

Result<void> set_address(std::string& target, std::string_view text) {
  const auto parsed = io::parse_host_port(text);
  if (!parsed) return std::unexpected(parsed.error());
  target = text;
  return {};
}

// Where others are to connect to.
Result<void> set_advertised(std::string& target, std::string_view text) {
  if (auto sound = check_dialled_address(text); !sound) return sound;
  target = text;
  return {};
}

Result<void> set_id(Options& options, std::string_view text) {
  if (auto sound = check_server_id(text); !sound) return sound;
  options.id = text;
  options.id_given = true;
  return {};
}

Result<void> set_peers(Options& options, std::string_view text) {
  options.peers.clear();
  while (true) {
    const std::size_t comma = text.find(',');
    std::string peer;
    if (auto set = set_address(peer, text.substr(0, comma)); !set) return set;
    options.peers.push_back(std::move(peer));
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

Result<void> set_bootstrap_expect(Options& options, std::string_view text) {
  const auto number = parse_number(text, 1, 9);
  if (!number) return std::unexpected(number.error());
  options.bootstrap_expect = *number;
  return {};
}

template <typename Choice, std::size_t n>
Result<void> set_choice(Choice& target, std::string_view text,
                        const std::array<std::pair<std::string_view, Choice>, n>& choices) {
  std::string names;
  for (const auto& [name, choice] : choices) {
    if (name == text) {
      target = choice;
      return {};
    }
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return failure("'" + std::string(text) + "' is none of " + names);
}

Result<void> set_snapshot_bytes(Options& options, std::string_view text) {
  constexpr std::uint64_t kLeast = 64 << 10;
  constexpr std::uint64_t kMost = std::uint64_t{64} << 30;
  const auto size = parse_size(text);
  if (!size) return std::unexpected(size.error());
  if (*size < kLeast || *size > kMost) return failure("it must be 64KiB to 64GiB");
  options.snapshot_bytes = *size;
  return {};
}

Result<void> set_disk_reserve(Options& options, std::string_view text) {
  constexpr std::uint64_t kLeast = 1 << 20;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  const auto size = parse_size(text);
  if (!size) return std::unexpected(size.error());
  if (*size != 0 && (*size < kLeast || *size > kMost)) {
    return failure("it must be 0 or 1MiB to 1TiB");
  }
  options.disk_reserve_bytes = *size;
  return {};
}

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

Result<std::uint64_t> parse_milliseconds(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return std::unexpected(duration.error());
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count());
}

// One of the replicated settings (core/kv/settings.h), within its bounds.
Result<void> set_first(Options& options, std::string_view name,
                       const Result<std::uint64_t>& value) {
  if (!value) return std::unexpected(value.error());
  const auto* setting = std::ranges::find(kv::kSettings, name, &kv::Setting::name);
  if (*value < setting->least || *value > setting->most) {
    return failure("it must be from " + std::to_string(setting->least) + " to " +
                   std::to_string(setting->most));
  }
  std::erase_if(options.first_settings, [&](const auto& each) { return each.name == name; });
  options.first_settings.push_back({std::string(name), *value});
  return {};
}

Result<void> set_log_level(Options& options, std::string_view text) {
  return set_choice(
      options.log_level, text,
      std::array<std::pair<std::string_view, LogLevel>, 4>{{{"debug", LogLevel::kDebug},
                                                            {"info", LogLevel::kInfo},
                                                            {"warn", LogLevel::kWarn},
                                                            {"error", LogLevel::kError}}});
}

Result<void> set_log_format(Options& options, std::string_view text) {
  return set_choice(
      options.log_format, text,
      std::array<std::pair<std::string_view, LogFormat>, 3>{{{"auto", LogFormat::kAuto},
                                                             {"logfmt", LogFormat::kLogfmt},
                                                             {"json", LogFormat::kJson}}});
}

// Everything that can be set: as a flag, in the environment and in a file under the same name.
const std::array kSettings = std::to_array<Setting>({
    {"id", "NAME", "this server's id; it never changes (default: the host's name)", set_id},
    {"port", "PORT", "the port for other servers (default 9001)",
     [](Options& o, std::string_view text) { return set_port(o.port, text); }},
    {"listen", "HOST", "the address to listen on (default 127.0.0.1)",
     [](Options& o, std::string_view text) { return set_text(o.listen, text); }},
    {"advertise", "HOST:PORT", "where other servers reach this one (default: listen and port)",
     [](Options& o, std::string_view text) { return set_advertised(o.advertise, text); }},
    {"http-port", "PORT", "the port for HTTP clients (default: port + 1000)",
     [](Options& o, std::string_view text) { return set_port(o.http_port, text); }},
    {"http-listen", "HOST", "the address to listen on for HTTP (default: as --listen)",
     [](Options& o, std::string_view text) { return set_text(o.http_listen, text); }},
    {"http-advertise", "HOST:PORT",
     "where clients reach this server (default: the advertised host)",
     [](Options& o, std::string_view text) { return set_advertised(o.http_advertise, text); }},
    {"dir", "DIR", "the data directory (default ./data/<id>)",
     [](Options& o, std::string_view text) { return set_text(o.dir, text); }},
    {"peers", "HOST:PORT,...", "servers to join, or to found a cluster with", set_peers},
    {"bootstrap-expect", "N", "found a cluster as soon as N empty servers see each other",
     set_bootstrap_expect},
    {"election-timeout", "DURATION", "how long to wait for a leader, at least (default 300ms)",
     set_election_timeout},
    {"heartbeat-interval", "DURATION", "how often a leader is heard, at least (default 50ms)",
     [](Options& o, std::string_view text) { return set_duration(o.heartbeat_interval, text); }},
    {"max-clock-drift", "PERCENT",
     "how much faster or slower than time any server's clock runs at most; lease reads depend on "
     "it "
     "(default 1%)",
     set_max_clock_drift},
    {"snapshot-bytes", "SIZE", "take a snapshot after so much of log (default 64MiB)",
     set_snapshot_bytes},
    {"disk-reserve", "SIZE",
     "keep so much of the disk for deletes and snapshots; with little more than that free on a "
     "quorum's disks, writes that grow are refused (default 256MiB; 0: never)",
     set_disk_reserve},
    {"digest-interval", "DURATION",
     "how often the members compare the digests of their states, if these have changed (default "
     "10s)",
     [](Options& o, std::string_view text) { return set_duration(o.digest_interval, text); }},
    {"scrub-interval", "DURATION",
     "how often the state in memory is held against its digest (default 10m)",
     [](Options& o, std::string_view text) { return set_duration(o.scrub_interval, text); }},
    {"history-revisions", "N",
     "founders only: how many revisions of the past the cluster keeps (default 100000); this and "
     "the next four seed what PUT /settings changes later",
     [](Options& o, std::string_view text) {
       return set_first(o, "history_revisions", parse_number(text, 0, kAnyNumber));
     }},
    {"history-bytes", "SIZE", "founders only: of so many bytes (default 64MiB)",
     [](Options& o, std::string_view text) {
       return set_first(o, "history_bytes", parse_size(text));
     }},
    {"quota-bytes", "SIZE", "founders only: how large the store may grow (default 8GiB)",
     [](Options& o, std::string_view text) {
       return set_first(o, "quota_bytes", parse_size(text));
     }},
    {"session-ttl", "DURATION",
     "founders only: how long a session is kept that nobody uses (default 10m)",
     [](Options& o, std::string_view text) {
       return set_first(o, "session_ttl_ms", parse_milliseconds(text));
     }},
    {"session-count", "N", "founders only: how many sessions may be open (default 10000)",
     [](Options& o, std::string_view text) {
       return set_first(o, "session_count", parse_number(text, 0, kAnyNumber));
     }},
    {"log-level", "LEVEL", "debug, info, warn or error (default info)", set_log_level},
    {"log-format", "FORMAT", "auto (logfmt on a terminal, else JSON), logfmt or json",
     set_log_format},
});

bool is_option(std::string_view name) {
  return std::ranges::any_of(kSettings, [&](const Setting& each) { return each.name == name; });
}

std::string environment_name(std::string_view name) {
  std::string result = "ANCHOR_";
  for (const char c : name) {
    result += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return result;
}

Exit usage_error(const std::string& message) {
  return {2, "anchor: " + message + "\nTry 'anchor --help'.\n"};
}

// What is advertised is stored with the cluster, and dialled from elsewhere.
Result<void> complete_addresses(Options& options) {
  const bool http_as_peers = options.http_listen.empty() || options.http_listen == options.listen;
  if (options.http_listen.empty()) options.http_listen = options.listen;
  if (options.http_advertise.empty() && !http_as_peers && !io::is_wildcard(options.http_listen)) {
    options.http_advertise = io::to_text({options.http_listen, options.http_port});
  }
  const bool known_elsewhere = !options.advertise.empty();
  if (!known_elsewhere) {
    if (io::is_wildcard(options.listen)) {
      return failure("--listen is a wildcard: give --advertise HOST:PORT, where others connect to");
    }
    options.advertise = io::to_text({options.listen, options.port});
  }
  if (!options.http_advertise.empty()) return {};
  if (!http_as_peers && !known_elsewhere) {
    return failure(
        "--http-listen is a wildcard: give --http-advertise HOST:PORT, where clients connect to");
  }
  const auto advertised = io::parse_host_port(options.advertise);
  if (!advertised) return failure("--advertise: " + advertised.error().message);
  options.http_advertise = io::to_text({advertised->host, options.http_port});
  return {};
}

Result<void> complete(Options& options) {
  if (options.id.empty()) {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return failure("the host has no name");
    const auto set = set_id(options, name.data());
    options.id_given = false;
    if (!set) return failure("the host's name does not do as --id: " + set.error().message);
  }
  if (options.http_port == 0) {
    if (options.port > 65535 - 1000)
      return failure("--http-port: port + 1000 is no port; give one");
    options.http_port = static_cast<std::uint16_t>(options.port + 1000);
  }
  if (options.http_port == options.port) return failure("--http-port and --port are the same");
  if (auto completed = complete_addresses(options); !completed) return completed;
  if (options.dir.empty()) options.dir = "./data/" + options.id;
  if (options.heartbeat_interval * 3 >= options.election_timeout) {
    return failure("--heartbeat-interval: it must be below a third of --election-timeout");
  }
  if (options.bootstrap_expect && *options.bootstrap_expect > 1 && options.peers.empty()) {
    return failure("--bootstrap-expect: it needs --peers, the servers to found the cluster with");
  }
  return {};
}

}  // namespace

std::expected<Options, Exit> parse_options(const std::vector<std::string>& arguments,
                                           const Environment& environment) {
  CLI::App app("anchor: a distributed key-value store on Raft", "anchor");
  std::map<std::string, std::string> flags;
  for (const Setting& setting : kSettings) {
    app.add_option("--" + std::string(setting.name), flags[setting.name], setting.help)
        ->type_name(setting.placeholder);
  }
  std::string config_path;
  app.add_option("--config", config_path, "a TOML file whose keys are the flags' names")
      ->type_name("FILE");
  bool version = false;
  app.add_flag("--version", version, "print the version and what is linked in");

  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Exit{0, app.help()});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(error.what()));
  }
  if (version) return std::unexpected(Exit{0, version_text()});

  GivenOptions file;
  const auto config_variable = environment.find("ANCHOR_CONFIG");
  const bool config_flag = app.count("--config") > 0;
  if (!config_flag && config_variable != environment.end()) config_path = config_variable->second;
  if (config_flag || config_variable != environment.end()) {
    auto read = read_options_file(config_path, is_option);
    if (!read) return std::unexpected(usage_error(read.error().message));
    file = std::move(*read);
  }

  Options options;
  for (const Setting& setting : kSettings) {
    const std::string variable = environment_name(setting.name);
    const auto from_file = file.find(std::string_view(setting.name));
    const auto from_environment = environment.find(variable);
    std::string source = config_path + ": " + setting.name;
    std::optional<std::string_view> text;
    if (from_file != file.end()) text = from_file->second;
    if (from_environment != environment.end()) {
      text = from_environment->second;
      source = variable;
    }
    if (app.count("--" + std::string(setting.name)) > 0) {
      text = flags[setting.name];
      source = "--" + std::string(setting.name);
    }
    if (!text) continue;
    const auto applied = setting.apply(options, *text);
    if (!applied) return std::unexpected(usage_error(source + ": " + applied.error().message));
  }
  if (const auto completed = complete(options); !completed) {
    return std::unexpected(usage_error(completed.error().message));
  }
  return options;
}

}  // namespace anchor::server
