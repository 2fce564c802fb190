#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace anchor::chaos {

// A machine as far as the network goes: a network namespace with a loopback and one interface,
// whose wire is in this program's hand.
class Host {
 public:
  // Its address is 10.77.0.`number`. Requires: 1 <= number <= 254; may_make_hosts().
  explicit Host(std::uint8_t number);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& address() const { return address_; }
  // A packet a read, a packet a write; it does not block.
  int wire() const { return wire_; }
  // For setns(2).
  int network_namespace() const { return namespace_; }
  // From now on the calling thread makes its sockets there.
  void enter() const;

 private:
  std::string address_;
  int wire_ = -1;
  int namespace_ = -1;
};

// True if this process may make hosts; it becomes root in a user namespace of its own if it must.
// Requires: no thread has been started yet.
bool may_make_hosts();

}  // namespace anchor::chaos
