// Forced into every clang compilation. Cap'n Proto 0.9.2 declares StringPtr's comparison with a C
// string as a member only, which C++20's reversed candidates make ambiguous for clang (g++ accepts
// it). An exact non-member match settles the question.
#pragma once
#ifdef __cplusplus
#include <kj/string.h>

namespace kj {
inline bool operator==(const char* a, const StringPtr& b) {
  return StringPtr(a) == b;
}
inline bool operator!=(const char* a, const StringPtr& b) {
  return !(StringPtr(a) == b);
}
}  // namespace kj
#endif
