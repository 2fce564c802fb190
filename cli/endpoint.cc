#include "cli/endpoint.h"

#include <algorithm>

#include "io/host_port.h"

namespace anchor::cli {
namespace {

constexpr std::string_view kScheme = "http://";
// What a URL gives a meaning, or a terminal; none of it is in a host's name or address.
constexpr std::string_view kNotInHosts = "/?#@%\\\"<>[]{}|^` \t\r\n";

// The endpoint becomes a part of URLs as it is.
Result<void> check_endpoint(std::string_view endpoint) {
  const auto parsed = io::parse_host_port(endpoint);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->host.find_first_of(kNotInHosts) == std::string::npos) return {};
  return failure("'" + std::string(endpoint) + "' is not HOST:PORT");
}

}  // namespace

Result<std::vector<std::string>> parse_endpoints(std::string_view list) {
  std::vector<std::string> endpoints;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view endpoint = list.substr(0, comma);
    if (endpoint.starts_with("https://")) return failure("https is not supported by this version");
    if (endpoint.starts_with(kScheme)) endpoint.remove_prefix(kScheme.size());
    if (endpoint.ends_with('/')) endpoint.remove_suffix(1);
    if (const auto sound = check_endpoint(endpoint); !sound) return std::unexpected(sound.error());
    if (std::ranges::find(endpoints, endpoint) == endpoints.end()) {
      endpoints.emplace_back(endpoint);
    }
    if (comma == std::string_view::npos) return endpoints;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace anchor::cli
