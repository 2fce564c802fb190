#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/console.h"
#include "cli/exit_code.h"
#include "core/base/time.h"

namespace anchor::cli {

struct GlobalOptions {
  std::vector<std::string> endpoints{};  // host:port, at least one
  OutputFormat format = OutputFormat::kTable;
  Duration timeout = 5s;
  bool no_color = false;
  bool quiet = false;
  bool debug = false;
};

struct GetCommand {
  std::string key{};
  std::string consistency = "linearizable";
  // As the server takes it: "500ms".
  std::optional<std::string> max_staleness{};
  std::optional<std::uint64_t> min_revision{};
};

// At most one of the two is given.
struct WriteCondition {
  std::optional<std::uint64_t> if_revision{};
  bool if_absent = false;
};

struct PutCommand {
  std::string key{};
  // None: the value is in the file, or else on standard input.
  std::optional<std::string> value{};
  std::optional<std::string> file{};
  WriteCondition condition{};
  bool previous = false;
};

struct DeleteCommand {
  std::string key{};
  WriteCondition condition{};
  bool previous = false;
};

struct StatusCommand {};

struct MembersCommand {};

// Of the members, or of the leader.
struct ChangeCommand {
  enum class Kind : std::uint8_t { kAdd, kRemove, kPromote, kTransfer };

  Kind kind = Kind::kAdd;
  std::string id{};  // of a transfer also empty: to anybody
  std::string address{};
  std::string http_address{};
  bool learner = false;
  bool force = false;
  bool confirmed = false;
};

struct VersionCommand {};

struct BenchCommand {
  // A transaction looks whether a key is there and puts it and another; a list is of 1,000 keys. A
  // lease is granted, or one of as many as there are keys is kept alive.
  enum class Mode : std::uint8_t { kPut, kGet, kMixed, kTransaction, kList, kGrant, kKeepAlive };
  struct NamedMode {
    std::string_view name;
    Mode mode;
  };
  static constexpr auto kModes = std::to_array<NamedMode>({{"put", Mode::kPut},
                                                           {"get", Mode::kGet},
                                                           {"mixed", Mode::kMixed},
                                                           {"txn", Mode::kTransaction},
                                                           {"list", Mode::kList},
                                                           {"grant", Mode::kGrant},
                                                           {"keepalive", Mode::kKeepAlive}});

  Mode mode = Mode::kPut;
  std::size_t clients = 64;
  std::size_t connections = 64;
  // Requests a second; none: a closed loop, in which each client sends when it has its answer.
  std::optional<std::size_t> rate{};
  std::size_t value_bytes = 256;
  std::size_t keys = 10'000;
  Duration duration = 10s;
  Duration warmup = 2s;
  // Of mixed: the share of reads, in parts per million.
  std::uint32_t read_ppm = 500'000;
  std::string consistency = "linearizable";
};

using Command = std::variant<GetCommand, PutCommand, DeleteCommand, StatusCommand, MembersCommand,
                             ChangeCommand, BenchCommand, VersionCommand>;

struct Invocation {
  GlobalOptions global{};
  Command command{};
};

// The command line asks for no command: it asked for help, or is wrong.
struct NoCommand {
  ExitCode code = ExitCode::kUsage;
  std::string text{};  // for standard output if the code is kOk, else for standard error
};

using Environment = std::map<std::string, std::string, std::less<>>;

// `arguments` without the program's name.
std::expected<Invocation, NoCommand> parse_command_line(const std::vector<std::string>& arguments,
                                                        const Environment& environment);

}  // namespace anchor::cli
