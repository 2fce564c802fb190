#include "cli/verbs.h"

namespace anchor::cli {
namespace {

struct Runner {
  const GlobalOptions& global;
  Console& console;

  ExitCode operator()(const GetCommand& command) const { return run_get(global, command, console); }
  ExitCode operator()(const PutCommand& command) const { return run_put(global, command, console); }
  ExitCode operator()(const DeleteCommand& command) const {
    return run_delete(global, command, console);
  }
  ExitCode operator()(const StatusCommand&) const { return run_status(global, console); }
  ExitCode operator()(const MembersCommand&) const { return run_members(global, console); }
  ExitCode operator()(const ChangeCommand& command) const {
    return run_change(global, command, console);
  }
  ExitCode operator()(const BenchCommand& command) const {
    return run_bench(global, command, console);
  }
  ExitCode operator()(const VersionCommand&) const { return run_version(global, console); }
};

}  // namespace

ExitCode run(const std::vector<std::string>& arguments, const Environment& environment,
             Console& console) {
  const auto invocation = parse_command_line(arguments, environment);
  if (!invocation) {
    const NoCommand& none = invocation.error();
    (none.code == ExitCode::kOk ? console.out : console.error) << none.text;
    return none.code;
  }
  return std::visit(Runner{invocation->global, console}, invocation->command);
}

}  // namespace anchor::cli
