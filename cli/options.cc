#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

#include "cli/endpoint.h"
#include "cli/member_options.h"
#include "core/base/text.h"

namespace anchor::cli {
namespace {

constexpr std::size_t kMaxValueBytes = 1 << 20;
constexpr std::size_t kMaxClients = 100'000;
// Numbers in JSON are exact up to here.
constexpr std::uint64_t kLastRevision = (std::uint64_t{1} << 53) - 1;

constexpr const char* kFooter =
    "Exit codes: 0 ok; 1 failed; 2 usage; 3 not found; 4 condition failed; 5 no leader or "
    "quorum;\n"
    "6 unreachable, not applied; 7 outcome unknown; 9 unhealthy; 10 local file; 130 interrupted.\n"
    "Put -- before a key or a value that begins with '-'.";

// "0.25" to 250,000: as exact as it was written, to six places.
Result<std::uint32_t> parse_share(std::string_view text) {
  constexpr double kMillion = 1e6;
  double share = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, share);
  if (error == std::errc() && rest == end && share >= 0 && share <= 1) {
    return static_cast<std::uint32_t>(std::lround(share * kMillion));
  }
  return failure("'" + std::string(text) + "' is not a share from 0 to 1");
}

// The flags as they were written. CLI11 splits the command line; what the words mean is decided
// here, since it would take 010 for 8.
class Parser {
 public:
  explicit Parser(const Environment& environment) : environment_(environment) {
    app_.require_subcommand(1, 1);
    app_.footer(kFooter);
    app_.set_help_flag("-h,--help", "print this help");
    add_global_flags();
    add_get();
    add_put();
    add_delete();
    status_ = add_verb("status", "show every node of the cluster");
    members_.emplace(app_);
    add_bench();
    version_ = add_verb("version", "print the version and what is linked in");
  }

  std::expected<Invocation, NoCommand> parse(const std::vector<std::string>& arguments) {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
      return std::unexpected(NoCommand{ExitCode::kOk, app_.help()});
    } catch (const CLI::ParseError& error) {
      return std::unexpected(usage_error(unknown_verb().value_or(error.what())));
    }
    auto global = global_options();
    if (!global) return std::unexpected(usage_error(global.error().message));
    auto command = chosen_command();
    if (!command) return std::unexpected(usage_error(command.error().message));
    return Invocation{std::move(*global), std::move(*command)};
  }

 private:
  static NoCommand usage_error(const std::string& message) {
    return {ExitCode::kUsage,
            "anchorctl: " + message + "\nhint: 'anchorctl --help' shows the verbs and flags\n"};
  }

  // CLI11 says of a word that is no verb that there is none.
  std::optional<std::string> unknown_verb() const {
    if (!app_.get_subcommands().empty()) return std::nullopt;
    for (const std::string& word : app_.remaining()) {
      if (!word.starts_with('-')) return "unknown verb '" + word + "'";
    }
    return std::nullopt;
  }

  CLI::App* add_verb(const char* name, const char* help) {
    CLI::App* verb = app_.add_subcommand(name, help);
    verb->fallthrough();
    return verb;
  }

  static CLI::Option* add(CLI::App* verb, const char* name, std::string& text, const char* kind,
                          const char* help) {
    return verb->add_option(name, text, help)->type_name(kind);
  }

  void add_global_flags() {
    add(&app_, "--endpoints", endpoints_, "HOST:PORT,...",
        "the nodes to ask, in this order (ANCHOR_ENDPOINTS; default 127.0.0.1:8001)");
    add(&app_, "-o,--output", format_, "FORMAT", "table (default), json or raw");
    add(&app_, "--timeout", timeout_, "DURATION",
        "how long a request may take, with all it tries (default 5s)");
    app_.add_flag("--no-color", no_color_, "no colours, also on a terminal");
    app_.add_flag("-q,--quiet", quiet_, "no hints, notes or progress on standard error");
    app_.add_flag("--debug", debug_,
                  "tell every request and its answer on standard error (bench: every connection)");
  }

  void add_key(CLI::App* verb) { add(verb, "key", key_, "KEY", "the key")->required(); }

  void add_consistency(CLI::App* verb) {
    add(verb, "--consistency", consistency_, "LEVEL", "linearizable (default), lease or stale");
  }

  void add_write_flags(CLI::App* verb) {
    add(verb, "--if-rev", if_revision_, "REVISION", "only if this is the key's revision");
    verb->add_flag("--prev", previous_, "print what it replaces, too (raw: only that)");
  }

  void add_get() {
    get_ = add_verb("get", "print a key's value");
    add_key(get_);
    add_consistency(get_);
    add(get_, "--max-staleness", max_staleness_, "DURATION",
        "stale: how old the data may be; if it is older, the leader is asked");
    add(get_, "--min-revision", min_revision_, "REVISION", "no older state than this revision's");
  }

  void add_put() {
    put_ = add_verb("put", "set a key's value and print the revision");
    add_key(put_);
    CLI::Option* value =
        add(put_, "value", value_, "VALUE|-", "the value; - or none: read it from standard input");
    add(put_, "--file", file_, "FILE", "read the value from a file")->excludes(value);
    add_write_flags(put_);
    put_->add_flag("--if-absent", if_absent_, "only if there is no such key")
        ->excludes(put_->get_option("--if-rev"));
  }

  void add_delete() {
    delete_ = add_verb("del", "delete a key and print the revision");
    add_key(delete_);
    add_write_flags(delete_);
  }

  void add_bench() {
    bench_ = add_verb("bench", "measure puts, gets, a mix of them, transactions or lists");
    add(bench_, "mode", mode_, "put|get|mixed|txn|list",
        "what to measure; txn compares one key and puts two, list reads 1000 keys")
        ->required();
    add(bench_, "--clients", clients_, "N", "requests in flight (default 64)");
    add(bench_, "--connections", connections_, "N",
        "connections; with fewer than clients these are pipelined (default: as many)");
    add(bench_, "--rate", rate_, "N",
        "requests a second, due at their times whether or not others are answered, with up to "
        "--clients in flight (default: each client sends when it has its answer)");
    add(bench_, "--value-bytes", value_bytes_, "N", "size of a value (default 256)");
    add(bench_, "--keys", keys_, "N", "keys to draw from, uniformly (default 10000)");
    add(bench_, "--duration", duration_, "DURATION", "how long to measure (default 10s)");
    add(bench_, "--warmup", warmup_, "DURATION", "how long to run before that (default 2s)");
    add(bench_, "--ratio", ratio_, "SHARE", "the share of reads of mixed, 0 to 1 (default 0.5)");
    add_consistency(bench_);
  }

  Result<GlobalOptions> global_options() const {
    GlobalOptions global{.no_color = no_color_, .quiet = quiet_, .debug = debug_};
    std::string list = "127.0.0.1:8001";
    std::string source = "--endpoints";
    if (app_.count("--endpoints") > 0) {
      list = endpoints_;
    } else if (const auto found = environment_.find("ANCHOR_ENDPOINTS");
               found != environment_.end()) {
      list = found->second;
      source = found->first;
    }
    auto endpoints = parse_endpoints(list);
    if (!endpoints) return failure(source + ": " + endpoints.error().message);
    global.endpoints = std::move(*endpoints);

    if (format_ == "json") {
      global.format = OutputFormat::kJson;
    } else if (format_ == "raw") {
      global.format = OutputFormat::kRaw;
    } else if (format_ != "table") {
      return failure("--output: '" + format_ + "' is none of table, json, raw");
    }
    const auto timeout = duration("--timeout", timeout_, 1ms);
    if (!timeout) return std::unexpected(timeout.error());
    global.timeout = *timeout;
    return global;
  }

  Result<Command> chosen_command() {
    if (get_->parsed()) return get_command();
    if (put_->parsed()) return put_command();
    if (delete_->parsed()) return delete_command();
    if (bench_->parsed()) return bench_command();
    if (status_->parsed()) return StatusCommand{};
    if (auto command = members_->command()) return std::move(*command);
    ANCHOR_ASSERT(version_->parsed());
    return VersionCommand{};
  }

  Result<void> check_key() const {
    if (key_.empty()) return failure("the key is empty");
    return {};
  }

  Result<void> check_consistency() const {
    if (consistency_ == "linearizable" || consistency_ == "lease" || consistency_ == "stale") {
      return {};
    }
    return failure("--consistency: '" + consistency_ + "' is none of linearizable, lease, stale");
  }

  Result<Command> get_command() const {
    if (const auto sound = check_key(); !sound) return std::unexpected(sound.error());
    if (const auto sound = check_consistency(); !sound) return std::unexpected(sound.error());
    GetCommand get{.key = key_, .consistency = consistency_};
    if (get_->count("--max-staleness") > 0) {
      if (consistency_ != "stale") return failure("--max-staleness is for --consistency stale");
      const auto longest = parse_duration(max_staleness_);
      if (!longest) return failure("--max-staleness: " + longest.error().message);
      get.max_staleness = max_staleness_;
    }
    if (get_->count("--min-revision") > 0) {
      const auto number = parse_number(min_revision_, 1, kLastRevision);
      if (!number) return failure("--min-revision: " + number.error().message);
      get.min_revision = *number;
    }
    return get;
  }

  Result<WriteCondition> condition(const CLI::App* verb) const {
    WriteCondition parsed{.if_absent = if_absent_};
    if (verb->count("--if-rev") > 0) {
      // Zero is no revision of a key: that it be absent is said by --if-absent.
      const auto number = parse_number(if_revision_, 1, kLastRevision);
      if (!number) return failure("--if-rev: " + number.error().message);
      parsed.if_revision = *number;
    }
    return parsed;
  }

  Result<Command> put_command() const {
    if (const auto sound = check_key(); !sound) return std::unexpected(sound.error());
    PutCommand put{.key = key_, .previous = previous_};
    if (put_->count("value") > 0) put.value = value_;
    if (put_->count("--file") > 0) put.file = file_;
    const auto parsed = condition(put_);
    if (!parsed) return std::unexpected(parsed.error());
    put.condition = *parsed;
    return put;
  }

  Result<Command> delete_command() const {
    if (const auto sound = check_key(); !sound) return std::unexpected(sound.error());
    const auto parsed = condition(delete_);
    if (!parsed) return std::unexpected(parsed.error());
    return DeleteCommand{key_, *parsed, previous_};
  }

  Result<Command> bench_command() const {
    BenchCommand bench{.consistency = consistency_};
    const auto mode =
        std::ranges::find(BenchCommand::kModes, mode_, &BenchCommand::NamedMode::name);
    if (mode == BenchCommand::kModes.end()) {
      return failure("bench: '" + mode_ +
                     "' is none of put, get, mixed, txn, list, grant, keepalive");
    }
    bench.mode = mode->mode;
    if (bench_->count("--ratio") > 0 && bench.mode != BenchCommand::Mode::kMixed) {
      return failure("--ratio is for bench mixed");
    }
    if (format_ == "raw") return failure("bench prints a table or json, nothing raw");
    if (const auto sound = check_consistency(); !sound) return std::unexpected(sound.error());

    const auto set = [](const char* name, std::string_view text, std::size_t low, std::size_t high,
                        std::size_t& target) -> Result<void> {
      const auto number = parse_number(text, low, high);
      if (!number) return failure(std::string(name) + ": " + number.error().message);
      target = *number;
      return {};
    };
    Result<void> sound = set("--clients", clients_, 1, kMaxClients, bench.clients);
    const std::string& connections = connections_.empty() ? clients_ : connections_;
    if (sound) sound = set("--connections", connections, 1, bench.clients, bench.connections);
    if (sound) sound = set("--value-bytes", value_bytes_, 0, kMaxValueBytes, bench.value_bytes);
    if (sound) sound = set("--keys", keys_, 1, 1'000'000'000, bench.keys);
    if (sound && !rate_.empty()) {
      sound = set("--rate", rate_, 1, 10'000'000, bench.rate.emplace());
    }
    if (!sound) return std::unexpected(sound.error());

    const auto duration_time = duration("--duration", duration_, 1ms);
    const auto warmup = duration("--warmup", warmup_, 0ms);
    const auto share = parse_share(ratio_);
    if (!duration_time) return std::unexpected(duration_time.error());
    if (!warmup) return std::unexpected(warmup.error());
    if (!share) return failure("--ratio: " + share.error().message);
    bench.duration = *duration_time;
    bench.warmup = *warmup;
    bench.read_ppm = *share;
    return bench;
  }

  static Result<Duration> duration(const char* name, std::string_view text, Duration least) {
    const auto parsed = parse_duration(text);
    if (!parsed) return failure(std::string(name) + ": " + parsed.error().message);
    if (*parsed < least || *parsed > std::chrono::hours(24)) {
      return failure(std::string(name) + ": '" + std::string(text) + "' is out of range");
    }
    return *parsed;
  }

  const Environment& environment_;
  CLI::App app_{"anchorctl: the command line of anchor, a distributed key-value store",
                "anchorctl"};
  std::optional<MemberOptions> members_;
  CLI::App* get_ = nullptr;
  CLI::App* put_ = nullptr;
  CLI::App* delete_ = nullptr;
  CLI::App* status_ = nullptr;
  CLI::App* bench_ = nullptr;
  CLI::App* version_ = nullptr;

  std::string endpoints_;
  std::string format_ = "table";
  std::string timeout_ = "5s";
  bool no_color_ = false;
  bool quiet_ = false;
  bool debug_ = false;

  std::string key_;
  std::string value_;
  std::string file_;
  std::string if_revision_;
  bool if_absent_ = false;
  bool previous_ = false;
  std::string consistency_ = "linearizable";
  std::string max_staleness_;
  std::string min_revision_;

  std::string mode_;
  std::string clients_ = "64";
  std::string connections_;
  std::string value_bytes_ = "256";
  std::string keys_ = "10000";
  std::string duration_ = "10s";
  std::string warmup_ = "2s";
  std::string rate_;
  std::string ratio_ = "0.5";
};

}  // namespace

std::expected<Invocation, NoCommand> parse_command_line(const std::vector<std::string>& arguments,
                                                        const Environment& environment) {
  return Parser(environment).parse(arguments);
}

}  // namespace anchor::cli
