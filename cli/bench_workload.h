#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/options.h"
#include "core/base/random.h"
#include "io/http_client_codec.h"

namespace anchor::cli {

struct BenchRequest {
  std::uint64_t key = 0;
  bool write = false;
};

// Draws requests, and writes them out without an allocation for each.
class BenchWorkload {
 public:
  explicit BenchWorkload(const BenchCommand& plan);

  // The next of an endless sequence, the same in every run.
  BenchRequest draw();

  // Requires: request.key is below the plan's keys.
  void append(const BenchRequest& request, io::HttpClientCodec& codec, std::string& output);

 private:
  const BenchCommand plan_;
  Random random_;
  // "/kv/bench-000000000042", whose digits are overwritten; reads say their consistency after it.
  std::string write_target_;
  std::string read_target_;
  std::string value_;
};

}  // namespace anchor::cli
