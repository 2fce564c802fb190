#include <algorithm>
#include <string>
#include <vector>

#include "tests/tidy/laws.h"

namespace anchor::tidy {
namespace {

using Folders = std::vector<std::string_view>;

// The parts of the tree, and what each may include beside itself. A part that is a folder of
// another stands before it.
struct Part {
  std::string_view folder;
  Folders may_include;
};

const Folders kCore{"core/base", "core/wire", "core/raft", "core/kv", "core/codec", "core"};

Folders core_and(Folders others) {
  others.insert(others.end(), kCore.begin(), kCore.end());
  return others;
}

const std::vector<Part> kParts{
    {"core/base", {}},
    {"core/wire", {"core/base"}},
    {"core/raft", {"core/base"}},
    {"core/kv", {"core/base", "core/wire", "proto"}},
    {"core/codec", {"core/base", "core/wire", "core/raft", "core/kv", "core", "proto"}},
    {"core", {"core/base", "core/raft", "core/kv"}},
    {"proto", {}},
    {"sim", kCore},
    {"io", core_and({"proto"})},
    {"server", core_and({"io"})},
    {"cli", core_and({"proto", "io"})},
};

// Libraries by how their headers' names begin, and who may include them. The more particular stands
// first: Cap'n Proto's data is the core's affair, its RPC is not.
struct Library {
  std::string_view header;
  Folders users;
};

const std::vector<Library> kLibraries{
    {"<capnp/rpc", {"io"}},
    {"<capnp/ez-rpc", {}},
    {"<kj/async", {"io"}},
    {"<capnp/", {"core/wire", "core/kv", "core/codec", "proto", "io", "cli"}},
    {"<kj/", {"core/wire", "core/kv", "core/codec", "proto", "io", "cli"}},
    {"<lmdb.h", {"io"}},
    {"<llhttp.h", {"io"}},
    {"<uv.h", {"io", "server", "cli"}},
    {"<nlohmann/", {"server", "cli", "sim"}},
    {"<spdlog/", {"server"}},
    {"<toml++/", {"server", "cli"}},
    {"<CLI/", {"server", "cli", "sim"}},
    {"<curl/", {"cli"}},
    {"<gtest/", {}},
    {"<rapidcheck", {}},
    {"<benchmark/", {}},
    {"<yaml-cpp/", {}},
};

bool contains(const Folders& folders, std::string_view folder) {
  return std::ranges::find(folders, folder) != folders.end();
}

// Null: tests and fuzz, which may include anything.
const Part* part_of(std::string_view path) {
  for (const Part& part : kParts) {
    if (path.starts_with(part.folder) && path.substr(part.folder.size()).starts_with('/')) {
      return &part;
    }
  }
  return nullptr;
}

// Why this part may not include this header, or nothing.
std::string objection(const Part& part, std::string_view header) {
  if (header.starts_with('<')) {
    for (const Library& library : kLibraries) {
      if (!header.starts_with(library.header)) continue;
      if (contains(library.users, part.folder)) return {};
      return std::string(part.folder) + " may not include " + std::string(header);
    }
    return {};
  }
  const Part* included = part_of(header.substr(1));
  if (included == nullptr) {
    return std::string(header) + " is not a path from the root to a part of anchor";
  }
  if (header == "\"proto/peer.capnp.h\"" && part.folder.starts_with("core")) {
    return "the core may not include the interfaces of RPC";
  }
  if (included == &part || contains(part.may_include, included->folder)) return {};
  return std::string(part.folder) + " may not depend on " + std::string(included->folder);
}

}  // namespace

std::string included_by(std::string_view code_line, std::string_view text_line) {
  const std::size_t hash = code_line.find_first_not_of(' ');
  if (hash == std::string_view::npos || code_line[hash] != '#') return {};
  const std::size_t word = code_line.find_first_not_of(' ', hash + 1);
  if (word == std::string_view::npos || !code_line.substr(word).starts_with("include")) return {};
  const std::size_t start = text_line.find_first_of("<\"", word);
  if (start == std::string_view::npos) return {};
  const char mark = text_line[start] == '<' ? '>' : '"';
  const std::size_t end = text_line.find(mark, start + 1);
  if (end == std::string_view::npos) return {};
  return std::string(text_line.substr(start, end - start + 1));
}

namespace {

// A source file includes its own header before anything else, which so compiles by itself.
void check_own_header(const Tree& tree, const Source& source, Findings& findings) {
  if (!source.path.ends_with(".cc")) return;
  const std::string own = source.path.substr(0, source.path.size() - 3) + ".h";
  if (std::ranges::find(tree, own, &Source::path) == tree.end()) return;
  const auto code = lines_of(source.code);
  const auto text = lines_of(source.text);
  for (std::size_t i = 0; i < code.size(); ++i) {
    const std::string header = included_by(code[i], text[i]);
    if (header.empty()) continue;
    if (header != '"' + own + '"') findings.push_back({source.path, i + 1, own + " comes first"});
    return;
  }
  findings.push_back({source.path, 1, own + " is not included"});
}

}  // namespace

Findings check_includes(const Tree& tree, Exceptions& exceptions) {
  Findings findings;
  for (const Source& source : tree) {
    check_own_header(tree, source, findings);
    const Part* part = part_of(source.path);
    if (part == nullptr || !source.is_cpp()) continue;
    const auto code = lines_of(source.code);
    const auto text = lines_of(source.text);
    for (std::size_t i = 0; i < code.size(); ++i) {
      const std::string header = included_by(code[i], text[i]);
      if (header.empty()) continue;
      const std::string why = objection(*part, header);
      if (why.empty() || exceptions.allow(source.path, header)) continue;
      findings.push_back({source.path, i + 1, why});
    }
  }
  return findings;
}

}  // namespace anchor::tidy
