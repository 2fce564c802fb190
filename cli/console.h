#pragma once

#include <cstdint>
#include <istream>
#include <ostream>

namespace anchor::cli {

enum class OutputFormat : std::uint8_t { kTable, kJson, kRaw };

// Where a command reads and writes: the program's standard streams, or a test's.
struct Console {
  std::istream& in;
  std::ostream& out;    // data, and nothing else
  std::ostream& error;  // everything else
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool error_is_terminal = false;
  // Whether colours are welcome where there is a terminal (NO_COLOR, TERM).
  bool color = false;
};

}  // namespace anchor::cli
