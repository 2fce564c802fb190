#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.h"

namespace anchor::cli {

// A node, as it shows itself or as others know it.
struct NodeView {
  std::string endpoint{};  // empty: nobody knows where it is
  std::string id{};        // empty: it was not reached, and nobody knows its endpoint
  // What it answered to GET /status; none if it did not.
  std::optional<nlohmann::ordered_json> status{};
  bool ready = false;
  // Why it is not ready or was not reached, in a line.
  std::string problem{};
};

// Asks every endpoint, and whom their answers name as peers, all at the same time in each round.
// One node is in it once, whatever the number of its names.
std::vector<NodeView> view_cluster(Client& client, const GlobalOptions& options);

}  // namespace anchor::cli
