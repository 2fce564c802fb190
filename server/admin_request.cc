#include "server/admin_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "server/http_target.h"
#include "server/options.h"

namespace anchor::server {
namespace {

using Json = nlohmann::json;
using Parsed = std::expected<raft::AdminRequest, ApiError>;

ApiError bad_request(std::string message) {
  return {.code = "bad_request", .message = std::move(message)};
}

// The fields of a body, taken one by one; what is wrong with the first that is.
class Fields {
 public:
  explicit Fields(Json json) : json_(std::move(json)) {}

  // Requires of the client that it is there.
  std::string text(const char* name) {
    if (!json_.contains(name)) fail("the field '" + std::string(name) + "' is missing");
    return optional_text(name);
  }
  std::string optional_text(const char* name) {
    const Json value = take(name);
    if (value.is_null()) return {};
    if (value.is_string()) return value.get<std::string>();
    fail("the field '" + std::string(name) + "' is no string");
    return {};
  }
  bool flag(const char* name) {
    const Json value = take(name);
    if (value.is_null()) return false;
    if (value.is_boolean()) return value.get<bool>();
    fail("the field '" + std::string(name) + "' is neither true nor false");
    return false;
  }
  raft::ServerId id(const char* name) {
    std::string name_of_server = text(name);
    check(name, check_server_id(name_of_server));
    return raft::ServerId(std::move(name_of_server));
  }
  void check(const char* name, const Result<void>& sound) {
    if (!sound) fail("the field '" + std::string(name) + "': " + sound.error().message);
  }

  // After all that are known have been taken.
  std::optional<ApiError> error() {
    if (!json_.empty()) fail("the field " + in_quotes(json_.begin().key()) + " is unknown");
    return std::move(error_);
  }

 private:
  Json take(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    Json value = std::move(*found);
    json_.erase(found);
    return value;
  }
  void fail(std::string message) {
    if (!error_) error_ = bad_request(std::move(message));
  }

  Json json_;
  std::optional<ApiError> error_;
};

raft::AdminRequest read_join(Fields& fields) {
  raft::AddServer add;
  add.id = fields.id("id");
  add.address = fields.text("address");
  fields.check("address", check_dialled_address(add.address));
  add.http_address = fields.optional_text("http_address");
  if (!add.http_address.empty()) {
    fields.check("http_address", check_dialled_address(add.http_address));
  }
  add.learner = fields.flag("learner");
  return add;
}

raft::AdminRequest read_remove(Fields& fields) {
  raft::RemoveServer remove;
  remove.id = fields.id("id");
  remove.force = fields.flag("force");
  return remove;
}

raft::AdminRequest read_promote(Fields& fields) {
  return raft::PromoteServer{fields.id("id")};
}

raft::AdminRequest read_transfer(Fields& fields) {
  std::string to = fields.optional_text("to");
  if (to.empty()) return raft::TransferLeadership{};
  fields.check("to", check_server_id(to));
  return raft::TransferLeadership{raft::ServerId(std::move(to))};
}

struct Path {
  std::string_view path;
  raft::AdminRequest (*read)(Fields&);
};
constexpr auto kPaths = std::to_array<Path>({{"/join", read_join},
                                             {"/remove", read_remove},
                                             {"/promote", read_promote},
                                             {"/transfer", read_transfer}});

// JSON, or what `curl -d` calls any body if it is not told better: nobody sends a form here.
bool acceptable_type(const io::HttpRequest& request) {
  const auto header = request.header("Content-Type");
  if (!header) return true;
  const std::string_view type = io::without_trailing_space(header->substr(0, header->find(';')));
  return io::equals_ignoring_case(type, "application/json") ||
         io::equals_ignoring_case(type, "application/x-www-form-urlencoded");
}

}  // namespace

bool is_admin_path(std::string_view path) {
  return std::ranges::find(kPaths, path, &Path::path) != kPaths.end();
}

Parsed parse_admin_request(std::string_view path, const io::HttpRequest& request) {
  if (!acceptable_type(request)) {
    return std::unexpected(ApiError{
        .status = 415, .code = "bad_request", .message = "the body must be application/json"});
  }
  const auto read = std::ranges::find(kPaths, path, &Path::path)->read;
  const std::string_view body = request.body.text();
  Json json = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  if (json.is_discarded()) return std::unexpected(bad_request("the body is no JSON"));
  if (!json.is_object()) return std::unexpected(bad_request("the body is no JSON object"));
  Fields fields(std::move(json));
  raft::AdminRequest parsed = read(fields);
  if (auto error = fields.error()) return std::unexpected(std::move(*error));
  return parsed;
}

}  // namespace anchor::server
