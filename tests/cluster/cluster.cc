#include "tests/cluster/cluster.h"

#include <algorithm>
#include <set>

#include "core/base/assert.h"

namespace anchor::cluster {

Cluster::Cluster(std::size_t size) {
  for (std::size_t i = 1; i <= size; ++i) {
    const std::string id = "n" + std::to_string(i);
    nodes_.push_back(std::make_unique<Node>(id, temporary_.path_of(id)));
  }
}

std::vector<std::string> Cluster::founding_options() const {
  std::string peers;
  for (const auto& node : nodes_) peers += (peers.empty() ? "" : ",") + node->peer_address();
  return {"--bootstrap-expect", std::to_string(size()), "--peers", peers};
}

bool Cluster::start() {
  for (const auto& node : nodes_) node->start(founding_options());
  return wait_until_ready();
}

bool Cluster::wait_until_ready() const {
  return eventually([&] {
    const auto ready = [](const auto& node) { return !node->serves() || node->is_ready(); };
    return std::ranges::all_of(nodes_, ready) && agreed_leader() != nullptr;
  });
}

Node* Cluster::agreed_leader() const {
  std::set<std::pair<std::uint64_t, std::string>> opinions;
  for (const auto& node : nodes_) {
    if (!node->serves()) continue;
    const auto status = node->status();
    if (!status || status->at("leader_id").is_null()) return nullptr;
    opinions.emplace(status->at("term").get<std::uint64_t>(),
                     status->at("leader_id").get<std::string>());
  }
  if (opinions.size() != 1) return nullptr;
  const std::string& id = opinions.begin()->second;
  const auto leads = [&](const auto& node) { return node->serves() && node->id() == id; };
  const auto found = std::ranges::find_if(nodes_, leads);
  return found == nodes_.end() ? nullptr : found->get();
}

Node& Cluster::leader() const {
  Node* found = nullptr;
  const bool agreed = eventually([&] { return (found = agreed_leader()) != nullptr; });
  ANCHOR_ASSERT(agreed, "no leader");
  return *found;
}

Node& Cluster::follower() const {
  const Node& leading = leader();
  const auto follows = [&](const auto& node) { return node->serves() && node.get() != &leading; };
  const auto found = std::ranges::find_if(nodes_, follows);
  ANCHOR_ASSERT(found != nodes_.end());
  return **found;
}

std::vector<Node*> Cluster::others(const Node& node) const {
  std::vector<Node*> found;
  for (const auto& each : nodes_) {
    if (each.get() != &node) found.push_back(each.get());
  }
  return found;
}

bool Cluster::wait_until_equal() const {
  return eventually([&] {
    std::set<std::pair<std::uint64_t, std::string>> states;
    for (const auto& node : nodes_) {
      const auto status = node->status();
      if (!status) return false;
      states.emplace(status->at("applied_index").get<std::uint64_t>(),
                     status->at("digest").get<std::string>());
    }
    return states.size() == 1;
  });
}

}  // namespace anchor::cluster
