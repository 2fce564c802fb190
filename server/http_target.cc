#include "server/http_target.h"

#include <algorithm>
#include <string>

#include "io/percent_encoding.h"

namespace anchor::server {
namespace {

constexpr std::size_t kQuotedBytes = 64;
// More than any request has; each is held against those before it.
constexpr std::size_t kMostParameters = 32;

std::expected<QueryParameter, BadParameter> parse_parameter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return std::unexpected(BadParameter{"the parameter " + in_quotes(text) + " has no value"});
  }
  const auto name = io::percent_decoded(text.substr(0, equals));
  const auto value = io::percent_decoded(text.substr(equals + 1));
  if (!name || !value) {
    return std::unexpected(
        BadParameter{"the parameter " + in_quotes(text) + " has a bad percent-encoding"});
  }
  return QueryParameter{text, *name, *value};
}

}  // namespace

std::expected<HttpTarget, BadParameter> parse_target(std::string_view target) {
  const std::size_t question = target.find('?');
  HttpTarget parsed{.path = target.substr(0, question)};
  if (question == std::string_view::npos) return parsed;

  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::size_t size = std::min(query.find('&'), query.size());
    if (parsed.parameters.size() == kMostParameters) {
      return std::unexpected(
          BadParameter{"there are more than " + std::to_string(kMostParameters) + " parameters"});
    }
    auto parameter = parse_parameter(query.substr(0, size));
    if (!parameter) return std::unexpected(std::move(parameter.error()));
    const auto repeats = [&](const QueryParameter& other) { return other.name == parameter->name; };
    if (std::ranges::any_of(parsed.parameters, repeats)) {
      return std::unexpected(
          BadParameter{"the parameter " + in_quotes(parameter->text) + " is given twice"});
    }
    parsed.parameters.push_back(std::move(*parameter));
    query.remove_prefix(std::min(size + 1, query.size()));
  }
  return parsed;
}

std::string in_quotes(std::string_view text) {
  const std::string_view shown = text.substr(0, kQuotedBytes);
  return '\'' + std::string(shown) + (shown.size() < text.size() ? "...'" : "'");
}

}  // namespace anchor::server
