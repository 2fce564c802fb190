#pragma once

#include <cstdint>
#include <utility>

namespace anchor::cluster {

// A free port of the loopback, ours for as long as this object lives: bound, but not listened on,
// so that a server can take it over, and nothing else is given it while that server is down.
class ReservedPort {
 public:
  ReservedPort();
  ~ReservedPort();
  ReservedPort(ReservedPort&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
  ReservedPort& operator=(ReservedPort&&) = delete;

  std::uint16_t number() const { return number_; }
  // From now on it is in use.
  void listen() const;

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

}  // namespace anchor::cluster
