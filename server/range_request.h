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
  // A prefix, or both ends.
  bool bounded() const { return prefix_ || (start_ && end_); }
  // One that says how to list them, rather than which; empty: none was given.
  const std::string& page_parameter() const { return page_parameter_; }

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
  std::string page_parameter_;
  std::optional<ApiError> error_;
};

}  // namespace anchor::server
