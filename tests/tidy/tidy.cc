// Holds the laws of the repository that no compiler knows: what the pure parts may use, which part
// may include which, how long things may be, and how a file looks. Usage: tidy ROOT.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <tuple>

#include "tests/tidy/laws.h"
#include "tests/tidy/lengths.h"
#include "tests/tidy/shape.h"

namespace anchor::tidy {
namespace {

void append(Findings& all, const Findings& more) {
  all.insert(all.end(), more.begin(), more.end());
}

Findings check(const std::filesystem::path& root) {
  const std::string exceptions_path = "tests/tidy/exceptions.txt";
  const std::string ratchets_path = "tests/tidy/ratchets.txt";
  const Tree tree = read_tree(root);
  Findings findings;
  if (tree.empty()) findings.push_back({root.string(), 0, "no sources are here"});
  Exceptions exceptions(exceptions_path, read_file(root / exceptions_path), findings);
  append(findings, check_purity(tree, exceptions));
  append(findings, check_includes(tree, exceptions));
  exceptions.report_unused(findings);
  append(findings, check_lengths(tree, ratchets_path, read_file(root / ratchets_path)));
  append(findings, check_shape(tree));
  std::ranges::sort(findings, [](const Finding& a, const Finding& b) {
    return std::tie(a.path, a.line, a.message) < std::tie(b.path, b.line, b.message);
  });
  return findings;
}

}  // namespace
}  // namespace anchor::tidy

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: tidy ROOT\n", stderr);
    return 2;
  }
  const auto findings = anchor::tidy::check(argv[1]);
  for (const auto& finding : findings) {
    std::printf("%s:%zu: %s\n", finding.path.c_str(), finding.line, finding.message.c_str());
  }
  return findings.empty() ? 0 : 1;
}
