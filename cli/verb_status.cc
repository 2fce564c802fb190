#include <algorithm>

#include "cli/cluster_view.h"
#include "cli/verbs.h"

namespace anchor::cli {
namespace {

using Json = nlohmann::ordered_json;

// What the node says about itself, and beside it what only its client knows.
Json node_json(const NodeView& view) {
  Json json{
      {"endpoint", view.endpoint}, {"reachable", view.status.has_value()}, {"ready", view.ready}};
  json["problem"] = view.problem.empty() ? Json(nullptr) : Json(view.problem);
  json["node_id"] = view.id.empty() ? Json(nullptr) : Json(view.id);
  if (view.status) json.update(*view.status);
  return json;
}

Cell field(const NodeView& view, const char* name, bool right) {
  Cell cell{.text = "-", .right = right};
  if (!view.status) return cell;
  const auto found = view.status->find(name);
  if (found == view.status->end() || found->is_null()) return cell;
  cell.text = found->is_string() ? printable(found->get<std::string>()) : found->dump();
  return cell;
}

std::vector<Cell> node_row(const NodeView& view) {
  Cell role = field(view, "role", false);
  if (!view.status) {
    role = {"unreachable", Color::kRed};
  } else if (role.text == "Leader") {
    role.color = Color::kGreen;
  }
  return {{view.id.empty() ? "?" : printable(view.id)},
          {view.endpoint.empty() ? "?" : printable(view.endpoint)},
          role,
          {view.ready ? "yes" : "no", view.ready ? Color::kNone : Color::kYellow},
          field(view, "term", true),
          field(view, "commit_index", true),
          field(view, "applied_index", true),
          field(view, "revision", true),
          field(view, "leader_id", false),
          field(view, "version", false)};
}

void print_nodes(const std::vector<NodeView>& views, const GlobalOptions& global,
                 Console& console) {
  std::vector<std::vector<Cell>> rows;
  rows.push_back({{"NODE"},
                  {"ENDPOINT"},
                  {"ROLE"},
                  {"READY"},
                  {.text = "TERM", .right = true},
                  {.text = "COMMIT", .right = true},
                  {.text = "APPLIED", .right = true},
                  {.text = "REVISION", .right = true},
                  {"LEADER"},
                  {"VERSION"}});
  for (const NodeView& view : views) rows.push_back(node_row(view));
  print_table(rows, console, console.color && console.out_is_terminal && !global.no_color);
}

}  // namespace

ExitCode run_status(const GlobalOptions& global, Console& console) {
  Client client(global, console);
  const std::vector<NodeView> views = view_cluster(client, global);
  if (global.format == OutputFormat::kTable) {
    print_nodes(views, global, console);
  } else if (global.format == OutputFormat::kJson) {
    Json list = Json::array();
    for (const NodeView& view : views) list.push_back(node_json(view));
    print_json(list, console);
  } else {
    for (const NodeView& view : views) {
      if (view.status) print_json(*view.status, console);
    }
  }
  const auto answered = [](const NodeView& view) { return view.status.has_value(); };
  for (const NodeView& view : views) {
    if (view.problem.empty()) continue;
    const std::string name = view.id.empty() ? view.endpoint : view.id;
    console.error << "anchorctl: " << printable(name + ": " + view.problem) << "\n";
  }
  if (std::ranges::none_of(views, answered)) return ExitCode::kUnreachable;
  return std::ranges::all_of(views, &NodeView::ready) ? ExitCode::kOk : ExitCode::kUnhealthy;
}

}  // namespace anchor::cli
