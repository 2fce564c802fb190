#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/host.h"
#include "tests/chaos/lease_holder.h"
#include "tests/chaos/lock_holder.h"

namespace anchor::chaos {

struct HoldersOptions {
  std::size_t lease_holders = 4;
  std::size_t lock_holders = 6;
  std::uint32_t locks = 3;
  std::uint64_t seed = 1;
};

// Clients on a host of their own that take leases and locks, each through any server.
class Holders {
 public:
  Holders(const HoldersOptions& options, const Host& host, std::vector<cluster::Endpoint> servers);
  ~Holders() { stop(); }
  Holders(const Holders&) = delete;
  Holders& operator=(const Holders&) = delete;

  void stop();
  // All leases end when nobody keeps them alive, with their keys, and then each lock can be had.
  // What does not, which is a violation. Requires: stopped, and nothing is broken.
  std::vector<std::string> see_all_end();
  // Requires: stopped.
  const std::vector<Holding>& holdings() const { return holdings_; }
  // What they saw themselves; the holdings have the rest.
  const std::vector<std::string>& violations() const { return violations_; }
  const LeaseCounts& lease_counts() const { return lease_counts_; }
  const LockCounts& lock_counts() const { return lock_counts_; }

 private:
  template <typename Holder>
  void start(Holder& holder);

  const HoldersOptions options_;
  const Host& host_;
  const std::vector<cluster::Endpoint> servers_;
  std::atomic<bool> stopping_ = false;
  LeaseCounts lease_counts_;
  LockCounts lock_counts_;
  std::vector<std::unique_ptr<LeaseHolder>> lease_holders_;
  std::vector<std::unique_ptr<LockHolder>> lock_holders_;
  std::vector<std::thread> threads_;
  std::vector<Holding> holdings_;
  std::vector<std::string> violations_;
};

}  // namespace anchor::chaos
