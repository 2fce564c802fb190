#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/cluster/server.h"

namespace anchor::bench {

// Servers "n1", "n2", ... with places under one directory. None runs at first. What does not come
// about in a minute ends the program.
class LocalCluster {
 public:
  // Wipes the directory, which is its own.
  LocalCluster(const std::string& directory, std::size_t places);

  std::size_t size() const { return servers_.size(); }
  Server& operator[](std::size_t i) const { return *servers_[i]; }
  std::vector<Server*> running() const;
  // Of all places.
  std::vector<std::uint16_t> http_ports() const;

  // Founds a cluster of the first `count`, with `options` beside those that this needs.
  void found(std::size_t count, const std::vector<std::string>& options = {});
  // All that run are ready, and agree on a leader among them.
  void wait_until_ready() const;
  // The leader, once all that run agree on it.
  Server& leader() const;
  // All that run have applied the same, and hold the same. Requires: nobody writes.
  void wait_until_equal() const;

 private:
  // Null: they do not agree at the moment.
  Server* agreed_leader() const;

  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace anchor::bench
