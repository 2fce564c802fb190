#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/options.h"
#include "core/base/random.h"
#include "io/http_client_codec.h"

namespace anchor::cli {

struct BenchRequest {
  enum class Kind : std::uint8_t { kGet, kPut, kTransaction, kList, kGrant, kKeepAlive };

  std::uint64_t key = 0;  // of a list, the first
  Kind kind = Kind::kGet;

  bool writes() const {
    return kind == Kind::kPut || kind == Kind::kTransaction || kind == Kind::kGrant;
  }
};

// Draws requests, and writes them out without an allocation for each.
class BenchWorkload {
 public:
  explicit BenchWorkload(const BenchCommand& plan);

  // Whether the keys, or the leases, must be there before it is measured; then each of them by a
  // request that says so when it is answered.
  bool needs_filling() const;
  BenchRequest fill(std::uint64_t key) const;
  void filled(const BenchRequest& request, const io::HttpReply& reply);

  // The next of an endless sequence, the same in every run.
  BenchRequest draw();

  // Requires: request.key is below the plan's keys.
  void append(const BenchRequest& request, io::HttpClientCodec& codec, std::string& output);

 private:
  const BenchCommand plan_;
  Random random_;
  // With a key in them, as "bench-000000000042", whose digits are overwritten.
  std::string write_target_;
  std::string read_target_;
  std::string list_target_;
  std::string transaction_;
  std::string value_;
  // Instead of keys, if these are kept alive.
  std::vector<std::uint64_t> leases_;
};

}  // namespace anchor::cli
