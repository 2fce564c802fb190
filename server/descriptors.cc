#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "core/base/assert.h"

namespace anchor::server {
namespace {

constexpr std::size_t kMostHttpConnections = 16384;
// For the connections of peers in both directions, the data directory, and what libraries open.
constexpr std::size_t kReserved = 256;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ANCHOR_ASSERT(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  // At worst it stays as it was.
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

std::size_t http_connection_count(std::size_t descriptor_limit) {
  const std::size_t reserved = std::min(kReserved, descriptor_limit / 2);
  return std::min(kMostHttpConnections, descriptor_limit - reserved);
}

}  // namespace anchor::server
