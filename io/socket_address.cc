#include "io/socket_address.h"

#include <netinet/in.h>

#include <array>
#include <cstring>

namespace anchor::io {
namespace {

const sockaddr_in& as_ipv4(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in&>(address);
}

const sockaddr_in6& as_ipv6(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr_in6&>(address);
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? as_ipv6(address).sin6_port
                                             : as_ipv4(address).sin_port);
}

}  // namespace

Result<sockaddr_storage> resolve_now(uv_loop_t* loop, const HostPort& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  uv_getaddrinfo_t lookup;
  const std::string port = std::to_string(address.port);
  // Without a callback it blocks.
  const int error =
      uv_getaddrinfo(loop, &lookup, nullptr, address.host.c_str(), port.c_str(), &hints);
  if (error != 0) return failure(uv_strerror(error));
  sockaddr_storage first{};
  std::memcpy(&first, lookup.addrinfo->ai_addr, lookup.addrinfo->ai_addrlen);
  uv_freeaddrinfo(lookup.addrinfo);
  return first;
}

std::optional<sockaddr_storage> numeric_address(const HostPort& address) {
  sockaddr_storage numeric{};
  if (uv_ip4_addr(address.host.c_str(), address.port, reinterpret_cast<sockaddr_in*>(&numeric)) ==
          0 ||
      uv_ip6_addr(address.host.c_str(), address.port, reinterpret_cast<sockaddr_in6*>(&numeric)) ==
          0) {
    return numeric;
  }
  return std::nullopt;
}

std::uint16_t local_port(const uv_tcp_t& tcp) {
  sockaddr_storage address{};
  int size = sizeof(address);
  uv_tcp_getsockname(&tcp, reinterpret_cast<sockaddr*>(&address), &size);
  return port_of(address);
}

std::string to_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (address.ss_family == AF_INET6) {
    uv_ip6_name(&as_ipv6(address), host.data(), host.size());
  } else {
    uv_ip4_name(&as_ipv4(address), host.data(), host.size());
  }
  return to_text(HostPort{host.data(), port_of(address)});
}

}  // namespace anchor::io
