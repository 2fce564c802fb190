#include "tests/tidy/lengths.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace anchor::tidy {
namespace {

struct Ratchet {
  std::size_t line = 0;
  std::size_t length = 0;
  bool used = false;
};

// By what it holds: `file path` or `function path name`.
using Ratchets = std::map<std::string, Ratchet>;

Ratchets read_ratchets(const std::string& path, std::string_view text, Findings& findings) {
  Ratchets ratchets;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) {
    ++number;
    const auto words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    Ratchet ratchet{.line = number, .length = 0, .used = false};
    const std::string_view last = words.back();
    const auto parsed = std::from_chars(last.data(), last.data() + last.size(), ratchet.length);
    const bool fits =
        (words[0] == "file" && words.size() == 3) || (words[0] == "function" && words.size() == 4);
    if (!fits || parsed.ec != std::errc{}) {
      findings.push_back({path, number, "not `file PATH LINES` or `function PATH NAME LINES`"});
      continue;
    }
    std::string key(words[0]);
    for (std::size_t i = 1; i + 1 < words.size(); ++i) key += " " + std::string(words[i]);
    ratchets[key] = ratchet;
  }
  return ratchets;
}

// The length of everything that is over its limit, with where it stands. Overloads of one name
// count as the longest of them.
struct Measured {
  std::string path;
  std::size_t line = 0;
  std::size_t length = 0;
  std::size_t limit = 0;
};

std::map<std::string, Measured> measure(const Tree& tree) {
  std::map<std::string, Measured> over;
  for (const Source& source : tree) {
    const std::size_t file_length = lines_of(source.text).size();
    if (file_length > kFileLines) {
      over["file " + source.path] = {source.path, 0, file_length, kFileLines};
    }
    if (!source.is_cpp()) continue;
    for (const Function& function : functions_of(source)) {
      if (function.length <= kFunctionLines) continue;
      Measured& longest = over["function " + source.path + " " + function.name];
      if (function.length < longest.length) continue;
      longest = {source.path, function.line, function.length, kFunctionLines};
    }
  }
  return over;
}

std::string over_limit(const std::string& key, const Measured& measured) {
  return key + " has " + std::to_string(measured.length) + " lines; the limit is " +
         std::to_string(measured.limit);
}

}  // namespace

Findings check_lengths(const Tree& tree, const std::string& ratchets_path,
                       std::string_view ratchets_text) {
  Findings findings;
  Ratchets ratchets = read_ratchets(ratchets_path, ratchets_text, findings);
  for (const auto& [key, measured] : measure(tree)) {
    const auto found = ratchets.find(key);
    if (found == ratchets.end()) {
      findings.push_back({measured.path, measured.line, over_limit(key, measured)});
      continue;
    }
    found->second.used = true;
    const std::size_t allowed = found->second.length;
    if (measured.length > allowed) {
      findings.push_back({measured.path, measured.line,
                          over_limit(key, measured) + ", its ratchet is " +
                              std::to_string(allowed) + " and may only fall"});
    } else if (measured.length < allowed) {
      findings.push_back(
          {ratchets_path, found->second.line,
           key + " has become shorter: lower its ratchet to " + std::to_string(measured.length)});
    }
  }
  for (const auto& [key, ratchet] : ratchets) {
    if (ratchet.used) continue;
    findings.push_back(
        {ratchets_path, ratchet.line, key + " is within its limit: remove the line"});
  }
  return findings;
}

}  // namespace anchor::tidy
