#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cluster/http_client.h"
#include "tests/cluster/process.h"

namespace anchor::bench {

using cluster::HttpAnswer;

// A server's place: its id, its ports, its data directory; and the process, while one runs there.
// Unlike the tests' Node it keeps its data where it is told, and its ports are outside of the range
// that the system gives to clients.
class Server {
 public:
  // Gives up if a port is taken. Requires: `number` is from 1 to 99.
  Server(std::size_t number, const std::string& directory);

  const std::string& id() const { return id_; }
  std::string peer_address() const { return "127.0.0.1:" + std::to_string(peer_port_); }
  std::uint16_t http_port() const { return http_port_; }
  const std::string& data_directory() const { return directory_; }

  // Requires: it does not run.
  void start(const std::vector<std::string>& options);
  bool runs() const { return process_ != nullptr; }
  // Requires of these: it runs.
  pid_t pid() const { return process_->pid(); }
  // kill -9; it is gone on return.
  void kill() { process_.reset(); }
  // SIGTERM. Gives up if it does not end as it should.
  void terminate();
  // All that it has printed and logged, in all its runs.
  std::string output() const;

  Result<HttpAnswer> get(std::string_view target) const;
  Result<HttpAnswer> post(std::string_view path, const nlohmann::json& body) const;
  // None: it does not answer.
  std::optional<nlohmann::json> status() const;
  bool is_ready() const;
  // That it knows of; none while the members are being changed.
  std::size_t voter_count() const;

 private:
  std::string id_;
  std::string directory_;
  std::uint16_t peer_port_;
  std::uint16_t http_port_;
  std::unique_ptr<cluster::Process> process_;
};

}  // namespace anchor::bench
