#include "io/http_request_line.h"

#include <algorithm>
#include <array>

namespace anchor::io {
namespace {

HttpMethod method_of(std::string_view name) {
  constexpr std::array kMethods = {HttpMethod::kGet, HttpMethod::kHead, HttpMethod::kPut,
                                   HttpMethod::kPost, HttpMethod::kDelete};
  for (const HttpMethod method : kMethods) {
    if (name == method_name(method)) return method;
  }
  return HttpMethod::kOther;
}

// RFC 3986 has none of the four in a URI. A '#' would begin a fragment, which clients do not send,
// and another server might cut it off where anchor does not.
bool allowed_in_target(char c) {
  return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>';
}

std::unexpected<HttpRefusal> bad(std::string_view message) {
  return std::unexpected(HttpRefusal{400, "bad_request", message});
}

}  // namespace

std::expected<HttpRequestLine, HttpRefusal> parse_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos || method_end == 0) return bad("malformed request line");
  const std::string_view rest = line.substr(method_end + 1);
  const std::size_t target_end = rest.find(' ');
  if (target_end == std::string_view::npos) return bad("the request line names no HTTP version");

  const std::string_view target = rest.substr(0, target_end);
  const std::string_view version = rest.substr(target_end + 1);
  // What follows it would be no HTTP, whatever its headers say of a body (RFC 9110, 9.3.6).
  if (line.starts_with("CONNECT ")) return bad("this is no proxy");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return bad("the protocol is neither HTTP/1.1 nor HTTP/1.0");
  }
  if (!target.starts_with('/')) return bad("the target must be a path, beginning with '/'");
  if (target.contains('#')) return bad("the target has a fragment");
  if (!std::ranges::all_of(target, allowed_in_target)) {
    return bad("the target has a character that must be percent-encoded");
  }
  return HttpRequestLine{method_of(line.substr(0, method_end)), target, version == "HTTP/1.0"};
}

}  // namespace anchor::io
