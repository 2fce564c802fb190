#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/chaos/history.h"
#include "tests/chaos/host.h"
#include "tests/cluster/http_client.h"

namespace anchor::chaos {

struct ClientsOptions {
  std::size_t clients = 16;
  std::uint32_t keys = 12;
  Duration think_most = 8ms;
  std::uint64_t seed = 1;
};

// Clients on a host of their own, which read and write a few keys, each through any server, and
// keep what they asked and were told.
class Clients {
 public:
  Clients(const ClientsOptions& options, const Host& host, std::vector<cluster::Endpoint> servers);
  ~Clients() { stop(); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Of all that were answered so far.
  std::uint64_t served_count() const { return served_count_; }
  void stop();
  // Each key, read linearizably on each server. Requires: stopped.
  void read_everything();
  // Requires: stopped.
  const std::vector<Operation>& history() const { return history_; }

 private:
  struct Client {
    std::uint32_t number = 0;
    std::minstd_rand random;
    std::vector<cluster::HttpClient> servers;
    // What it has last seen of each key.
    std::vector<Revision> seen;
    std::vector<Operation> history;
    std::thread thread;
  };

  void run(Client& client);
  Operation choose(Client& client);
  void carry_out(Client& client, Operation operation, bool by_lease);

  const ClientsOptions options_;
  const Host& host_;
  const std::vector<cluster::Endpoint> endpoints_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> served_count_ = 0;
  std::atomic<std::uint64_t> last_value_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Operation> history_;
};

}  // namespace anchor::chaos
