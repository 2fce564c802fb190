#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/chaos/any_server.h"
#include "tests/chaos/lock_history.h"

namespace anchor::chaos {

struct LockCounts {
  std::atomic<std::uint64_t> acquired = 0;
  std::atomic<std::uint64_t> held_by_others = 0;
  std::atomic<std::uint64_t> not_served = 0;
  std::atomic<std::uint64_t> kept_alive = 0;
  std::atomic<std::uint64_t> released = 0;
  std::atomic<std::uint64_t> left = 0;  // never released: its holder vanished
  std::atomic<std::uint64_t> lost = 0;  // while its holder was too late
};

// One of those that contend for a few locks.
class LockHolder {
 public:
  // `counts` must outlive it.
  LockHolder(std::uint32_t number, std::uint32_t locks,
             const std::vector<cluster::Endpoint>& servers, std::uint64_t seed, LockCounts& counts)
      : number_(number), locks_(locks), servers_(servers, seed), counts_(counts) {}

  static std::string path_of(std::uint32_t lock) { return "/lock/l" + std::to_string(lock); }

  // Asks for a lock, has it for a while, and lets it go.
  void live(const std::atomic<bool>& stopping);

  const std::vector<Holding>& holdings() const { return holdings_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  bool keep_alive(Holding& holding, std::uint64_t lease, Duration ttl);
  void release(Holding& holding);
  void report(const std::string& what, const Told& told, const Holding& holding);

  std::uint32_t number_;
  std::uint32_t locks_;
  AnyServer servers_;
  LockCounts& counts_;
  std::vector<Holding> holdings_;
  std::vector<std::string> violations_;
};

}  // namespace anchor::chaos
