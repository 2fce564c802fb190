#include "server/admin_request.h"

#include <string>
#include <utility>

#include "server/json_fields.h"
#include "server/server_name.h"

namespace anchor::server {
namespace {

raft::ServerId read_id(JsonFields& fields, const char* name) {
  std::string id = fields.text(name);
  fields.check(name, check_server_id(id));
  return raft::ServerId(std::move(id));
}

}  // namespace

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
  fields.allow_null("to");
  std::string to = fields.optional_text("to");
  if (to.empty()) return raft::TransferLeadership{};
  fields.check("to", check_server_id(to));
  return raft::TransferLeadership{raft::ServerId(std::move(to))};
}

}  // namespace anchor::server
