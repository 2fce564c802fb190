#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/history.h"
#include "tests/chaos/host.h"
#include "tests/chaos/requests.h"
#include "tests/cluster/http_client.h"

namespace anchor::chaos {

struct ClientsOptions {
  std::size_t clients = 16;
  std::uint32_t keys = 12;
  Duration think_most = 8ms;
  std::uint64_t seed = 1;
};

// What they did beside asking for single keys.
struct ClientCounts {
  std::atomic<std::uint64_t> transactions = 0;
  std::atomic<std::uint64_t> lists = 0;
  std::atomic<std::uint64_t> session_writes = 0;
  std::atomic<std::uint64_t> retries = 0;   // of these, since there was no answer
  std::atomic<std::uint64_t> repeated = 0;  // though there was one
};

// Clients on a host of their own, which read and write a few keys, each through any server, and
// keep what they asked and were told.
class Clients {
 public:
  Clients(const ClientsOptions& options, const Host& host, std::vector<cluster::Endpoint> servers);
  ~Clients() { stop(); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Of those that were answered so far: of writes that took effect, and of linearizable reads.
  std::uint64_t write_count() const { return write_count_; }
  std::uint64_t read_count() const { return read_count_; }
  void stop();
  // Each key, read linearizably on each server. What could not be read, which is a violation.
  // Requires: stopped, and nothing is broken.
  std::vector<std::string> read_everything();
  // Requires: stopped.
  const std::vector<Operation>& history() const { return history_; }
  // What they saw themselves; the history has the rest.
  const std::vector<std::string>& violations() const { return violations_; }
  const ClientCounts& counts() const { return counts_; }

 private:
  struct Client {
    std::uint32_t number = 0;
    std::minstd_rand random;
    std::vector<cluster::HttpClient> servers;
    // What it has last seen of each key.
    std::vector<Revision> seen;
    std::vector<Operation> history;
    std::vector<std::string> violations;
    // Zero: none is open. And the number of the next write.
    std::uint64_t session = 0;
    std::uint64_t sequence = 0;
    std::thread thread;
  };

  void run(Client& client);
  Request choose(Client& client);
  Operation choose_write(Client& client);
  Request choose_transaction(Client& client);
  std::uint32_t any_server(Client& client);
  std::optional<cluster::HttpAnswer> send(Client& client, const Request& request,
                                          std::uint32_t server);
  bool carry_out(Client& client, Request& request, std::uint32_t server);
  bool open_session(Client& client);
  bool carry_out_in_session(Client& client, Request& request);
  void check_session(Client& client, const Request& request, const cluster::HttpAnswer& answer);
  void repeat(Client& client, const Request& request);
  void keep(Client& client, const Request& request);

  const ClientsOptions options_;
  const Host& host_;
  const std::vector<cluster::Endpoint> endpoints_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> write_count_ = 0;
  std::atomic<std::uint64_t> read_count_ = 0;
  std::atomic<std::uint64_t> last_value_ = 0;
  std::atomic<std::uint64_t> last_group_ = 0;
  ClientCounts counts_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Operation> history_;
  std::vector<std::string> violations_;
};

}  // namespace anchor::chaos
