#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/cluster/http_client.h"
#include "tests/cluster/process.h"
#include "tests/cluster/reserved_port.h"

namespace anchor::cluster {

// A server's place: its id, its ports, its data directory; and the process, while one runs there.
class Node {
 public:
  // `directory` is its own, and need not exist yet.
  Node(std::string id, std::string directory);

  const std::string& id() const { return id_; }
  std::string peer_address() const { return "127.0.0.1:" + std::to_string(peer_port_.number()); }
  std::string http_address() const { return "127.0.0.1:" + std::to_string(http_port_.number()); }
  const ReservedPort& peer_port() const { return peer_port_; }
  const ReservedPort& http_port() const { return http_port_; }

  const std::string& data_directory() const { return directory_; }
  // The place of its member's state, in which a test does damage.
  std::string database_path() const { return directory_ + "/raft.db"; }
  // Loses its disk. Requires: it does not run.
  void wipe() const;

  // The options that name this place.
  std::vector<std::string> arguments() const;
  // With those and `more`. Requires: it does not run.
  void start(const std::vector<std::string>& more = {});
  // With these and no others. Requires: it does not run.
  void start_with(const std::vector<std::string>& arguments);
  // So many files may it have open, from its next start on.
  void limit_descriptors(std::size_t count) { descriptor_limit_ = count; }
  bool runs() const { return process_ != nullptr; }
  Process& process() { return *process_; }
  // It runs, and is not paused.
  bool serves() const { return runs() && !paused_; }
  // Stands still, as on a machine that hangs.
  void pause();
  void resume();
  // kill -9.
  void kill();
  // SIGTERM. How it ended, if it did.
  std::optional<Ended> terminate();
  // How it ended by itself.
  std::optional<Ended> wait();
  // All that it has printed and logged, in all its runs.
  std::string output() const;

  HttpClient client() const { return HttpClient(http_port_.number()); }
  // Each on a connection of its own. Requires: it serves.
  Result<HttpAnswer> request(io::HttpMethod method, std::string_view target,
                             const HttpExtra& extra = {}) const;
  Result<HttpAnswer> get(std::string_view target) const;
  Result<HttpAnswer> put(std::string_view target, std::string body) const;
  // None: it does not answer.
  std::optional<nlohmann::json> status() const;
  bool is_ready() const;

 private:
  std::string id_;
  std::string directory_;
  std::string output_path_;
  ReservedPort peer_port_;
  ReservedPort http_port_;
  std::unique_ptr<Process> process_;
  bool paused_ = false;
  std::size_t descriptor_limit_ = 0;  // zero: as many as the test program
};

}  // namespace anchor::cluster
