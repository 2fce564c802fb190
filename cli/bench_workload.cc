#include "cli/bench_workload.h"

#include <string_view>

#include "core/base/assert.h"

namespace anchor::cli {
namespace {

constexpr std::string_view kPrefix = "/kv/bench-";
// Of the same length for every key, so that requests are.
constexpr std::size_t kKeyDigits = 12;
constexpr std::uint64_t kSeed = 1;

void write_key(std::uint64_t key, std::string& target) {
  for (std::size_t i = kKeyDigits; i-- > 0; key /= 10) {
    target[kPrefix.size() + i] = static_cast<char>('0' + key % 10);
  }
}

}  // namespace

BenchWorkload::BenchWorkload(const BenchCommand& plan)
    : plan_(plan),
      random_(kSeed),
      write_target_(std::string(kPrefix) + std::string(kKeyDigits, '0')),
      read_target_(write_target_) {
  if (plan.consistency != "linearizable") read_target_ += "?consistency=" + plan.consistency;
  // Letters at random: nothing on the way can make the value smaller than it is.
  for (std::size_t i = 0; i < plan.value_bytes; ++i) {
    value_.push_back(static_cast<char>('a' + random_.below(26)));
  }
}

BenchRequest BenchWorkload::draw() {
  BenchRequest request;
  request.key = random_.below(plan_.keys);
  switch (plan_.mode) {
    case BenchCommand::Mode::kPut:
      request.write = true;
      break;
    case BenchCommand::Mode::kGet:
      break;
    case BenchCommand::Mode::kMixed:
      request.write = !random_.chance(plan_.read_ppm);
  }
  return request;
}

void BenchWorkload::append(const BenchRequest& request, io::HttpClientCodec& codec,
                           std::string& output) {
  ANCHOR_ASSERT(request.key < plan_.keys);
  std::string& target = request.write ? write_target_ : read_target_;
  write_key(request.key, target);
  if (request.write) {
    codec.append_request(io::HttpMethod::kPut, target, "", as_bytes(value_), output);
  } else {
    codec.append_request(io::HttpMethod::kGet, target, "", {}, output);
  }
}

}  // namespace anchor::cli
