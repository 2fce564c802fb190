#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/exit_code.h"

namespace anchor::cli {

// Why a command did not do what was asked: a cause, and what the user may do about it.
struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string cause{};
  std::string hint{};  // empty: there is nothing to say
};

// Tells the failure and returns its code.
ExitCode report(const Failure& failure, Console& console, bool quiet);

// One line. What is not UTF-8 in it is replaced.
void print_json(const nlohmann::ordered_json& json, Console& console);

enum class Color : std::uint8_t { kNone, kGreen, kYellow, kRed };

struct Cell {
  std::string text{};
  Color color = Color::kNone;
  bool right = false;  // aligned, as numbers are
};

// In columns as wide as their widest cell. Requires: all rows are equally long.
void print_table(const std::vector<std::vector<Cell>>& rows, Console& console, bool color);

// Text of somebody else's, without control characters, lest it play tricks on a terminal.
std::string printable(std::string_view text);

// 1234567 to "1,234,567".
std::string grouped(std::uint64_t number);

}  // namespace anchor::cli
