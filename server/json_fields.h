#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// The fields of a JSON object that a client sent, taken one by one. What is wrong with the first
// that is not as it should be is kept, and said in the end; what is taken after it means nothing.
class JsonFields {
 public:
  // `where` stands before a field's name in errors, as "success[0]."; none for a body's own.
  explicit JsonFields(nlohmann::json object, std::string where = {});

  bool has(const char* name) const { return json_.contains(name); }

  // Null is no value of any: whoever has none should not name the field. Where it may be said, this
  // takes it for nothing said.
  void allow_null(const char* name);

  // Requires of the client that it is there.
  std::string text(const char* name);
  std::string optional_text(const char* name);
  bool flag(const char* name);
  // Below 2^53: others are not exact in JSON.
  std::uint64_t number(const char* name);
  std::optional<std::uint64_t> optional_number(const char* name);
  // Text, or base64 if the field `encoding_name` says so.
  std::optional<std::string> bytes(const char* name, const char* encoding_name);
  // Objects; none if the field is not there.
  nlohmann::json array(const char* name);
  nlohmann::json take(const char* name);

  void fail(const std::string& message);
  void check(const char* name, const Result<void>& sound);
  // Answered 413.
  void too_large(const char* name, const std::string& message);

  // After all that are known have been taken.
  std::optional<ApiError> error();

 private:
  std::string named(std::string_view name) const;

  nlohmann::json json_;
  std::string where_;
  std::optional<ApiError> error_;
};

// The object that a request's body is; an empty body is an object without fields.
std::expected<JsonFields, ApiError> read_json_body(const io::HttpRequest& request);

}  // namespace anchor::server
