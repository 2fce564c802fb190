#pragma once

#include <expected>
#include <string>

namespace anchor {

// What the environment did to us, in words for the operator: a cause, and where it is known what to
// do about it. Code that reacts to one kind of error has a type of its own for it.
struct Error {
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> failure(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

}  // namespace anchor
