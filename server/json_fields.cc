#include "server/json_fields.h"

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "server/http_target.h"

namespace anchor::server {
namespace {

using Json = nlohmann::json;

ApiError bad_request(std::string message) {
  return {.code = "bad_request", .message = std::move(message)};
}

// JSON, or what `curl -d` calls any body if it is not told better: nobody sends a form here.
bool acceptable_type(const io::HttpRequest& request) {
  const auto header = request.header("Content-Type");
  if (!header) return true;
  const std::string_view type = io::without_trailing_space(header->substr(0, header->find(';')));
  return io::equals_ignoring_case(type, "application/json") ||
         io::equals_ignoring_case(type, "application/x-www-form-urlencoded");
}

// Follows the parser, which lets the last of fields with one name win: whoever repeats one may have
// meant the first.
struct RepeatedField {
  std::vector<std::set<std::string>> open{};  // the names in each object that has not ended
  std::optional<std::string> name{};

  bool operator()(int, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open.back().insert(key).second && !name) name = key;
    }
    return true;
  }
};

}  // namespace

JsonFields::JsonFields(Json object, std::string where)
    : json_(std::move(object)), where_(std::move(where)) {
  if (json_.is_object()) return;
  error_ = bad_request(where_.empty() ? "the body is no JSON object"
                                      : where_.substr(0, where_.size() - 1) + " is no JSON object");
  json_ = Json::object();
}

std::string JsonFields::named(std::string_view name) const {
  return "the field '" + where_ + std::string(name) + "'";
}

void JsonFields::allow_null(const char* name) {
  const auto found = json_.find(name);
  if (found != json_.end() && found->is_null()) json_.erase(found);
}

std::string JsonFields::text(const char* name) {
  if (!has(name)) fail(named(name) + " is missing");
  return optional_text(name);
}

std::string JsonFields::optional_text(const char* name) {
  const Json value = take(name);
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  fail(named(name) + " is no string");
  return {};
}

bool JsonFields::flag(const char* name) {
  const Json value = take(name);
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  fail(named(name) + " is neither true nor false");
  return false;
}

std::uint64_t JsonFields::number(const char* name) {
  if (!has(name)) fail(named(name) + " is missing");
  return optional_number(name).value_or(0);
}

std::optional<std::uint64_t> JsonFields::optional_number(const char* name) {
  constexpr std::uint64_t kBound = std::uint64_t{1} << 53;
  const Json value = take(name);
  if (value.is_null()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() < kBound) {
    return value.get<std::uint64_t>();
  }
  fail(named(name) + " is no whole number from 0 to 2^53 - 1");
  return std::nullopt;
}

std::optional<std::string> JsonFields::bytes(const char* name, const char* encoding_name) {
  if (!has(name)) return std::nullopt;
  std::string value = optional_text(name);
  const std::string encoding = optional_text(encoding_name);
  if (encoding.empty()) return value;
  if (encoding != "base64") fail(named(encoding_name) + " must be base64");
  auto decoded = base64_decoded(value);
  if (!decoded) fail(named(name) + " is no base64");
  return decoded.value_or("");
}

Json JsonFields::array(const char* name) {
  Json value = take(name);
  if (value.is_null()) return Json::array();
  if (value.is_array()) return value;
  fail(named(name) + " is no array");
  return Json::array();
}

Json JsonFields::take(const char* name) {
  const auto found = json_.find(name);
  if (found == json_.end()) return nullptr;
  Json value = std::move(*found);
  json_.erase(found);
  if (value.is_null()) fail(named(name) + " is null");
  return value;
}

void JsonFields::fail(const std::string& message) {
  if (!error_) error_ = bad_request(message);
}

void JsonFields::check(const char* name, const Result<void>& sound) {
  if (!sound) fail(named(name) + ": " + sound.error().message);
}

void JsonFields::too_large(const char* name, const std::string& message) {
  if (error_) return;
  error_ = ApiError{.status = 413, .code = "too_large", .message = named(name) + ": " + message};
}

std::optional<ApiError> JsonFields::error() {
  if (!json_.empty()) {
    fail("the field " + in_quotes(where_ + json_.begin().key()) + " is unknown");
  }
  return std::move(error_);
}

std::expected<JsonFields, ApiError> read_json_body(const io::HttpRequest& request) {
  if (!acceptable_type(request)) {
    return std::unexpected(ApiError{
        .status = 415, .code = "bad_request", .message = "the body must be application/json"});
  }
  const std::string_view body = request.body.text();
  RepeatedField repeated;
  Json json = body.empty() ? Json::object() : Json::parse(body, std::ref(repeated), false);
  if (json.is_discarded()) return std::unexpected(bad_request("the body is no JSON"));
  if (repeated.name) {
    return std::unexpected(
        bad_request("the field " + in_quotes(*repeated.name) + " is given twice"));
  }
  return JsonFields(std::move(json));
}

}  // namespace anchor::server
