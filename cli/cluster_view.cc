#include "cli/cluster_view.h"

#include <algorithm>
#include <future>
#include <set>
#include <tuple>
#include <utility>

namespace anchor::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The checks that fail, of /readyz's lines "[-]name reason".
std::string failed_checks(std::string_view lines) {
  std::string failed;
  while (!lines.empty()) {
    const std::size_t size = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, size);
    if (line.starts_with("[-]")) failed.append(failed.empty() ? "" : "; ").append(line.substr(3));
    lines.remove_prefix(std::min(size + 1, lines.size()));
  }
  return failed.empty() ? "not ready" : failed;
}

NodeView view_node(Client& client, const std::string& endpoint, Duration timeout) {
  NodeView view{.endpoint = endpoint};
  const HttpTimeouts timeouts{timeout, timeout};
  const auto status = client.ask(endpoint, {.target = "/status"}, timeouts);
  if (!status) {
    view.problem = status.error().cause;
    return view;
  }
  Json json = Json::parse(status->body, nullptr, /*allow_exceptions=*/false);
  if (status->status != 200 || !json.is_object() || text_in(json, "node_id").empty()) {
    view.problem = "it does not answer as a node of anchor";
    return view;
  }
  view.id = text_in(json, "node_id");
  view.status = std::move(json);
  const auto ready = client.ask(endpoint, {.target = "/readyz"}, timeouts);
  view.ready = ready && ready->status == 200;
  if (!view.ready) view.problem = ready ? failed_checks(ready->body) : ready.error().cause;
  return view;
}

std::vector<NodeView> view_nodes(Client& client, const std::vector<std::string>& endpoints,
                                 Duration timeout) {
  std::vector<std::future<NodeView>> answers;
  for (const std::string& endpoint : endpoints) {
    answers.push_back(
        std::async(std::launch::async, [&] { return view_node(client, endpoint, timeout); }));
  }
  std::vector<NodeView> views;
  for (auto& answer : answers) views.push_back(answer.get());
  return views;
}

struct Peer {
  std::string id;
  std::string endpoint;
};

std::vector<Peer> peers_of(const NodeView& view) {
  std::vector<Peer> peers;
  if (!view.status) return peers;
  const auto list = view.status->find("peers");
  if (list == view.status->end() || !list->is_array()) return peers;
  for (const Json& peer : *list) {
    if (!peer.is_object()) continue;
    const std::string id = text_in(peer, "id");
    if (!id.empty()) peers.push_back({id, text_in(peer, "http_address")});
  }
  return peers;
}

// Adds a view unless the node has one already; a view with an answer takes the place of one
// without.
void add(std::vector<NodeView>& views, NodeView view) {
  const auto same = [&](const NodeView& other) { return !view.id.empty() && other.id == view.id; };
  const auto found = std::ranges::find_if(views, same);
  if (found == views.end()) {
    views.push_back(std::move(view));
  } else if (view.status && !found->status) {
    *found = std::move(view);
  }
}

}  // namespace

std::vector<NodeView> view_cluster(Client& client, const GlobalOptions& options) {
  std::vector<NodeView> answers;
  std::vector<Peer> peers;
  std::set<std::string, std::less<>> asked;
  std::vector<std::string> to_ask = options.endpoints;
  while (!to_ask.empty()) {
    asked.insert(to_ask.begin(), to_ask.end());
    std::vector<NodeView> round = view_nodes(client, to_ask, options.timeout);
    to_ask.clear();
    for (NodeView& view : round) {
      for (Peer& peer : peers_of(view)) {
        const bool fresh = !peer.endpoint.empty() && asked.insert(peer.endpoint).second;
        if (fresh) to_ask.push_back(peer.endpoint);
        peers.push_back(std::move(peer));
      }
      answers.push_back(std::move(view));
    }
  }
  // A node that did not answer has its name from the others, by its endpoint.
  std::vector<NodeView> views;
  for (NodeView& view : answers) {
    const auto named = std::ranges::find(peers, view.endpoint, &Peer::endpoint);
    if (view.id.empty() && named != peers.end()) view.id = named->id;
    add(views, std::move(view));
  }
  for (const Peer& peer : peers) {
    add(views, {.endpoint = peer.endpoint, .id = peer.id, .problem = "its address is not known"});
  }
  std::ranges::sort(views, {},
                    [](const NodeView& view) { return std::tie(view.id, view.endpoint); });
  return views;
}

}  // namespace anchor::cli
