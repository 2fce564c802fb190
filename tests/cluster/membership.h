#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cluster/cluster.h"
#include "tests/cluster/load.h"

namespace anchor::cluster {

// Places for a few servers, some of which are a cluster that grew out of the first.
class Membership : public testing::Test {
 protected:
  // The first `count` servers: one that founds, and others that join it.
  void grow(std::size_t count) {
    cluster_[0].start();
    ASSERT_TRUE(becomes_ready(cluster_[0]));
    for (std::size_t i = 1; i < count; ++i) {
      join(cluster_[i]);
      ASSERT_TRUE(has_voters(cluster_[0], i + 1)) << cluster_[i].output();
    }
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(becomes_ready(cluster_[i]));
  }
  void join(Node& node) { node.start({"--peers", cluster_[0].peer_address()}); }

  static bool becomes_ready(const Node& node) {
    return eventually([&] { return node.is_ready(); });
  }
  // By its id; an empty object if the server that is asked knows of none.
  static nlohmann::json member(const Node& asked, const std::string& id) {
    const auto known = members(asked);
    for (const auto& each : known.at("members")) {
      if (each.at("id") == id) return each;
    }
    return nlohmann::json::object();
  }
  static nlohmann::json members(const Node& asked) {
    const auto answer = asked.get("/members");
    if (!answer || answer->status != 200) return {{"members", nlohmann::json::array()}};
    return nlohmann::json::parse(answer->body);
  }
  static std::vector<std::string> voters(const Node& asked) {
    std::vector<std::string> ids;
    const auto known = members(asked);
    // While a change is under way, some of these may be on their way out.
    if (known.contains("change") && !known.at("change").is_null()) return ids;
    for (const auto& each : known.at("members")) {
      if (!each.at("learner").get<bool>()) ids.push_back(each.at("id").get<std::string>());
    }
    return ids;
  }
  static bool has_voters(const Node& asked, std::size_t count) {
    return eventually([&] { return voters(asked).size() == count; });
  }
  static HttpAnswer post(const Node& node, std::string_view path, const nlohmann::json& body) {
    const auto answer = post_json(node.client(), path, body);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : HttpAnswer{};
  }
  // The leader of those that run, apart from those that were removed.
  Node& leader() {
    Node* found = nullptr;
    EXPECT_TRUE(eventually([&] {
      for (const auto& node : cluster_.nodes()) {
        if (!node->serves()) continue;
        const auto status = node->status();
        if (status && status->at("role") == "Leader") found = node.get();
      }
      return found != nullptr;
    }));
    return *found;
  }

  explicit Membership(std::size_t places = 4) : cluster_(places) {}

  Cluster cluster_;
};

inline std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
  return count;
}

}  // namespace anchor::cluster
