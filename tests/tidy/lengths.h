#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "tests/tidy/source.h"

namespace anchor::tidy {

constexpr std::size_t kFileLines = 400;
constexpr std::size_t kFunctionLines = 60;

struct Function {
  std::string name;
  std::size_t line = 0;  // where its head begins
  std::size_t length = 0;
};

// The functions of a C++ file that stand outside of functions; a lambda counts with the function
// that it is in. It knows braces, not the grammar: good enough for code that clang-format laid out.
std::vector<Function> functions_of(const Source& source);

// What is longer than its limit must be listed as a ratchet, with its present length: it may only
// fall. What has become shorter is a finding too, so that the list follows.
Findings check_lengths(const Tree& tree, const std::string& ratchets_path,
                       std::string_view ratchets);

}  // namespace anchor::tidy
