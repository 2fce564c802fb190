#include "tests/chaos/wire.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "core/base/assert.h"

namespace anchor::chaos {
namespace {

constexpr std::size_t kPacketBytesMost = 64 << 10;
// Of an IPv4 header (RFC 791).
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kLastByteOfDestination = 19;

}  // namespace

Wire::Wire(std::size_t hosts, std::uint64_t seed)
    : random_(seed), links_(hosts, std::vector<Link>(hosts)) {
  for (std::size_t i = 0; i < hosts; ++i) {
    hosts_.push_back(std::make_unique<Host>(static_cast<std::uint8_t>(i + 1)));
  }
  thread_ = std::thread([this] { run(); });
}

Wire::~Wire() {
  stopping_ = true;
  thread_.join();
}

Link Wire::link(std::size_t from, std::size_t to) const {
  const std::scoped_lock lock(mutex_);
  return links_[from][to];
}

void Wire::set_link(std::size_t from, std::size_t to, const Link& link) {
  const std::scoped_lock lock(mutex_);
  links_[from][to] = link;
}

WireCounts Wire::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

void Wire::run() {
  std::vector<pollfd> wires;
  for (const auto& host : hosts_) {
    wires.push_back({.fd = host->wire(), .events = POLLIN, .revents = 0});
  }
  while (!stopping_) {
    auto patience = std::chrono::nanoseconds(20'000'000);
    if (!late_.empty()) {
      const auto left = std::chrono::nanoseconds(late_.top().due - Clock::now());
      patience = std::clamp(left, std::chrono::nanoseconds(0), patience);
    }
    const timespec timeout{.tv_sec = 0, .tv_nsec = patience.count()};
    ::ppoll(wires.data(), wires.size(), &timeout, nullptr);
    for (std::size_t host = 0; host < wires.size(); ++host) {
      if ((wires[host].revents & POLLIN) != 0) take_from(host);
    }
    deliver_due();
  }
}

void Wire::take_from(std::size_t host) {
  std::array<char, kPacketBytesMost> packet{};
  // Not for ever: others wait, too.
  for (int i = 0; i < 64; ++i) {
    const ssize_t size = ::read(hosts_[host]->wire(), packet.data(), packet.size());
    if (size <= 0) return;
    carry(host, {packet.data(), static_cast<std::size_t>(size)});
  }
}

void Wire::carry(std::size_t from, std::string_view packet) {
  const bool ipv4 = packet.size() >= kHeaderBytes && packet[0] >> 4 == 4;
  const std::size_t number = ipv4 ? static_cast<unsigned char>(packet[kLastByteOfDestination]) : 0;
  if (number < 1 || number > hosts_.size() || number == from + 1) return;
  const std::size_t to = number - 1;
  const std::scoped_lock lock(mutex_);
  const Link& link = links_[from][to];
  if (link.cut) {
    ++counts_.cut;
    return;
  }
  if (chance(link.loss_ppm)) {
    ++counts_.lost;
    return;
  }
  const bool twice = chance(link.duplicate_ppm);
  counts_.duplicated += twice ? 1 : 0;
  for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
    ++counts_.carried;
    if (link.delay_most == Duration()) {
      // A full queue loses it, as queues do.
      static_cast<void>(!::write(hosts_[to]->wire(), packet.data(), packet.size()));
      continue;
    }
    ++counts_.delayed;
    const auto most = static_cast<std::uint64_t>(link.delay_most.count());
    const auto delay = std::chrono::microseconds(random_() % (most + 1));
    late_.push({Clock::now() + delay, ++last_ordinal_, to, std::string(packet)});
  }
}

void Wire::deliver_due() {
  const auto now = Clock::now();
  while (!late_.empty() && late_.top().due <= now) {
    const Late& late = late_.top();
    static_cast<void>(!::write(hosts_[late.to]->wire(), late.packet.data(), late.packet.size()));
    late_.pop();
  }
}

}  // namespace anchor::chaos
