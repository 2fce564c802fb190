#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/clients.h"
#include "tests/chaos/lease_holder.h"
#include "tests/chaos/lock_holder.h"
#include "tests/chaos/watchers.h"
#include "tests/chaos/wire.h"

// What a run tells about what it did.
namespace anchor::chaos {

void print_faults(const std::map<std::string, std::uint64_t>& faults, const WireCounts& wire);
// What the servers say that has happened to them.
void print_events(const std::string& directory);
void print_operations(const std::vector<Operation>& history);
void print_counts(const ClientCounts& counts);

struct NamedCount {
  const char* name = "";
  std::uint64_t count = 0;
  // A run in which there was none of it has not judged much.
  bool needed = true;
};
using NamedCounts = std::vector<NamedCount>;

NamedCounts counts_of(const WatcherCounts& counts);
NamedCounts counts_of(const LeaseCounts& leases, const LockCounts& locks);
// False: there was none of something that is needed.
bool print_all(const NamedCounts& counts);

}  // namespace anchor::chaos
