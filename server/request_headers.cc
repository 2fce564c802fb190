#include "server/request_headers.h"

#include <cstdint>
#include <string>

#include "core/base/text.h"

namespace anchor::server {
namespace {

ApiError bad_request(std::string message) {
  return {.code = "bad_request", .message = std::move(message)};
}

// What JSON holds exactly.
constexpr std::uint64_t kNumberMost = (std::uint64_t{1} << 53) - 1;

}  // namespace

std::expected<std::optional<std::string_view>, ApiError> single_header(
    const io::HttpRequest& request, std::string_view name) {
  std::optional<std::string_view> found;
  for (const io::HttpHeader& header : request.headers) {
    if (!io::equals_ignoring_case(header.name, name)) continue;
    if (found) {
      return std::unexpected(bad_request("the header " + std::string(name) + " is given twice"));
    }
    found = header.value;
  }
  return found;
}

std::expected<std::optional<kv::SessionWrite>, ApiError> session_write_of(
    const io::HttpRequest& request) {
  const auto session = single_header(request, "Anchor-Session");
  if (!session) return std::unexpected(session.error());
  const auto sequence = single_header(request, "Anchor-Sequence");
  if (!sequence) return std::unexpected(sequence.error());
  if (!*session && !*sequence) return std::nullopt;
  if (!*session || !*sequence) {
    return std::unexpected(
        bad_request("Anchor-Session and Anchor-Sequence go together; one is missing"));
  }
  const auto id = parse_number(**session, 1, kNumberMost);
  if (!id) return std::unexpected(bad_request("Anchor-Session must be a session's id"));
  const auto number = parse_number(**sequence, 1, kNumberMost);
  if (!number) return std::unexpected(bad_request("Anchor-Sequence must be a number above 0"));
  return kv::SessionWrite{kv::SessionId(*id), *number};
}

}  // namespace anchor::server
