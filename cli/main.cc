#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cli/verbs.h"

namespace {

using anchor::cli::ExitCode;

// Also a request that is under way is given up: whoever interrupts does not want to wait for it.
void exit_interrupted(int) {
  std::_Exit(static_cast<int>(ExitCode::kInterrupted));
}

anchor::cli::Environment environment() {
  anchor::cli::Environment variables;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string_view text(*line);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

bool wants_color(const anchor::cli::Environment& variables) {
  const auto no_color = variables.find("NO_COLOR");
  if (no_color != variables.end() && !no_color->second.empty()) return false;
  const auto term = variables.find("TERM");
  return term != variables.end() && term->second != "dumb";
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::signal(SIGINT, exit_interrupted);
  std::ios::sync_with_stdio(false);
  const anchor::cli::Environment variables = environment();
  anchor::cli::Console console{.in = std::cin,
                               .out = std::cout,
                               .error = std::cerr,
                               .in_is_terminal = isatty(STDIN_FILENO) != 0,
                               .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                               .error_is_terminal = isatty(STDERR_FILENO) != 0,
                               .color = wants_color(variables)};
  const std::vector<std::string> words(arguments + 1, arguments + argument_count);
  const ExitCode code = anchor::cli::run(words, variables, console);
  std::cout.flush();
  if (!std::cout && code == ExitCode::kOk) {
    std::cerr << "anchorctl: standard output cannot be written to\n";
    return static_cast<int>(ExitCode::kFailed);
  }
  return static_cast<int>(code);
}
