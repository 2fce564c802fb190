#pragma once

#include <expected>
#include <optional>

#include "core/kv/key_range.h"
#include "server/http_error.h"
#include "server/http_target.h"
#include "server/range_answer.h"

namespace anchor::server {

// Which keys the parameters of a request under /kv/ name, and how they are to be listed.
struct RangeRequest {
  kv::KeyRange range;
  PageOptions page;
};

// The keys of all of prefix, start and end that are given.
class RangeParameters {
 public:
  // True: it is one of these, and was taken, or is the error that follows.
  bool take(const QueryParameter& parameter);
  std::optional<ApiError> error() const { return error_; }
  bool any() const { return any_; }
  bool has_prefix() const { return prefix_.has_value(); }

  // Requires: no error.
  RangeRequest finish() const;

 private:
  bool take_flag(const QueryParameter& parameter, bool& flag);
  bool fail(std::string message);

  std::optional<std::string> prefix_;
  std::optional<std::string> start_;
  std::optional<std::string> end_;
  PageOptions page_;
  bool any_ = false;
  std::optional<ApiError> error_;
};

}  // namespace anchor::server
