#include "tests/chaos/counts.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace anchor::chaos {

void print_faults(const std::map<std::string, std::uint64_t>& faults, const WireCounts& wire) {
  std::cout << "\nfaults:\n";
  for (const auto& [what, count] : faults) std::cout << "  " << count << " x " << what << '\n';
  std::cout << "packets: " << wire.carried << " carried, " << wire.cut << " cut off, " << wire.lost
            << " lost, " << wire.duplicated << " duplicated, " << wire.delayed << " delayed\n";
}

void print_events(const std::string& directory) {
  constexpr std::pair<const char*, const char*> kEvents[] = {
      {"elected leader", "elections"},
      {"hands leadership over", "transfers begun"},
      {"the log begins after", "logs cut"},
      {"installed the snapshot", "snapshots installed"},
      {"removed from the cluster", "servers that learnt of their removal"}};
  std::map<std::string, std::size_t> counts;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream log(entry.path());
    for (std::string line; std::getline(log, line);) {
      for (const auto& [text, name] : kEvents) counts[name] += line.contains(text) ? 1 : 0;
    }
  }
  std::cout << "events, by the servers' logs:\n";
  for (const auto& [name, count] : counts) std::cout << "  " << count << " x " << name << '\n';
}

void print_operations(const std::vector<Operation>& history) {
  constexpr const char* kKinds[] = {"puts", "deletes", "reads", "stale reads"};
  std::cout << "operations:\n";
  for (std::size_t kind = 0; kind < std::size(kKinds); ++kind) {
    std::array<std::size_t, 4> outcomes{};
    for (const Operation& operation : history) {
      if (static_cast<std::size_t>(operation.kind) == kind) {
        ++outcomes[static_cast<std::size_t>(operation.outcome)];
      }
    }
    std::cout << "  " << kKinds[kind] << ": " << outcomes[0] << " done, " << outcomes[1]
              << " with a condition that failed, " << outcomes[2] << " refused, " << outcomes[3]
              << " unknown\n";
  }
}

void print_counts(const ClientCounts& counts) {
  std::cout << "  in " << counts.transactions << " transactions, " << counts.lists << " lists, "
            << counts.session_writes << " writes of sessions: sent again " << counts.retries
            << " times without an answer, " << counts.repeated << " times after it\n";
}

NamedCounts counts_of(const WatcherCounts& counts) {
  return {{"events shown by watches", counts.events},
          {"marks of progress", counts.progress, false},
          {"watches resumed", counts.resumptions},
          {"watches left within a revision", counts.within},
          {"resyncs of watches", counts.resyncs}};
}

NamedCounts counts_of(const LeaseCounts& leases, const LockCounts& locks) {
  return {{"leases granted", leases.granted},
          {"leases granted with a key", leases.granted_with_key},
          {"leases kept alive", leases.kept_alive},
          {"reads of keys while their lease was alive", leases.reads},
          {"leases revoked", leases.revoked},
          {"leases left to end", leases.left},
          {"of these seen to end before all was over", leases.ended, false},
          {"requests about leases that were not served", leases.not_served, false},
          {"locks acquired", locks.acquired},
          {"locks that others had", locks.held_by_others},
          {"locks kept alive", locks.kept_alive},
          {"locks released", locks.released},
          {"locks left", locks.left},
          {"locks lost by being late", locks.lost, false},
          {"requests about locks that were not served", locks.not_served, false}};
}

bool print_all(const NamedCounts& counts) {
  std::cout << "watches, leases and locks:\n";
  for (const auto& [name, count, needed] : counts) {
    std::cout << "  " << count << " x " << name << '\n';
  }
  return std::ranges::none_of(counts, [](const NamedCount& c) { return c.needed && c.count == 0; });
}

}  // namespace anchor::chaos
