#pragma once

#include "tests/tidy/source.h"

namespace anchor::tidy {

// Blanks, columns, the end of a file, header guards, and words that stand for unfinished work.
Findings check_shape(const Tree& tree);

}  // namespace anchor::tidy
