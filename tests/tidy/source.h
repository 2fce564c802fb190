#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace anchor::tidy {

// A file of the repository. `code` is `text` with every comment and the inside of every literal
// turned into blanks: what stands there cannot break a law, and the lines keep their numbers.
struct Source {
  Source(std::string path_from_root, std::string whole_text);

  std::string path;
  std::string text;
  std::string code;

  bool is_header() const { return path.ends_with(".h"); }
  bool is_cpp() const { return is_header() || path.ends_with(".cc"); }
  bool is_schema() const { return path.ends_with(".capnp"); }
};

using Tree = std::vector<Source>;

struct Finding {
  std::string path;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::string message;
};

using Findings = std::vector<Finding>;

// The sources under a repository's root, in the order of their paths.
Tree read_tree(const std::filesystem::path& root);
std::string read_file(const std::filesystem::path& path);

// The lines without their ends.
std::vector<std::string_view> lines_of(std::string_view text);
// The number of the line, from 1, that holds this offset.
std::size_t line_at(std::string_view text, std::size_t offset);
// The words of a line, split at blanks.
std::vector<std::string_view> words_of(std::string_view line);

bool is_identifier_character(char c);

}  // namespace anchor::tidy
