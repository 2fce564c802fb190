#include "io/http_message.h"

#include <algorithm>

namespace anchor::io {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view method_name(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kHead:
      return "HEAD";
    case HttpMethod::kPut:
      return "PUT";
    case HttpMethod::kPost:
      return "POST";
    case HttpMethod::kDelete:
      return "DELETE";
    case HttpMethod::kOther:
      break;
  }
  return "other";
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_trailing_space(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::optional<std::string_view> find_header(std::span<const HttpHeader> headers,
                                            std::string_view name) {
  const auto found = std::ranges::find_if(headers, [name](const HttpHeader& header) {
    return equals_ignoring_case(header.name, name);
  });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

void HttpResponse::add_header(std::string_view name, std::string_view value) {
  header_lines.append(name).append(": ").append(value).append("\r\n");
}

void HttpResponse::add_header(std::string_view name, std::uint64_t value) {
  add_header(name, std::to_string(value));
}

}  // namespace anchor::io
