#include "tests/bench/cluster/local_cluster.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "tests/bench/cluster/figures.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {

using cluster::eventually;

LocalCluster::LocalCluster(const std::string& directory, std::size_t places) {
  for (std::size_t number = 1; number <= places; ++number) {
    servers_.push_back(std::make_unique<Server>(number, directory));
  }
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
}

std::vector<Server*> LocalCluster::running() const {
  std::vector<Server*> found;
  for (const auto& server : servers_) {
    if (server->runs()) found.push_back(server.get());
  }
  return found;
}

std::vector<std::uint16_t> LocalCluster::http_ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& server : servers_) ports.push_back(server->http_port());
  return ports;
}

void LocalCluster::found(std::size_t count, const std::vector<std::string>& options) {
  std::string peers;
  for (std::size_t i = 0; i < count; ++i) {
    peers += (peers.empty() ? "" : ",") + servers_[i]->peer_address();
  }
  std::vector<std::string> all{"--bootstrap-expect", std::to_string(count), "--peers", peers};
  all.insert(all.end(), options.begin(), options.end());
  for (std::size_t i = 0; i < count; ++i) servers_[i]->start(all);
  wait_until_ready();
}

void LocalCluster::wait_until_ready() const {
  const bool ready = eventually([&] {
    return std::ranges::all_of(running(), &Server::is_ready) && agreed_leader() != nullptr;
  });
  if (!ready) give_up("the servers do not all become ready");
}

Server* LocalCluster::agreed_leader() const {
  std::set<std::pair<std::uint64_t, std::string>> opinions;
  for (const Server* server : running()) {
    const auto status = server->status();
    if (!status || status->at("leader_id").is_null()) return nullptr;
    opinions.emplace(status->at("term").get<std::uint64_t>(),
                     status->at("leader_id").get<std::string>());
  }
  if (opinions.size() != 1) return nullptr;
  for (Server* server : running()) {
    if (server->id() == opinions.begin()->second) return server;
  }
  return nullptr;
}

Server& LocalCluster::leader() const {
  Server* found = nullptr;
  if (!eventually([&] { return (found = agreed_leader()) != nullptr; })) give_up("no leader");
  return *found;
}

void LocalCluster::wait_until_equal() const {
  const bool equal = eventually([&] {
    std::set<std::pair<std::uint64_t, std::string>> states;
    for (const Server* server : running()) {
      const auto status = server->status();
      if (!status) return false;
      states.emplace(status->at("applied_index").get<std::uint64_t>(),
                     status->at("digest").get<std::string>());
    }
    return states.size() == 1;
  });
  if (!equal) give_up("WRONG: the servers do not come to hold the same");
}

}  // namespace anchor::bench
