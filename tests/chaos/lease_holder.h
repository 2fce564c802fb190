#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/chaos/any_server.h"

namespace anchor::chaos {

struct LeaseCounts {
  std::atomic<std::uint64_t> granted = 0;
  std::atomic<std::uint64_t> granted_with_key = 0;  // of these, by ?ttl=
  std::atomic<std::uint64_t> kept_alive = 0;
  std::atomic<std::uint64_t> reads = 0;  // while it was alive for certain
  std::atomic<std::uint64_t> revoked = 0;
  std::atomic<std::uint64_t> left = 0;   // to end by itself
  std::atomic<std::uint64_t> ended = 0;  // of these, so far as was looked
  std::atomic<std::uint64_t> not_served = 0;
};

// One of those that take a lease, put a key with it, and look whether that stays as long as it
// should, and no longer.
class LeaseHolder {
 public:
  // All keys begin so.
  static constexpr std::string_view kPrefix = "held/";

  // `counts` must outlive it.
  LeaseHolder(std::uint32_t number, const std::vector<cluster::Endpoint>& servers,
              std::uint64_t seed, LeaseCounts& counts)
      : number_(number), servers_(servers, seed), counts_(counts) {}

  // One lease, until it is left or revoked.
  void live(const std::atomic<bool>& stopping);

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Lease {
    std::string key{};
    std::string value{};
    Duration ttl{};
    std::uint64_t id = 0;
    TimePoint sure_until{};
    // The key was put with it, for certain.
    bool put = false;
    // It was told that it is gone, or will be.
    bool gone = false;
  };

  bool grant(Lease& lease);
  bool grant_with_key(Lease& lease);
  void put(Lease& lease);
  void look_at(Lease& lease);
  void keep_alive(Lease& lease);
  void revoke(Lease& lease);
  void wait_for_end(Lease& lease, const std::atomic<bool>& stopping);
  void report(const std::string& what, const Told& told, const Lease& lease);

  std::uint32_t number_;
  AnyServer servers_;
  LeaseCounts& counts_;
  std::uint64_t last_key_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace anchor::chaos
