#include <algorithm>
#include <array>
#include <set>

#include "tests/tidy/laws.h"

namespace anchor::tidy {
namespace {

using Names = std::set<std::string_view>;

constexpr std::array<std::string_view, 3> kPureFolders{"core/", "proto/", "sim/"};

const Names kHeaders{
    "<barrier>",       "<chrono>",        "<cmath>",        "<complex>",  "<condition_variable>",
    "<csignal>",       "<cstdio>",        "<ctime>",        "<fcntl.h>",  "<filesystem>",
    "<fstream>",       "<future>",        "<iostream>",     "<latch>",    "<lmdb.h>",
    "<math.h>",        "<mutex>",         "<numbers>",      "<poll.h>",   "<pthread.h>",
    "<random>",        "<semaphore>",     "<shared_mutex>", "<signal.h>", "<stdio.h>",
    "<stop_token>",    "<syncstream>",    "<thread>",       "<time.h>",   "<unistd.h>",
    "<unordered_map>", "<unordered_set>", "<uv.h>"};
constexpr std::array<std::string_view, 6> kHeaderFamilies{
    "<arpa/", "<capnp/ez-rpc", "<capnp/rpc", "<kj/async", "<netinet/", "<sys/"};

// Banned wherever the name stands.
const Names kNames{"Float32",
                   "Float64",
                   "clock_gettime",
                   "default_random_engine",
                   "double",
                   "file_clock",
                   "float",
                   "getenv",
                   "gettimeofday",
                   "high_resolution_clock",
                   "intptr_t",
                   "minstd_rand",
                   "mt19937",
                   "mt19937_64",
                   "random_device",
                   "secure_getenv",
                   "steady_clock",
                   "system_clock",
                   "this_thread",
                   "thread_local",
                   "uintptr_t",
                   "unordered_map",
                   "unordered_multimap",
                   "unordered_multiset",
                   "unordered_set",
                   "utc_clock"};
// Banned as std::name; alone they are words that anyone may use.
const Names kStandardNames{"async", "condition_variable", "hash",    "jthread",
                           "mutex", "random_shuffle",     "shuffle", "thread"};
// Banned as a call of a free function; a member of that name is somebody's own.
const Names kCalls{"drand48", "fopen",  "fork", "rand",  "sleep",
                   "srand",   "system", "time", "usleep"};
// Containers that order by their first argument.
const Names kOrdered{"less", "map", "multimap", "multiset", "set"};

struct Word {
  std::string_view text;
  std::string_view before;  // the code up to it, without blanks at its end
  std::string_view after;   // the code from its end, without blanks at its start
};

std::string_view without_blanks_at_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view without_blanks_at_start(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// "std::map<Key*, ..." orders by where the allocator put the keys, which no replay repeats.
bool orders_by_pointer(const Word& word) {
  if (!kOrdered.contains(word.text) || !word.after.starts_with('<')) return false;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < word.after.size(); ++i) {
    const char c = word.after[i];
    if (c == '<') ++depth;
    if (c == '>') --depth;
    if (depth == 0 || (depth == 1 && c == ',')) {
      return without_blanks_at_end(word.after.substr(0, i)).ends_with('*');
    }
  }
  return false;
}

// `f(`, `std::f(` and `::f(`, but neither `x.f(` nor `mine::f(`.
bool calls_free_function(const Word& word) {
  if (!word.after.starts_with('(')) return false;
  std::string_view before = word.before;
  if (before.ends_with('.') || before.ends_with("->")) return false;
  if (!before.ends_with("::") || before.ends_with("std::")) return true;
  before.remove_suffix(2);
  return before.empty() || !is_identifier_character(before.back());
}

// The banned thing that this word is, or nothing.
std::string banned(const Word& word) {
  std::string name(word.text);
  if (kNames.contains(word.text)) return name;
  if (kStandardNames.contains(word.text) && word.before.ends_with("std::")) return "std::" + name;
  if (kCalls.contains(word.text) && calls_free_function(word)) return name + "()";
  const bool asks_a_clock = word.before.ends_with("::") && word.after.starts_with('(');
  if (word.text == "now" && asks_a_clock) return "now()";
  if (orders_by_pointer(word)) return name + "<T*>";
  return {};
}

class PurityCheck {
 public:
  PurityCheck(const Source& source, Exceptions& exceptions, Findings& findings)
      : source_(source), exceptions_(exceptions), findings_(findings) {}

  void check_headers() {
    const auto code = lines_of(source_.code);
    const auto text = lines_of(source_.text);
    for (std::size_t i = 0; i < code.size(); ++i) {
      const std::string header = included_by(code[i], text[i]);
      const bool of_family = std::ranges::any_of(
          kHeaderFamilies, [&](std::string_view family) { return header.starts_with(family); });
      if (of_family || kHeaders.contains(header)) report(i + 1, header);
    }
  }

  void check_names() {
    const std::string_view code = source_.code;
    std::size_t at = 0;
    while (at < code.size()) {
      if (!is_identifier_character(code[at])) {
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < code.size() && is_identifier_character(code[end])) ++end;
      const std::string thing = banned({.text = code.substr(at, end - at),
                                        .before = without_blanks_at_end(code.substr(0, at)),
                                        .after = without_blanks_at_start(code.substr(end))});
      if (!thing.empty() && !in_include(at)) report(line_at(code, at), thing);
      at = end;
    }
  }

 private:
  // A header's name is check_headers' affair.
  bool in_include(std::size_t at) const {
    const std::size_t newline = source_.code.rfind('\n', at);
    const std::size_t start = newline == std::string::npos ? 0 : newline + 1;
    return source_.code.compare(start, 8, "#include") == 0;
  }

  void report(std::size_t line, const std::string& thing) {
    if (exceptions_.allow(source_.path, thing)) return;
    findings_.push_back({source_.path, line, thing + " is banned: what decides is pure"});
  }

  const Source& source_;
  Exceptions& exceptions_;
  Findings& findings_;
};

}  // namespace

Findings check_purity(const Tree& tree, Exceptions& exceptions) {
  Findings findings;
  for (const Source& source : tree) {
    const bool pure = std::ranges::any_of(
        kPureFolders, [&](std::string_view folder) { return source.path.starts_with(folder); });
    if (!pure || (!source.is_cpp() && !source.is_schema())) continue;
    PurityCheck check(source, exceptions, findings);
    if (source.is_cpp()) check.check_headers();
    check.check_names();
  }
  return findings;
}

}  // namespace anchor::tidy
