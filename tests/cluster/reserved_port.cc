#include "tests/cluster/reserved_port.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/assert.h"

namespace anchor::cluster {

ReservedPort::ReservedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  ANCHOR_ASSERT(socket_ >= 0);
  // Two sockets may share a port if both say so and neither listens yet.
  const int yes = 1;
  ANCHOR_ASSERT(::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  ANCHOR_ASSERT(::bind(socket_, plain, size) == 0);
  ANCHOR_ASSERT(::getsockname(socket_, plain, &size) == 0);
  number_ = ntohs(address.sin_port);
}

ReservedPort::~ReservedPort() {
  if (socket_ >= 0) ::close(socket_);
}

void ReservedPort::listen() const {
  ANCHOR_ASSERT(::listen(socket_, 1) == 0);
}

}  // namespace anchor::cluster
