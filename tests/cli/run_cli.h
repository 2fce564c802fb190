#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/verbs.h"

namespace anchor::cli {

struct CliResult {
  ExitCode code = ExitCode::kOk;
  std::string out;
  std::string error;
};

// Runs anchorctl in this process. Without `input`, its standard input is a terminal.
inline CliResult run_cli(const std::vector<std::string>& arguments,
                         const std::optional<std::string>& input = std::nullopt,
                         const Environment& environment = {}) {
  std::istringstream in(input.value_or(""));
  std::ostringstream out;
  std::ostringstream error;
  Console console{.in = in, .out = out, .error = error, .in_is_terminal = !input.has_value()};
  const ExitCode code = run(arguments, environment, console);
  return {code, out.str(), error.str()};
}

}  // namespace anchor::cli
