#include "server/admin_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "server/json_fields.h"
#include "server/server_name.h"

namespace anchor::server {
namespace {

using Parsed = std::expected<raft::AdminRequest, ApiError>;

raft::ServerId read_id(JsonFields& fields, const char* name) {
  std::string id = fields.text(name);
  fields.check(name, check_server_id(id));
  return raft::ServerId(std::move(id));
}

raft::AdminRequest read_join(JsonFields& fields) {
  raft::AddServer add;
  add.id = read_id(fields, "id");
  add.address = fields.text("address");
  fields.check("address", check_dialled_address(add.address));
  add.http_address = fields.optional_text("http_address");
  if (!add.http_address.empty()) {
    fields.check("http_address", check_dialled_address(add.http_address));
  }
  add.learner = fields.flag("learner");
  return add;
}

raft::AdminRequest read_remove(JsonFields& fields) {
  raft::RemoveServer remove;
  remove.id = read_id(fields, "id");
  remove.force = fields.flag("force");
  return remove;
}

raft::AdminRequest read_promote(JsonFields& fields) {
  return raft::PromoteServer{read_id(fields, "id")};
}

raft::AdminRequest read_transfer(JsonFields& fields) {
  std::string to = fields.optional_text("to");
  if (to.empty()) return raft::TransferLeadership{};
  fields.check("to", check_server_id(to));
  return raft::TransferLeadership{raft::ServerId(std::move(to))};
}

struct Path {
  std::string_view path;
  raft::AdminRequest (*read)(JsonFields&);
};
constexpr auto kPaths = std::to_array<Path>({{"/join", read_join},
                                             {"/remove", read_remove},
                                             {"/promote", read_promote},
                                             {"/transfer", read_transfer}});

}  // namespace

bool is_admin_path(std::string_view path) {
  return std::ranges::find(kPaths, path, &Path::path) != kPaths.end();
}

Parsed parse_admin_request(std::string_view path, const io::HttpRequest& request) {
  auto fields = read_json_body(request);
  if (!fields) return std::unexpected(std::move(fields.error()));
  raft::AdminRequest parsed = std::ranges::find(kPaths, path, &Path::path)->read(*fields);
  if (auto error = fields->error()) return std::unexpected(std::move(*error));
  return parsed;
}

}  // namespace anchor::server
