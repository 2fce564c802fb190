#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/chaos/host.h"
#include "tests/cluster/eventually.h"

namespace anchor::chaos {

using Clock = std::chrono::steady_clock;

// What becomes of packets that go one way between two hosts.
struct Link {
  bool cut = false;
  std::uint32_t loss_ppm = 0;
  std::uint32_t duplicate_ppm = 0;
  // Each is late by something up to this, and so they overtake one another.
  Duration delay_most{};
};

struct WireCounts {
  std::uint64_t carried = 0;
  std::uint64_t cut = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t delayed = 0;
};

// The network between hosts: a thread that carries IPv4 packets from one to another, as the links
// have it.
class Wire {
 public:
  Wire(std::size_t hosts, std::uint64_t seed);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  std::size_t size() const { return hosts_.size(); }
  const Host& host(std::size_t number) const { return *hosts_[number]; }
  Link link(std::size_t from, std::size_t to) const;
  void set_link(std::size_t from, std::size_t to, const Link& link);
  WireCounts counts() const;

 private:
  struct Late {
    Clock::time_point due;
    std::uint64_t ordinal;
    std::size_t to;
    std::string packet;

    friend bool operator<(const Late& a, const Late& b) {
      return std::tie(a.due, a.ordinal) > std::tie(b.due, b.ordinal);
    }
  };

  void run();
  void take_from(std::size_t host);
  void carry(std::size_t from, std::string_view packet);
  void deliver_due();
  bool chance(std::uint32_t ppm) { return random_() % 1'000'000 < ppm; }

  std::vector<std::unique_ptr<Host>> hosts_;
  std::mt19937_64 random_;
  std::priority_queue<Late> late_;
  std::uint64_t last_ordinal_ = 0;

  mutable std::mutex mutex_;  // of what follows
  std::vector<std::vector<Link>> links_;
  WireCounts counts_;

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace anchor::chaos
