#include <gtest/gtest.h>

#include <vector>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

bool is_connected_to_all(const Node& node) {
  const auto status = node.status();
  if (!status) return false;
  for (const auto& peer : status->at("peers")) {
    if (!peer.at("connected").get<bool>()) return false;
  }
  return true;
}

TEST(ManyConnections, ClientsCannotKeepPeersOut) {
  Cluster cluster;
  Node& crowded = cluster[0];
  crowded.limit_descriptors(200);
  ASSERT_TRUE(cluster.start());
  // One that was there before: those that come now may be turned away.
  HttpClient client = crowded.client();
  ASSERT_EQ(client.get("/livez")->status, 200);
  // What its connections leave free, clients may take.
  Node& other = cluster[1];
  other.kill();
  std::vector<Connection> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(Connection::open(crowded.http_port().number()).value());
  }
  other.start();
  const bool connected = eventually([&] {
    const auto answer = client.get("/status");
    if (!answer || answer->status != 200) return false;
    const auto status = nlohmann::json::parse(answer->body);
    for (const auto& peer : status.at("peers")) {
      if (!peer.at("connected").get<bool>()) return false;
    }
    return true;
  });
  EXPECT_TRUE(connected) << crowded.output();
  EXPECT_TRUE(eventually([&] { return other.is_ready() && is_connected_to_all(other); }));
}

}  // namespace
}  // namespace anchor::cluster
