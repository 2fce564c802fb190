#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/eventually.h"
#include "tests/cluster/node.h"
#include "tests/io/temporary_directory.h"

namespace anchor::cluster {

// Servers "n1", "n2", ... with places under one temporary directory. None runs at first.
class Cluster {
 public:
  explicit Cluster(std::size_t size = 3);

  std::size_t size() const { return nodes_.size(); }
  Node& operator[](std::size_t i) { return *nodes_[i]; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  std::string path_of(const std::string& name) const { return temporary_.path_of(name); }

  // The options with which the servers found one cluster.
  std::vector<std::string> founding_options() const;
  // Founds one, or goes on with it; false if it does not become ready.
  bool start();
  // All that run are ready, and agree on the leader.
  bool wait_until_ready() const;
  // The one that all running servers take for the leader, once they agree; not the one with the id
  // `other`. Null if that does not come.
  Node* leader(const std::string& other = {}) const;
  // Some running server that is not the leader.
  Node& follower();
  // All servers but this.
  std::vector<Node*> others(const Node& node) const;

  // All have applied the same, and hold the same.
  bool wait_until_equal() const;

 private:
  Node* agreed_leader() const;

  // Destroyed last.
  io::TemporaryDirectory temporary_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace anchor::cluster
