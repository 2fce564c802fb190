#include "cli/endpoint.h"

#include <algorithm>
#include <charconv>

namespace anchor::cli {
namespace {

constexpr std::string_view kScheme = "http://";
// What a URL gives a meaning, or a terminal; none of it is in a host's name or address.
constexpr std::string_view kNotInHosts = "/?#@%\\\"<>[]{}|^` \t\r\n";

}  // namespace

Result<HostPort> split_endpoint(std::string_view endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = endpoint.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const bool sound = !host.empty() && host.find_first_of(kNotInHosts) == std::string_view::npos &&
                       (bracketed || host.find(':') == std::string_view::npos);
    std::uint16_t port = 0;
    const char* const end = endpoint.data() + endpoint.size();
    const auto [rest, error] = std::from_chars(endpoint.data() + colon + 1, end, port);
    if (sound && error == std::errc() && rest == end && port != 0) {
      return HostPort{std::string(host), port};
    }
  }
  return failure("'" + std::string(endpoint) + "' is not HOST:PORT");
}

Result<std::vector<std::string>> parse_endpoints(std::string_view list) {
  std::vector<std::string> endpoints;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view endpoint = list.substr(0, comma);
    if (endpoint.starts_with("https://")) return failure("https is not supported by this version");
    if (endpoint.starts_with(kScheme)) endpoint.remove_prefix(kScheme.size());
    if (endpoint.ends_with('/')) endpoint.remove_suffix(1);
    if (const auto sound = split_endpoint(endpoint); !sound) return std::unexpected(sound.error());
    if (std::ranges::find(endpoints, endpoint) == endpoints.end()) {
      endpoints.emplace_back(endpoint);
    }
    if (comma == std::string_view::npos) return endpoints;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace anchor::cli
