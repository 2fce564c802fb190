#include "tests/cluster/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "io/file.h"

namespace anchor::cluster {

Result<Connection> Connection::open(const Endpoint& endpoint, Duration patience) {
  Connection connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1) {
    return failure(endpoint.address + " is no address");
  }
  // Linux waits no longer than this in connect(2) and send(2).
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  const timeval longest{.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
  ::setsockopt(connection.socket_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
  if (::connect(connection.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
      0) {
    return std::unexpected(io::system_error("connect", errno));
  }
  const int yes = 1;
  ::setsockopt(connection.socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return connection;
}

Connection::Connection(Connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

Result<void> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return std::unexpected(io::system_error("send", errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> Connection::receive(Duration patience) {
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  if (::poll(&readable, 1, static_cast<int>(ms)) != 1) return failure("nothing came in time");
  std::array<char, 1 << 16> buffer{};
  const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (size < 0) return std::unexpected(io::system_error("receive", errno));
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

Result<std::string> Connection::receive_all() {
  std::string all;
  while (true) {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 60'000) != 1) return failure("it does not close; so far: " + all);
    const auto some = receive();
    if (!some || some->empty()) return all;
    all += *some;
  }
}

void Connection::finish() {
  ::shutdown(socket_, SHUT_WR);
}

}  // namespace anchor::cluster
