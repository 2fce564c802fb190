#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "cli/client.h"
#include "cli/verbs.h"

namespace anchor::cli {
namespace {

using Json = nlohmann::ordered_json;

Failure foreign_reply() {
  return {ExitCode::kFailed, "the reply is not that of a node of anchor",
          "is the endpoint a node's HTTP address?"};
}

Cell text_cell(const Json& member, const char* name) {
  const auto found = member.find(name);
  const std::string text =
      found == member.end() || !found->is_string() ? "" : found->get<std::string>();
  return {text.empty() ? "-" : printable(text)};
}

Cell role_cell(const Json& member) {
  if (member.value("leader", false)) return {"Leader", Color::kGreen};
  if (member.value("learner", false)) return {"Learner", Color::kYellow};
  return {"Voter"};
}

// "promote n4, catching_up, 61%"
std::string change_text(const Json& change) {
  std::string text = text_cell(change, "kind").text;
  if (const Cell id = text_cell(change, "id"); id.text != "-") text += " " + id.text;
  text += ", " + text_cell(change, "phase").text;
  const auto progress = change.find("progress");
  if (progress != change.end() && progress->is_number()) {
    text += ", " + std::to_string(static_cast<int>(100 * progress->get<double>())) + "%";
  }
  return text;
}

void print_members(const Json& answer, const GlobalOptions& global, Console& console) {
  std::vector<std::vector<Cell>> rows;
  rows.push_back({{"ID"}, {"ADDRESS"}, {"HTTP ADDRESS"}, {"ROLE"}});
  for (const Json& member : answer["members"]) {
    rows.push_back({text_cell(member, "id"), text_cell(member, "address"),
                    text_cell(member, "http_address"), role_cell(member)});
  }
  print_table(rows, console, console.color && console.out_is_terminal && !global.no_color);
  const auto change = answer.find("change");
  if (change != answer.end() && change->is_object() && !global.quiet) {
    console.error << "note: under way: " << change_text(*change) << "\n";
  }
}

struct Asked {
  std::string target;
  Json body;
  std::string done;  // what it says when it is done
};

Asked asked(const ChangeCommand& command) {
  Json body{{"id", command.id}};
  switch (command.kind) {
    case ChangeCommand::Kind::kAdd:
      body["address"] = command.address;
      if (!command.http_address.empty()) body["http_address"] = command.http_address;
      body["learner"] = command.learner;
      return {"/join", std::move(body), "added " + command.id};
    case ChangeCommand::Kind::kRemove:
      body["force"] = command.force;
      return {"/remove", std::move(body), "removed " + command.id};
    case ChangeCommand::Kind::kPromote:
      return {"/promote", std::move(body), "promoted " + command.id};
    case ChangeCommand::Kind::kTransfer:
      break;
  }
  body = Json::object();
  if (!command.id.empty()) body["to"] = command.id;
  return {"/transfer", std::move(body), ""};
}

// Whoever sits at a terminal is asked first: what is removed does not come back by itself.
bool confirmed(const ChangeCommand& command, Console& console) {
  if (command.kind != ChangeCommand::Kind::kRemove || command.confirmed || command.force ||
      !console.in_is_terminal) {
    return true;
  }
  console.error << "remove " << printable(command.id) << " from the cluster, for good? [y/N] "
                << std::flush;
  std::string answer;
  std::getline(console.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

ExitCode run_members(const GlobalOptions& global, Console& console) {
  Client client(global, console);
  const auto reply = client.send({.target = "/members"});
  if (!reply) return report(reply.error(), console, global.quiet);
  const Json answer = Json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("members") || !answer["members"].is_array()) {
    return report(foreign_reply(), console, global.quiet);
  }
  if (global.format == OutputFormat::kTable) {
    print_members(answer, global, console);
  } else {
    print_json(answer, console);
  }
  return ExitCode::kOk;
}

ExitCode run_change(const GlobalOptions& global, const ChangeCommand& command, Console& console) {
  if (!confirmed(command, console)) {
    return report({ExitCode::kFailed, "nothing was removed", "--yes answers beforehand"}, console,
                  global.quiet);
  }
  const Asked request = asked(command);
  const std::string body = request.body.dump(-1, ' ', false, Json::error_handler_t::replace);
  Client client(global, console);
  auto reply = client.send({.method = io::HttpMethod::kPost,
                            .target = request.target,
                            .headers = {"Content-Type: application/json"},
                            .body = as_bytes(body)});
  if (!reply) {
    Failure& failure = reply.error();
    if (failure.code == ExitCode::kUnknown) {
      failure.hint =
          "the change may be made, or not; 'anchorctl member list' shows it, and asking "
          "again does no harm";
    }
    return report(failure, console, global.quiet);
  }
  const Json answer = Json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) return report(foreign_reply(), console, global.quiet);
  if (global.format != OutputFormat::kTable) {
    print_json(answer, console);
  } else if (!request.done.empty()) {
    console.out << request.done << "\n";
  } else {
    const auto leader = answer.find("leader");
    const bool known = leader != answer.end() && leader->is_object();
    console.out << (known ? text_cell(*leader, "id").text : "-") << "\n";
  }
  return ExitCode::kOk;
}

}  // namespace anchor::cli
