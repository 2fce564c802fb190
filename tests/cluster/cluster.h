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
  Node& operator[](std::size_t i) const { return *nodes_[i]; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  std::string path_of(const std::string& name) const { return temporary_.path_of(name); }

  // The options with which the servers found one cluster.
  std::vector<std::string> founding_options() const;
  // Founds one, or goes on with it; false if it does not become ready.
  bool start();
  // All that serve are ready, and agree on a leader among them.
  bool wait_until_ready() const;
  // The leader, once all that serve agree on it.
  Node& leader() const;
  // One that serves and is not the leader.
  Node& follower() const;
  // All servers but this.
  std::vector<Node*> others(const Node& node) const;

  // All have applied the same, and hold the same. Requires: all serve.
  bool wait_until_equal() const;

 private:
  // Null: they do not agree at the moment.
  Node* agreed_leader() const;

  io::TemporaryDirectory temporary_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace anchor::cluster
