#include "tests/tidy/source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <utility>

namespace anchor::tidy {
namespace {

// Walks over C++ and blanks what is not code.
class Blanker {
 public:
  explicit Blanker(std::string text) : code_(std::move(text)) {}

  std::string blank() {
    while (at_ < code_.size()) {
      if (here("//")) {
        blank_until(code_.find('\n', at_));
      } else if (here("/*")) {
        blank_until(after(code_.find("*/", at_ + 2), 2));
      } else if (here("R\"") && !in_identifier()) {
        blank_raw_string();
      } else if (code_[at_] == '"' || (code_[at_] == '\'' && !in_identifier())) {
        blank_literal();
      } else {
        ++at_;
      }
    }
    return std::move(code_);
  }

 private:
  bool here(std::string_view what) const { return code_.compare(at_, what.size(), what) == 0; }
  // A quote after a digit separates digits; an R after a letter starts no raw string.
  bool in_identifier() const { return at_ > 0 && is_identifier_character(code_[at_ - 1]); }

  static std::size_t after(std::size_t found, std::size_t length) {
    return found == std::string::npos ? found : found + length;
  }

  void blank_until(std::size_t end) {
    end = std::min(end, code_.size());
    for (; at_ < end; ++at_) {
      if (code_[at_] != '\n') code_[at_] = ' ';
    }
  }

  void blank_raw_string() {
    const std::size_t open = code_.find('(', at_);
    if (open == std::string::npos) return blank_until(open);
    const std::string close = ")" + code_.substr(at_ + 2, open - at_ - 2) + "\"";
    blank_until(after(code_.find(close, open), close.size()));
  }

  // The quotes stay, so that a literal is still something.
  void blank_literal() {
    const char quote = code_[at_++];
    std::size_t end = at_;
    while (end < code_.size() && code_[end] != quote && code_[end] != '\n') {
      end += code_[end] == '\\' ? 2 : 1;
    }
    blank_until(end);
    at_ = std::min(at_ + 1, code_.size());
  }

  std::string code_;
  std::size_t at_ = 0;
};

std::string blank_schema_comments(std::string text) {
  bool in_comment = false;
  for (char& c : text) {
    in_comment = c != '\n' && (in_comment || c == '#');
    if (in_comment) c = ' ';
  }
  return text;
}

bool is_source(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 5> kEndings{".h", ".cc", ".capnp", ".sh", ".cmake"};
  return std::ranges::find(kEndings, path.extension().string()) != kEndings.end() ||
         path.filename() == "CMakeLists.txt";
}

}  // namespace

Source::Source(std::string path_from_root, std::string whole_text)
    : path(std::move(path_from_root)), text(std::move(whole_text)), code(text) {
  if (is_cpp()) code = Blanker(std::move(code)).blank();
  if (is_schema()) code = blank_schema_comments(std::move(code));
}

Tree read_tree(const std::filesystem::path& root) {
  constexpr std::array kFolders{"core", "proto", "sim", "io", "server", "cli", "tests", "fuzz"};
  constexpr std::array kFiles{"CMakeLists.txt", "dev", ".ci/run"};
  std::vector<std::filesystem::path> paths;
  for (const char* folder : kFolders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) paths.push_back(entry.path());
    }
  }
  for (const char* file : kFiles) {
    if (std::filesystem::exists(root / file)) paths.push_back(root / file);
  }
  std::ranges::sort(paths);
  Tree tree;
  for (const auto& path : paths) {
    tree.emplace_back(path.lexically_relative(root).generic_string(), read_file(path));
  }
  return tree;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, offset), '\n'));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t start = 0;
  while ((start = line.find_first_not_of(" \t\r", start)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", start), line.size());
    words.push_back(line.substr(start, end - start));
    start = end;
  }
  return words;
}

bool is_identifier_character(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

}  // namespace anchor::tidy
