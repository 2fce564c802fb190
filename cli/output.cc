#include "cli/output.h"

#include <algorithm>
#include <cstddef>

#include "core/base/assert.h"

namespace anchor::cli {
namespace {

// Characters, not bytes, as far as a terminal without wide ones is concerned.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view escape_of(Color color) {
  switch (color) {
    case Color::kGreen:
      return "\033[32m";
    case Color::kYellow:
      return "\033[33m";
    case Color::kRed:
      return "\033[31m";
    case Color::kNone:
      break;
  }
  return "";
}

std::string painted(const Cell& cell, bool color) {
  if (!color || cell.color == Color::kNone) return cell.text;
  return std::string(escape_of(cell.color)) + cell.text + "\033[0m";
}

}  // namespace

ExitCode report(const Failure& failure, Console& console, bool quiet) {
  console.error << "anchorctl: " << printable(failure.cause) << "\n";
  if (!failure.hint.empty() && !quiet) console.error << "hint: " << failure.hint << "\n";
  return failure.code;
}

void print_json(const nlohmann::ordered_json& json, Console& console) {
  console.out << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << "\n";
}

void print_table(const std::vector<std::vector<Cell>>& rows, Console& console, bool color) {
  if (rows.empty()) return;
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    ANCHOR_ASSERT(row.size() == widths.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i].text), ' ');
      if (i > 0) line += "  ";
      line += row[i].right ? padding + painted(row[i], color) : painted(row[i], color) + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    console.out << line << "\n";
  }
}

std::string printable(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return clean;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace anchor::cli
