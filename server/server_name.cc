#include "server/server_name.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "io/host_port.h"
#include "server/http_target.h"

namespace anchor::server {

// It names a directory, too, so that "." and ".." are none.
Result<void> check_server_id(std::string_view text) {
  const auto alphanumeric = [](unsigned char c) { return std::isalnum(c) != 0; };
  const auto allowed = [&](unsigned char c) {
    return alphanumeric(c) || c == '-' || c == '_' || c == '.';
  };
  if (text.empty() || text.size() > 63 || !alphanumeric(text.front()) ||
      !std::ranges::all_of(text, allowed)) {
    return failure(in_quotes(text) +
                   " is not an id: 1 to 63 letters, digits, '-', '_' or '.', of which the first "
                   "is a letter or a digit");
  }
  return {};
}

Result<void> check_dialled_address(std::string_view text) {
  const auto parsed = io::parse_host_port(text);
  if (!parsed) return std::unexpected(parsed.error());
  // A name's length in DNS. It is stored with the cluster, and written to logs.
  constexpr std::size_t kLongestHost = 253;
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (parsed->host.size() > kLongestHost || !std::ranges::all_of(parsed->host, printable)) {
    return failure("no host has such a name");
  }
  if (io::is_wildcard(parsed->host)) {
    return failure(in_quotes(text) + " is a wildcard, to which nobody can connect");
  }
  return {};
}

}  // namespace anchor::server
