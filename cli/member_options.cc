#include "cli/member_options.h"

namespace anchor::cli {
namespace {

CLI::App* add_group(CLI::App& app, const char* name, const char* help) {
  CLI::App* group = app.add_subcommand(name, help);
  group->fallthrough();
  group->require_subcommand(1, 1);
  return group;
}

CLI::App* add_verb(CLI::App* group, const char* name, const char* help) {
  CLI::App* verb = group->add_subcommand(name, help);
  verb->fallthrough();
  return verb;
}

}  // namespace

MemberOptions::MemberOptions(CLI::App& app) {
  CLI::App* member = add_group(app, "member", "show and change the cluster's members");
  const auto add_id = [&](CLI::App* verb, const char* help) {
    return verb->add_option("id", change_.id, help)->type_name("ID");
  };
  list_ = add_verb(member, "list", "show the members");
  add_ = add_verb(member, "add", "make room for a server, which then joins with --peers");
  add_id(add_, "its id")->required();
  add_->add_option("address", change_.address, "where other servers will reach it")
      ->type_name("HOST:PORT")
      ->required();
  add_->add_option("--http-address", change_.http_address, "where clients will reach it")
      ->type_name("HOST:PORT");
  add_->add_flag("--learner", change_.learner, "it gets everything, and does not vote");
  remove_ = add_verb(member, "remove", "remove a member for good");
  add_id(remove_, "its id")->required();
  remove_->add_flag("--force", change_.force, "even if those that are left cannot decide anything");
  remove_->add_flag("--yes", change_.confirmed, "do not ask");
  promote_ = add_verb(member, "promote", "let a learner vote that has caught up");
  add_id(promote_, "its id")->required();

  CLI::App* cluster = add_group(app, "cluster", "show the cluster, or move its leadership");
  status_ = add_verb(cluster, "status", "show every node of the cluster");
  transfer_ = add_verb(cluster, "transfer", "hand leadership over");
  add_id(transfer_, "to whom (default: whoever is best prepared)");
}

std::optional<Command> MemberOptions::command() const {
  if (list_->parsed()) return MembersCommand{};
  if (status_->parsed()) return StatusCommand{};
  ChangeCommand change = change_;
  if (add_->parsed()) {
    change.kind = ChangeCommand::Kind::kAdd;
  } else if (remove_->parsed()) {
    change.kind = ChangeCommand::Kind::kRemove;
  } else if (promote_->parsed()) {
    change.kind = ChangeCommand::Kind::kPromote;
  } else if (transfer_->parsed()) {
    change.kind = ChangeCommand::Kind::kTransfer;
  } else {
    return std::nullopt;
  }
  return change;
}

}  // namespace anchor::cli
