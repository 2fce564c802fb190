#pragma once

#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace anchor::cli {

ExitCode run_get(const GlobalOptions& global, const GetCommand& command, Console& console);
ExitCode run_put(const GlobalOptions& global, const PutCommand& command, Console& console);
ExitCode run_delete(const GlobalOptions& global, const DeleteCommand& command, Console& console);
ExitCode run_status(const GlobalOptions& global, Console& console);
ExitCode run_members(const GlobalOptions& global, Console& console);
ExitCode run_change(const GlobalOptions& global, const ChangeCommand& command, Console& console);
ExitCode run_bench(const GlobalOptions& global, const BenchCommand& command, Console& console);
ExitCode run_version(const GlobalOptions& global, Console& console);

// All of the program but its process: parses the command line and runs what it asks for.
ExitCode run(const std::vector<std::string>& arguments, const Environment& environment,
             Console& console);

}  // namespace anchor::cli
