#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace anchor {
namespace {

void print_failure(const char* file, int line, const char* condition, std::string_view detail) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s%s%.*s\n", file, line, condition,
               detail.empty() ? "" : ": ", static_cast<int>(detail.size()), detail.data());
  std::fflush(stderr);
}

AssertionHandler installed_handler = print_failure;

}  // namespace

void set_assertion_handler(AssertionHandler handler) {
  installed_handler = handler;
}

void assertion_failed(const char* file, int line, const char* condition, std::string_view detail) {
  installed_handler(file, line, condition, detail);
  std::abort();
}

}  // namespace anchor
