#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tests/tidy/source.h"

namespace anchor::tidy {

// Where a file is allowed one banned thing, by (path, thing). One that no file needs any more is a
// finding too.
class Exceptions {
 public:
  // Lines `path thing why`, and comments after '#'. The thing `*` is any.
  Exceptions(std::string list_path, std::string_view text, Findings& findings);

  bool allow(const std::string& path, const std::string& thing);
  // Once every check has asked.
  void report_unused(Findings& findings) const;

 private:
  struct Exception {
    std::size_t line = 0;
    bool used = false;
  };
  std::string list_path_;
  std::map<std::pair<std::string, std::string>, Exception> exceptions_;
};

// What decides (core, proto, sim) reads no clock, draws no randomness that it was not given, starts
// no thread, does no I/O, iterates no unordered container, orders by no pointer and computes with
// no floating point.
Findings check_purity(const Tree& tree, Exceptions& exceptions);

// Which folder may include which, and which folders may include whose library; and that a source
// file begins with its own header.
Findings check_includes(const Tree& tree, Exceptions& exceptions);

// What an #include on this line of code names: `<vector>` or `"core/replica.h"`, with the marks.
// The code says that it is one, the text says which.
std::string included_by(std::string_view code_line, std::string_view text_line);

}  // namespace anchor::tidy
