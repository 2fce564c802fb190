#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "tests/cluster/eventually.h"

namespace anchor::cluster {

// Where a server listens.
struct Endpoint {
  std::uint16_t port = 0;
  std::string address = "127.0.0.1";
};

// A blocking TCP connection, for bytes of any kind.
class Connection {
 public:
  static Result<Connection> open(std::uint16_t port) { return open(Endpoint{.port = port}); }
  static Result<Connection> open(const Endpoint& endpoint, Duration patience = kPatience);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  // An error: the other side has closed.
  Result<void> send(std::string_view bytes);
  // At least one byte; empty at the end of what the other side sends.
  Result<std::string> receive(Duration patience = kPatience);
  // All that comes until the other side closes, be it by a reset. An error: it does not close.
  Result<std::string> receive_all();
  // Nothing more will be sent.
  void finish();

 private:
  explicit Connection(int socket) : socket_(socket) {}

  int socket_;  // -1: moved from
};

}  // namespace anchor::cluster
