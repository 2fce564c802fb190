#include "server/range_request.h"

#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/kv/limits.h"

namespace anchor::server {

bool RangeParameters::fail(std::string message) {
  if (!error_) error_ = ApiError{.code = "bad_parameter", .message = std::move(message)};
  return true;
}

bool RangeParameters::take_flag(const QueryParameter& parameter, bool& flag) {
  flag = parameter.value == "true";
  if (flag || parameter.value == "false") return true;
  return fail(parameter.name + " must be true or false");
}

bool RangeParameters::take(const QueryParameter& parameter) {
  const std::string& name = parameter.name;
  for (const auto& [bound, key] :
       {std::pair("prefix", &prefix_), std::pair("start", &start_), std::pair("end", &end_)}) {
    if (name != bound) continue;
    any_ = true;
    if (parameter.value.size() > kv::kKeyBytes) return fail(name + " has more than 4096 bytes");
    *key = parameter.value;
    return true;
  }
  if (name == "keys" || name == "count" || name == "reverse" || name == "limit") {
    page_parameter_ = name;
  }
  if (name == "keys") return take_flag(parameter, page_.keys_only);
  if (name == "count") return take_flag(parameter, page_.count_only);
  if (name == "reverse") return take_flag(parameter, page_.reverse);
  if (name != "limit") return false;
  const auto limit = parse_number(parameter.value);
  if (!limit || *limit == 0) return fail("limit must be a number above 0");
  page_.limit = *limit;
  return true;
}

RangeRequest RangeParameters::finish() const {
  return {kv::KeyRange::of_bounds(prefix_, start_, end_), page_};
}

}  // namespace anchor::server
