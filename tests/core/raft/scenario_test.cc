#include "tests/core/raft/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

// Transcripts that are to be read: what servers do and say, step by step. After a change that is
// meant, ANCHOR_WRITE_GOLDEN=1 makes this test write them anew; look at what it changes.
namespace anchor::raft {
namespace {

std::filesystem::path scenarios() {
  return std::filesystem::path(ANCHOR_SOURCES) / "tests/scenarios";
}

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(scenarios())) {
    if (file.path().extension() == ".txt") found.push_back(file.path().stem());
  }
  std::ranges::sort(found);
  return found;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Comments and commands as they are, and after each command what comes of it now.
std::string carried_out(const std::string& text) {
  Scenario scenario;
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    const bool command = line.starts_with("> ");
    if (!command && !line.starts_with("#") && !line.empty()) continue;
    result += line + "\n";
    if (command) result += scenario.run(line.substr(2));
  }
  return result;
}

class Scenarios : public testing::TestWithParam<std::string> {};

TEST_P(Scenarios, GoAsTheyAreWritten) {
  const std::filesystem::path path = scenarios() / (GetParam() + ".txt");
  const std::string text = contents(path);
  ASSERT_FALSE(text.empty());
  const std::string now = carried_out(text);
  if (std::getenv("ANCHOR_WRITE_GOLDEN") != nullptr) std::ofstream(path) << now;
  EXPECT_EQ(now, contents(path));
}

INSTANTIATE_TEST_SUITE_P(All, Scenarios, testing::ValuesIn(names()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace anchor::raft
