#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/options.h"

namespace anchor::cli {

// The verbs `member ...` and `cluster ...` on a command line.
class MemberOptions {
 public:
  explicit MemberOptions(CLI::App& app);

  // After parsing; none: it is another verb.
  std::optional<Command> command() const;

 private:
  CLI::App* list_ = nullptr;
  CLI::App* add_ = nullptr;
  CLI::App* remove_ = nullptr;
  CLI::App* promote_ = nullptr;
  CLI::App* transfer_ = nullptr;
  CLI::App* status_ = nullptr;
  ChangeCommand change_{};
};

}  // namespace anchor::cli
