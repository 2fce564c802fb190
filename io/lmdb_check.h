#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <variant>

#include "core/base/result.h"

namespace anchor::io {

// The file holds what LMDB did not write.
struct LmdbDamage {
  std::string message;
};
// The Error: it cannot be read, which says nothing about what it holds.
using LmdbCheckFailure = std::variant<LmdbDamage, Error>;

// Reads a file of LMDB 0.9 by itself and verifies its structure, since LMDB has no checksums,
// believes what it finds, and may crash on it or, worse, write over pages that are in use. Must
// pass before LMDB opens the file. Verified are: both meta pages, and that the older is the newer's
// predecessor; in the trees of both every page's and node's place, kind and size, and the order of
// keys; that no page serves two ends, free pages included. Not verified is what values say: they
// carry checksums of their own.
//
// Returns the number of the newest transaction: zero if nothing was ever committed, or there is no
// such file, or an empty one.
std::expected<std::uint64_t, LmdbCheckFailure> check_lmdb_file(const std::string& path);

}  // namespace anchor::io
