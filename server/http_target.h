#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace anchor::server {

struct QueryParameter {
  std::string_view text;  // as it stands in the target
  std::string name;
  std::string value;
};

struct HttpTarget {
  std::string_view path;  // as it was sent: not decoded, nothing normalised
  std::vector<QueryParameter> parameters{};
};

// What is wrong with a parameter, in words that name it.
struct BadParameter {
  std::string message;
};

// Splits a target at its first '?', and what follows at every '&'. A parameter that is malformed or
// repeated is an error: which of two values counts is nothing to guess about.
std::expected<HttpTarget, BadParameter> parse_target(std::string_view target);

// Text of a client's for an error message: not longer than a line should be.
std::string in_quotes(std::string_view text);

}  // namespace anchor::server
