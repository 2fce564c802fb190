#include "tests/tidy/shape.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace anchor::tidy {
namespace {

constexpr std::size_t kColumns = 100;
// Sought in capitals, and so not found here.
constexpr std::array<std::string_view, 4> kUnfinished{"todo", "fixme", "xxx", "hack"};

// Characters of UTF-8: every byte but the ones that continue a character.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string in_capitals(std::string_view word) {
  std::string capitals;
  for (const char c : word) capitals += static_cast<char>(std::toupper(c));
  return capitals;
}

bool has_word(std::string_view line, std::string_view word) {
  std::size_t at = 0;
  while ((at = line.find(word, at)) != std::string_view::npos) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_identifier_character(line[at - 1])) &&
        (end == line.size() || !is_identifier_character(line[end]))) {
      return true;
    }
    at = end;
  }
  return false;
}

void check_line(const std::string& path, std::size_t number, std::string_view line,
                Findings& findings) {
  if (line.find_first_of("\t\r") != std::string_view::npos) {
    findings.push_back({path, number, "a tab or a carriage return"});
  }
  if (line.ends_with(' ')) findings.push_back({path, number, "blanks at the end"});
  if (columns_of(line) > kColumns) {
    findings.push_back({path, number, "over " + std::to_string(kColumns) + " columns"});
  }
  for (const std::string_view unfinished : kUnfinished) {
    const std::string word = in_capitals(unfinished);
    if (has_word(line, word)) findings.push_back({path, number, word + ": finish it"});
  }
}

}  // namespace

Findings check_shape(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree) {
    std::size_t number = 0;
    for (const std::string_view line : lines_of(source.text)) {
      check_line(source.path, ++number, line, findings);
    }
    if (!source.text.ends_with('\n')) {
      findings.push_back({source.path, number, "the last line has no end"});
    } else if (source.text.ends_with("\n\n")) {
      findings.push_back({source.path, number, "an empty line at the end"});
    }
    if (source.is_header() && source.code.find("#pragma once\n") == std::string::npos) {
      findings.push_back({source.path, 0, "a header without #pragma once"});
    }
  }
  return findings;
}

}  // namespace anchor::tidy
