#include "tests/tidy/laws.h"

namespace anchor::tidy {

Exceptions::Exceptions(std::string list_path, std::string_view text, Findings& findings)
    : list_path_(std::move(list_path)) {
  std::size_t number = 0;
  for (const std::string_view line : lines_of(text)) {
    ++number;
    const auto words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    if (words.size() < 3) {
      findings.push_back({list_path_, number, "an exception is a path, a thing and a reason"});
      continue;
    }
    exceptions_[{std::string(words[0]), std::string(words[1])}] = {.line = number, .used = false};
  }
}

bool Exceptions::allow(const std::string& path, const std::string& thing) {
  auto found = exceptions_.find({path, thing});
  if (found == exceptions_.end()) found = exceptions_.find({path, "*"});
  if (found == exceptions_.end()) return false;
  found->second.used = true;
  return true;
}

void Exceptions::report_unused(Findings& findings) const {
  for (const auto& [what, exception] : exceptions_) {
    if (exception.used) continue;
    findings.push_back({list_path_, exception.line,
                        what.first + " needs no " + what.second + ": remove the line"});
  }
}

}  // namespace anchor::tidy
