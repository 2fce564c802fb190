#include "cli/output.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/progress_bar.h"
#include "tests/cli/run_cli.h"

namespace anchor::cli {
namespace {

std::string table(const std::vector<std::vector<Cell>>& rows, bool color) {
  std::istringstream in;
  std::ostringstream out;
  Console console{.in = in, .out = out, .error = out};
  print_table(rows, console, color);
  return out.str();
}

TEST(PrintTable, AlignsColumnsWithoutBlanksAtTheEnd) {
  EXPECT_EQ(table({{{"a"}, {.text = "1", .right = true}, {"long"}},
                   {{"gr\xc3\xbc"}, {.text = "100", .right = true}, {""}}},
                  false),
            "a      1  long\n"
            "gr\xc3\xbc  100\n");
}

TEST(PrintTable, PaintsCellsOnlyWhereColorsAreWelcome) {
  const std::vector<std::vector<Cell>> rows = {{{"a", Color::kRed}, {"b"}}, {{"aa"}, {"b"}}};
  EXPECT_EQ(table(rows, true), "\033[31ma\033[0m   b\naa  b\n");
  EXPECT_EQ(table(rows, false), "a   b\naa  b\n");
}

TEST(Printable, TakesControlCharactersOut) {
  EXPECT_EQ(printable("a\033[31m\nb\x7f"), "a [31m b ");
}

TEST(Grouped, HasACommaAfterEveryThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(ProgressBar, DrawsOverItselfAndIsGoneInTheEnd) {
  std::ostringstream terminal;
  {
    ProgressBar bar(terminal);
    bar.draw("fill", 50, "5 ops");
    bar.draw("fill", 50, "5 ops");
  }
  EXPECT_EQ(terminal.str(), "\r\033[Kfill [###############...............] 50%  5 ops\r\033[K");
}

TEST(Version, PrintsTheSameInEachFormat) {
  const std::string raw = run_cli({"version", "-o", "raw"}).out;
  EXPECT_TRUE(run_cli({"version"}).out.starts_with("anchorctl " + raw + "\nlibcurl "));
  EXPECT_EQ(nlohmann::json::parse(run_cli({"version", "-o", "json"}).out)["version"], raw);
}

}  // namespace
}  // namespace anchor::cli
