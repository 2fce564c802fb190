#include "io/host_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/base/text.h"

namespace anchor::io {

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Without brackets nobody knows where an IPv6 address ends.
  const bool ambiguous = !bracketed && host.contains(':');
  if (colon != std::string_view::npos && !host.empty() && !ambiguous) {
    if (const auto port = parse_number(text.substr(colon + 1), 1, 65535)) {
      return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
    }
  }
  return failure("'" + std::string(text) + "' is not HOST:PORT");
}

bool is_wildcard(const std::string& host) {
  in_addr ipv4{};
  if (::inet_aton(host.c_str(), &ipv4) != 0) return ipv4.s_addr == INADDR_ANY;
  in6_addr ipv6{};
  return ::inet_pton(AF_INET6, host.c_str(), &ipv6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&ipv6) != 0;
}

std::string to_text(const HostPort& address) {
  const std::string port = ":" + std::to_string(address.port);
  if (address.host.contains(':')) return "[" + address.host + "]" + port;
  return address.host + port;
}

}  // namespace anchor::io
