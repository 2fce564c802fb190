#pragma once

#include <string>
#include <string_view>

namespace anchor {

// What is called when an assertion fails, before the process aborts. The simulator installs one
// that prints the line to replay; the default prints to stderr. A handler may not return.
using AssertionHandler = void (*)(const char* file, int line, const char* condition,
                                  std::string_view detail);
void set_assertion_handler(AssertionHandler handler);

[[noreturn]] void assertion_failed(const char* file, int line, const char* condition,
                                   std::string_view detail = {});

}  // namespace anchor

// A bug, not an outcome: always on, in every build. The optional second argument is text that
// describes the state.
#define ANCHOR_ASSERT(condition, ...) \
  (static_cast<bool>(condition)       \
       ? static_cast<void>(0)         \
       : ::anchor::assertion_failed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__))
